"""From records to boards: one table object that every output is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from fkbench.boards.entries import Entry, entries_of
from fkbench.boards.keys import BoardKey
from fkbench.boards.notes import notes_of
from fkbench.boards.ranking import (
    ErrorsOf,
    Unusable,
    copies,
    errors_beside,
    holds,
    rank_labels,
    reasons,
    seed_sums,
    strangers,
)
from fkbench.boards.rows import Row, SpeedClass, baseline_rows, make_row, variants
from fkbench.boards.speed import threads_text
from fkbench.boards.trust import TrustOf, row_trust, trust_beside
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.records import ResultStore, RunRecord
from fkbench.records.trust import FAILED
from fkbench.score import Pair, SeedSums


@dataclass(frozen=True)
class Board:
    """A table.

    Attributes:
        slug: name for files; unique among the boards built together.
        rows: ranked ones by rank, then the others by rmse, then those without a score, last those whose check failed.
        reference: name of the baseline that `baseline_share` refers to: the one of least rmse among those with runs of
            their own against which nothing speaks, else among those in other models' records; empty without any.
        speed_device: device class whose speeds can be compared on this board.
        speed_version: timing contract version of those.
        speed_threads: numbers of threads of those; empty where the device is no processor.
        notes: what readers must know of the whole table (leaky, unofficial).
        pairs: of ranked rows, who is better than whom, by their places in `rows`.
    """

    key: BoardKey
    slug: str
    rows: tuple[Row, ...]
    test_images: int | None
    reference: str
    speed_device: str
    speed_version: int | None
    notes: tuple[str, ...]
    pairs: tuple[Pair, ...] = ()
    speed_threads: tuple[int, ...] = ()

    @property
    def best(self) -> Row | None:
        """The first row with a run of its own and a score that is believed, ranked or not; None: there is none."""
        return next((row for row in self.rows if row.keys and row.rmse is not None and row.believed), None)

    @property
    def best_note(self) -> str:
        """What has to be said beside the name of `best`: with whom it shares its rank, or that it has none."""
        best = self.best
        if best is None or best.rank is None:
            return "not ranked" if best else ""
        tied = [row.label for row in self.rows if row.rank == best.rank and row is not best]
        others = f"{len(tied)} others" if len(tied) > 1 else "".join(tied)
        return f"tied with {others}" if tied else ""

    @property
    def speed_conditions(self) -> str:
        """The device, and the threads where they are known."""
        return ", ".join(part for part in (self.speed_device, threads_text(self.speed_threads)) if part)

    @property
    def title(self) -> str:
        """One line: what was measured, under what."""
        key = self.key
        return f"{key.dataset}, split {key.split}, {key.protocol} v{key.protocol_version}, box {key.box}"


@dataclass(frozen=True)
class Group:
    """The records of one board, not yet built.

    Attributes:
        slug: of the board that they make.
    """

    slug: str
    key: BoardKey
    records: tuple[RunRecord, ...]

    @cached_property
    def entries(self) -> list[Entry]:
        """The rows that the records make."""
        return entries_of(self.records)

    def board(self, errors: ErrorsOf = errors_beside, trust: TrustOf = trust_beside) -> Board:
        """The board; arguments as for `build`."""
        return _board(self, errors, trust)


def groups_of(records: Iterable[RunRecord]) -> list[Group]:
    """The records by board, sorted by slug.

    Where slugs are equal (splits whose names differ in signs alone, fingerprints that begin alike), the board of most
    records keeps the short one, so that links to it hold whatever comes later.
    """
    by_key: dict[BoardKey, list[RunRecord]] = {}
    for record in records:
        by_key.setdefault(BoardKey.of(record), []).append(record)
    taken: set[str] = set()
    groups = []
    for key in sorted(by_key, key=lambda key: (-len(by_key[key]), key.digest)):
        names = (key.slug, f"{key.slug}-{key.digest[:6]}", f"{key.slug}-{key.digest}")
        slug = next(name for name in names if name.lower() not in taken)
        taken.add(slug.lower())
        groups.append(Group(slug, key, tuple(by_key[key])))
    return sorted(groups, key=lambda group: group.slug)


def build(records: Iterable[RunRecord], errors: ErrorsOf = errors_beside, trust: TrustOf = trust_beside) -> list[Board]:
    """The boards of some records, sorted by slug. The order of the records changes nothing.

    Args:
        records: of any datasets, protocols, devices and seeds, finished or not.
        errors: gives the errors per image of a record; default: the file beside it.
        trust: says how far a record is trusted; default: by what a check has stored.
    """
    return [group.board(errors, trust) for group in groups_of(records)]


def wanted_records(
    root: Path, dataset: str | None = None, report: Callable[[str], None] | None = None
) -> list[RunRecord]:
    """The records of a folder.

    Args:
        root: a runs folder or a published one.
        dataset: those on this dataset only.
        report: told of records that cannot be read.

    Raises:
        FkbenchError: there are no runs, or none on this dataset.
    """
    return of_dataset(ResultStore(root).records(report), root, dataset)


def of_dataset(records: Sequence[RunRecord], root: Path, dataset: str | None) -> list[RunRecord]:
    """Those of some records that are on a dataset, or all; errors as for `wanted_records`.

    Args:
        root: where they come from, for what is said where there are none.
    """
    if not records:
        raise FkbenchError(
            f"There are no runs in '{root}'.", "Make one with `fkbench run`, or name another folder with --runs."
        )
    wanted = [record for record in records if dataset in (None, record.dataset.name)]
    if not wanted:
        raise UnknownNameError("dataset among the runs", str(dataset), {record.dataset.name for record in records})
    return wanted


def _board(group: Group, errors: ErrorsOf, trust: TrustOf) -> Board:
    entries = {f"{place:06d}": entry for place, entry in enumerate(group.entries)}
    levels = {name: row_trust(entry.records, trust) for name, entry in entries.items()}
    sums, why, contradicted = _sums_and_reasons(entries, errors, {name: found for name, (_, found) in levels.items()})
    trusted = {name: FAILED if name in contradicted else level for name, (level, _) in levels.items()}
    identity = {name: entry.identity for name, entry in entries.items()}
    labels, pairs = rank_labels({name: value for name, value in sums.items() if not why[name]}, identity)
    names = variants(list(entries.values()))
    rows = [
        _judged(make_row(entry, names[place], sums.get(name), why[name], labels.get(name)), trusted[name], name in sums)
        for place, (name, entry) in enumerate(entries.items())
    ]
    sound = [row for row, (name, entry) in zip(rows, entries.items(), strict=True) if holds(entry, why[name])]
    believed = [
        record for row, entry in zip(rows, entries.values(), strict=True) if row.believed for record in entry.done
    ]
    stated = _baselines_beside(believed, group)
    reference = _strongest(sound) or _strongest(stated)
    rows += stated
    device, threads, version = speed_class = _speed_class(rows)
    order = sorted(range(len(rows)), key=lambda place: _place(rows[place]))
    places = {name: str(order.index(place)) for place, name in enumerate(entries)}
    rows = [row.beside(reference.rmse if reference else None, speed_class) for row in rows]
    # Anyone can write the record of a run that failed, with a word on the split and its images in it.
    telling = believed or [record for entry in group.entries for record in entry.done] or group.records
    counts = Counter(record.dataset.counts["test"] for record in telling if "test" in record.dataset.counts)
    return Board(
        key=group.key,
        slug=group.slug,
        rows=tuple(rows[place] for place in order),
        test_images=min(counts, key=lambda count: (-counts[count], count), default=None),
        reference=reference.model if reference else "",
        speed_device=device,
        speed_version=version,
        speed_threads=threads,
        notes=notes_of(telling),
        pairs=tuple(Pair(places[pair.a], places[pair.b], pair.comparison, pair.p_holm) for pair in pairs),
    )


def _strongest(rows: Sequence[Row]) -> Row | None:
    """The baseline of least rmse."""
    known = (row for row in rows if row.role == "baseline" and row.rmse is not None and row.believed)
    return min(known, key=_by_rmse, default=None)


def _baselines_beside(believed: Sequence[RunRecord], group: Group) -> list[Row]:
    """Baselines without records; one of which only rows that are not believed speak is not believed either."""
    present = {entry.first.model.name for entry in group.entries}
    sound = baseline_rows(believed, present)
    every = baseline_rows([record for entry in group.entries for record in entry.done], present)
    known = {row.model for row in sound}
    return sound + [replace(row, believed=False) for row in every if row.model not in known]


def _judged(row: Row, trust: str, proven: bool) -> Row:
    """The row with what became of its checks; `proven`: there are errors per image that give its rmse."""
    # A stated interval beside a score that the errors contradict is about neither.
    interval = row.rmse_ci if proven or trust != FAILED else None
    return replace(row, rmse_ci=interval, trust=trust, believed=proven and trust != FAILED)


def _sums_and_reasons(
    entries: dict[str, Entry], errors: ErrorsOf, faults: dict[str, tuple[str, ...]]
) -> tuple[dict[str, SeedSums], dict[str, tuple[str, ...]], set[str]]:
    """Errors per image where there are any, why a row is not ranked, and which rows are contradicted by theirs."""
    sums: dict[str, SeedSums] = {}
    contradicted: set[str] = set()
    why = {name: reasons(entry) + faults[name] for name, entry in entries.items()}
    for name, entry in entries.items():
        found = seed_sums(entry, errors) if entry.done else None
        if isinstance(found, Unusable):
            why[name] += (found.reason,)
            contradicted |= {name} if found.contradicts else set()
        elif found is not None:
            sums[name] = found
            why[name] += copies(entry, found)
    baselines = {name for name, entry in entries.items() if entry.first.model.role == "baseline"}
    for name in strangers({name: value for name, value in sums.items() if not why[name]}, baselines):
        why[name] += ("scored on other images than the rest of the board",)
    return sums, why, contradicted


def _speed_class(rows: Sequence[Row]) -> SpeedClass:
    """Device class, threads and timing version of most rows; those of baselines, cheap anywhere, count last."""
    timed = [row for row in rows if row.speed.version is not None]
    entries = Counter(row.speed_class for row in timed if row.role != "baseline")
    every = Counter(row.speed_class for row in timed)
    return min(every, key=lambda one: (-entries[one], -every[one], -(one[2] or 0), one), default=("", (), None))


def _by_rmse(row: Row) -> tuple[float, str]:
    return (row.rmse if row.rmse is not None else float("inf"), row.label)


def _place(row: Row) -> tuple[bool, int, bool, bool, bool, float, str, tuple[str, ...]]:
    rmse, label = _by_rmse(row)
    no_score, unproven = row.rmse is None, not row.believed
    return (row.rank is None, row.rank or 0, row.trust == FAILED, no_score, unproven, rmse, label, row.keys)
