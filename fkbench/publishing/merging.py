"""Shards of several people put together: what goes together, what is in conflict, what is damaged.

Results of one key from one kind of device are one result. If they differ only in circumstances (timing, versions), the
one whose timing says more is taken, by content and not by order. If they differ in their outcome they are in conflict,
and no rule can know who is right: neither is taken, unless the caller has said which folder goes first. Results of
one key from two kinds of device stand side by side. What checks have found in a shard is not taken over: a shard's word
about itself is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Literal, get_args

from fkbench.boards import BoardKey, Entry
from fkbench.boards.text import cut
from fkbench.errors import FkbenchError
from fkbench.publishing.conflicts import LONGEST, LeftOut, keep_left_out, read_left_out
from fkbench.publishing.detections import publish_boxed, publish_detectors
from fkbench.publishing.differences import Kind, better_measured, differences, kind_of, why_kept
from fkbench.publishing.folder import Added, Clash, add_form
from fkbench.publishing.form import Form, RefusedError, published_form
from fkbench.publishing.scrubbing import Scrubber
from fkbench.records import ResultStore, RunRecord, is_published
from fkbench.records.beside import RESULTS
from fkbench.records.detections import detector_files

Keep = Literal["neither", "first", "last"]


@dataclass
class Merged:
    """What merging has done, or would do.

    Attributes:
        added: see `Added`; conflicts between the shards are among its `conflicts`, refused results in `refused`.
        damaged: a line for each record that cannot be read.
        devices: results of one plan and seed from several kinds of device; all of them are kept.
        left_out: results that are not there, as neither of two in conflict is kept.
        results: how many results go together.
        read: folder → how many records it has.
    """

    added: Added = field(default_factory=Added)
    damaged: list[str] = field(default_factory=list)
    devices: list[list[str]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    results: int = 0
    read: dict[str, int] = field(default_factory=dict)


def merge(folders: Sequence[Path], out: Path | None = None, keep: Keep = "neither") -> Merged:
    """Put the results of several folders, of runs or published, into one published folder.

    Args:
        folders: the shards; their order matters for `keep` alone.
        out: the published folder; what it holds stays. None: only say what would be done.
        keep: which of two results in conflict is taken: of the folder named first or last, or neither.

    Raises:
        FkbenchError: a folder is not there or holds nothing, or `out` is one of them or cannot be written,
            or does not say what it leaves out.
    """
    if keep not in get_args(Keep):
        raise FkbenchError(f"--keep '{keep}' is unknown.", f"Use {', '.join(get_args(Keep))}.")
    done = Merged()
    forms = [form for folder in folders for form in _forms(folder, out, done)]
    done.devices = _on_several_devices(form.record for form in forms)
    chosen: dict[tuple[str, str], list[Form]] = {}
    for form in forms:
        chosen.setdefault((form.record.key, form.record.device.name), []).append(form)
    kept = []
    for _, group in sorted(chosen.items()):
        taken = _resolved(group, done.added, keep)
        if taken is not None:
            kept.append(taken)
        else:
            done.left_out.append(_left_out(group))
    if out is not None:
        done.left_out = [one for one in done.left_out if not one.is_there(out)]
        read_left_out(out)  # where it is damaged nothing is added
        _add(kept, folders, out, done)
    done.results = len(kept)
    return done


def _add(kept: Iterable[Form], folders: Iterable[Path], out: Path, done: Merged) -> None:
    """Add results to a published folder, and what is left out of it: none is made for that alone."""
    scrubber = Scrubber.of_this_machine()
    for form in kept:
        file = add_form(form, out, done.added)
        if file is not None:
            publish_boxed(form.record.model_copy(update={"path": form.source}), file, scrubber, done.added.sides)
    for folder in folders:
        publish_detectors(folder, out, scrubber, done.added.sides)
    if (out / RESULTS).is_dir():
        keep_left_out(out, done.left_out)


def _forms(folder: Path, out: Path | None, done: Merged) -> Iterable[Form]:
    if not folder.is_dir():
        raise FkbenchError(f"There is no folder '{folder}'.", "Name runs folders or published ones.")
    if out is not None and out.resolve() == folder.resolve():
        raise FkbenchError(f"'{folder}' is --out, too.", "Name it as --out alone: what it holds stays.")
    before = len(done.damaged)
    records = ResultStore(folder).records(done.damaged.append)
    if not records and len(done.damaged) == before and not detector_files(folder):
        raise FkbenchError(f"There are no results in '{folder}'.", "Name a runs folder or a published one.")
    done.read[str(folder)] = len(records)
    own = Scrubber.of_this_machine()
    for record in records:
        try:
            # What was published has been scrubbed where it was made; the names of this machine are not in it.
            yield published_form(record, Scrubber() if is_published(record) else own)
        except RefusedError as error:
            done.added.refused[record.path] = error.message


def _resolved(group: list[Form], added: Added, keep: Keep) -> Form | None:
    """The one of several forms of a key and device that is taken."""
    ordered = group[::-1] if keep == "last" else group
    chosen = ordered[0]
    rivals = [form for form in ordered[1:] if kind_of(chosen.record, form.record) == "conflict"]
    for rival in rivals:
        kept = None if keep == "neither" else chosen.source
        added.conflicts.append(_clash(group, chosen, rival, kept, "conflict"))
    if rivals and keep == "neither":
        return None
    repeats = [form for form in ordered[1:] if kind_of(chosen.record, form.record) == "repeat"]
    best = reduce(lambda a, b: a if better_measured(a.record, b.record) is a.record else b, [chosen, *repeats])
    for form in [chosen, *repeats] if repeats else ():
        if form is not best:
            why = why_kept(best.record, form.record)
            added.repeats.append(_clash(group, best, form, best.source, "repeat", why))
    return best


def _clash(group: Sequence[Form], one: Form, two: Form, kept: str | None, kind: Kind, why: str = "") -> Clash:
    """Of two forms; the first one is that of the folder that was named first, whichever is kept."""
    first, other = (form for form in group if form is one or form is two)
    return Clash(first.source, other.source, kept, kind, tuple(differences(first.record, other.record)), why)


def _left_out(forms: Sequence[Form]) -> LeftOut:
    """What is said of results in conflict, whatever their order."""
    records = [form.record for form in forms]
    first = records[0]
    scores = {record.metric("rmse") for record in records if record.status == "done"}
    found = [f"rmse {rmse:.6g} px" for rmse in sorted(rmse for rmse in scores if rmse is not None)]
    found += sorted({record.status for record in records} - {"done"})
    name = f"{first.model.name}@{first.dataset.name} {first.key}, seed {first.seed}"
    note = f"Results in conflict, left out: {name} ({' or '.join(found)})."
    return LeftOut(board=forms[0].board, key=first.key, device=first.device.name, note=cut(note, LONGEST))


def _on_several_devices(records: Iterable[RunRecord]) -> list[list[str]]:
    plans: dict[tuple[BoardKey, str, int], dict[str, str]] = {}
    for record in records:
        entry = Entry((record,))
        plan = (BoardKey.of(record), entry.identity, record.seed)
        plans.setdefault(plan, {}).setdefault(entry.device, f"{record.model.name} {record.key}")
    several = [found for found in plans.values() if len(found) > 1]
    return sorted(sorted(f"{name} on {device}" for device, name in found.items()) for found in several)
