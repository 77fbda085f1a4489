"""Which records make one row.

A row is one plan with all its seeds: same model, settings, recipe, overrides and engine version, on the same type of
device, the model's code being the same. Code is the same where the digests of its source files are equal, or the
probes are (what the fresh net computes): an edited comment does not tear a row apart, an edited net does. So a model
that was run on processors and on GPUs, or in two versions, has two rows.

Which processor or GPU it was is provenance and no part of the plan: seeds that several people trained are one row, with
the speeds of one of the devices. Where two devices have a seed in common (somebody ran the row again), each has a row,
so that a repeat elsewhere is neither thrown away nor held against the first; so have devices of one type that do not
train with the same precision.

Several records of one seed (folders of two machines put together): a finished one goes before one that is not, one
that is not stale before one that is; what is left is decided by the key and then by the content, never by a clock.
Where finished ones of a seed, none of them stale, state different scores, nobody can tell which of them is the plan's:
they are kept as rivals, and the row is not ranked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fkbench.boards.speed import device_class
from fkbench.records import RunRecord, canonical_json

STALE = "stale"


@dataclass(frozen=True)
class Entry:
    """The records of one row.

    Attributes:
        records: one per seed, by seed.
        spare: records of the same seeds, with other content, that were set aside.
        rivals: those of them that state another score than the one of their seed in `records`.
    """

    records: tuple[RunRecord, ...]
    spare: int = 0
    rivals: tuple[RunRecord, ...] = ()

    @property
    def first(self) -> RunRecord:
        """For what all records of the row share."""
        return self.records[0]

    @property
    def done(self) -> tuple[RunRecord, ...]:
        """The finished ones."""
        return tuple(record for record in self.records if record.status == "done")

    @property
    def unfinished(self) -> tuple[RunRecord, ...]:
        """The others."""
        return tuple(record for record in self.records if record.status != "done")

    @property
    def deterministic(self) -> bool:
        """Whether all records say that their model has no randomness."""
        return all(record.model.deterministic for record in self.records)

    @property
    def device(self) -> str:
        """Device class, `type` or `type: name`; of seeds on several devices all, sorted."""
        return "; ".join(sorted({device_class(record) for record in self.records}))

    @property
    def identity(self) -> str:
        """The model and its plan, wherever it ran: rows of one identity count once among those that are better."""
        return canonical_json(_plan(self.first) | {"device": None, "code": self.first.model.source})

    def sort_key(self) -> tuple[str, ...]:
        """The order of rows; those that are equal in it are ordered by the content of their first record."""
        return (self.first.model.name, self.device, *(record.key for record in self.records))


def entries_of(records: Iterable[RunRecord]) -> list[Entry]:
    """The rows that the records of one board make, in an order that does not depend on theirs."""
    rows = sorted(map(_entry, row_parts(records)), key=Entry.sort_key)
    # The content of a record is long: it is looked at only where nothing else tells two rows apart.
    equal = (list(group) for _, group in groupby(rows, key=Entry.sort_key))
    return [row for group in equal for row in _by_content(group)]


def row_parts(records: Iterable[RunRecord]) -> list[list[RunRecord]]:
    """The records of one board by the row that they belong to, in any order, those that a row sets aside too."""
    by_plan: dict[str, list[RunRecord]] = {}
    for record in records:
        # A record's values are JSON's own, so that nothing need be made plain for it.
        by_plan.setdefault(json.dumps(_plan(record), sort_keys=True), []).append(record)
    return [part for plan in by_plan.values() for code in _same_code(plan) for part in _seeds_apart(code)]


def _by_content(rows: list[Entry]) -> list[Entry]:
    return sorted(rows, key=lambda row: row.first.canonical()) if len(rows) > 1 else rows


def _plan(record: RunRecord) -> dict[str, Any]:
    """What the seeds of a row share. The dataset's part is in the board, the split's version too."""
    return {
        "model": record.model.name,
        "settings": record.model.settings,
        "recipe": record.protocol.recipe,
        "overrides": record.protocol.overrides,
        "engine": record.engine,
        "extended": record.parent is not None,
        "device": record.device.type,
    }


def _same_code(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """Parts whose code is the same: connected by an equal source digest or an equal probe."""
    parts: list[tuple[set[str], list[RunRecord]]] = []
    for record in records:
        marks = _code_marks(record)
        joined = [part for part in parts if part[0] & marks]
        parts = [part for part in parts if not part[0] & marks]
        members = [member for part in joined for member in part[1]]
        parts.append((marks.union(*(part[0] for part in joined)), [*members, record]))
    return [members for _, members in parts]


def _code_marks(record: RunRecord) -> set[str]:
    marks = {f"source {record.model.source}"} if record.model.source else set()
    if record.probe is not None:
        marks.add(f"probe {canonical_json(record.probe)}")
    return marks or {"unknown"}


@dataclass
class _Part:
    """Devices that go together: their seeds, the precisions that they state, their records."""

    seeds: set[int]
    precisions: set[str]
    records: list[RunRecord]

    def takes(self, other: _Part) -> bool:
        """Whether no seed is in both; a precision that is not stated is no obstacle."""
        agree = not self.precisions or not other.precisions or self.precisions == other.precisions
        return agree and self.seeds.isdisjoint(other.seeds)


def _seeds_apart(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """Parts whose devices have no seed in common. Devices with more finished seeds go first, of as many by name."""
    by_device: dict[str, list[RunRecord]] = {}
    for record in records:
        by_device.setdefault(record.device.name, []).append(record)
    if len(by_device) == 1:
        return [list(records)]
    finished = {name: len({one.seed for one in own if one.status == "done"}) for name, own in by_device.items()}
    parts: list[_Part] = []
    for name in sorted(by_device, key=lambda name: (-finished[name], name)):
        own = by_device[name]
        one = _Part({record.seed for record in own}, {text for text in map(_precision, own) if text}, own)
        joined = next((part for part in parts if part.takes(one)), None)
        if joined is None:
            parts.append(one)
        else:
            joined.seeds |= one.seeds
            joined.precisions |= one.precisions
            joined.records = joined.records + one.records
    return [part.records for part in parts]


def _precision(record: RunRecord) -> str:
    """The precision that it was trained, scored and timed with; empty where it is not stated."""
    extra = record.timing.model_extra if record.timing is not None else None
    return str((extra or {}).get("precision") or "")


def _entry(records: Sequence[RunRecord]) -> Entry:
    by_seed: dict[int, list[RunRecord]] = {}
    for record in records:
        by_seed.setdefault(record.seed, []).append(record)
    if len(by_seed) == len(records):
        return Entry(tuple(record for _, (record,) in sorted(by_seed.items())))
    chosen = [min(same, key=_preference) for _, same in sorted(by_seed.items())]
    contents = {record.canonical() for record in records}
    rivals = (other for one in chosen for other in sorted(by_seed[one.seed], key=_preference) if _differ(one, other))
    return Entry(tuple(chosen), len(contents) - len({record.canonical() for record in chosen}), tuple(rivals))


def _differ(one: RunRecord, other: RunRecord) -> bool:
    """Whether two finished records, neither stale, state different values of some score; not all have all scores."""
    if any(record.status != "done" or STALE in record.flags for record in (one, other)):
        return False
    return any(one.metrics[name] != other.metrics[name] for name in one.metrics.keys() & other.metrics.keys())


def _preference(record: RunRecord) -> tuple[bool, bool, str, str]:
    return record.status != "done", STALE in record.flags, record.key, record.canonical()
