"""Which runs a text on the command line means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.records.models import RunRecord

_SHOWN = 8
SEE, NO_RUNS = "See `fkbench runs list`.", "There are no runs yet, or --runs is another folder."


def label(record: RunRecord) -> str:
    """`model@dataset/split/protocol`, by which all seeds of a run can be named."""
    return f"{record.model.name}@{record.dataset.name}/{record.dataset.split}/{record.protocol.name}"


def one_of(run: str, records: Sequence[RunRecord]) -> RunRecord:
    """The record whose key is `run`, or the only one whose key begins with it.

    Raises:
        FkbenchError: there is none, or several; the candidates are named.
    """
    exact = [record for record in records if record.key == run]
    found = exact or [record for record in records if run and record.key.startswith(run.lower())]
    if not found:
        _refuse_several(run, [record for record in records if run in _names(record)])
        known = {record.key for record in records} | {label(record) for record in records}
        raise UnknownNameError("run", run, known, SEE, none=NO_RUNS)
    if len(found) > 1:
        raise FkbenchError(f"'{run}' means several runs: {_listing(found)}.", "Give more of the key, or the folder.")
    return found[0]


def _refuse_several(text: str, seeds: Sequence[RunRecord]) -> None:
    """Where one run is wanted, `model@dataset` is known and yet no answer: it stands for all seeds."""
    if not seeds:
        return
    labels, boxes = ({of(record) for record in seeds} for of in (label, lambda record: record.box))
    texts = []
    for r in sorted(seeds, key=lambda record: (label(record), record.box, record.seed, record.key))[:_SHOWN]:
        apart = (label(r) if len(labels) > 1 else "", f"box {r.box}" if len(boxes) > 1 else "", f"seed {r.seed}")
        texts.append(f"{r.key} ({', '.join(filter(None, apart))})")
    more = f" and {len(seeds) - _SHOWN} more" if len(seeds) > _SHOWN else ""
    raise FkbenchError(
        f"'{text}' stands for all seeds, and one run is needed here.", f"Name one run: {', '.join(texts)}{more}."
    )


def matching(text: str, records: Sequence[RunRecord]) -> list[RunRecord]:
    """The records that `model@dataset[/split/protocol]` means. A split's name may itself hold a `/` (`complete/2`).

    Raises:
        FkbenchError: there is none.
    """
    found = [record for record in records if text in _names(record)]
    if not found:
        raise UnknownNameError("run", text, {label(record) for record in records}, SEE, none=NO_RUNS)
    return found


def _names(record: RunRecord) -> tuple[str, str, str]:
    dataset = f"{record.model.name}@{record.dataset.name}"
    return dataset, f"{dataset}/{record.dataset.split}", label(record)


def same_runs(text: str, records: Sequence[RunRecord]) -> list[RunRecord]:
    """The records, sorted by seed and key, if they differ in nothing that makes them incomparable.

    Raises:
        FkbenchError: they are of several splits, protocols or boxes.
    """
    kinds = {(label(r), r.protocol.version, r.box, r.dataset.fingerprint, r.dataset.split_version) for r in records}
    if len(kinds) > 1:
        raise FkbenchError(
            f"'{text}' means runs that cannot be taken together: {_listing(records)}.",
            "Add the split and protocol (model@dataset/split/protocol), or name one run by its key.",
        )
    return sorted(records, key=lambda record: (record.seed, record.key, record.path))


def _listing(records: Iterable[RunRecord]) -> str:
    texts = [f"{r.key} ({label(r)}, box {r.box}, seed {r.seed}, {r.path})" for r in records]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
