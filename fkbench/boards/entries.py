"""Which records make one row: those of one plan, code and type of device, with all seeds (`fkbench.boards.plans`).

A model that was run on processors and on GPUs, or in two versions, has two rows. Seeds that were trained on several
processors, or several GPUs, are one, with the speeds of one of the devices.

Several records of one seed (folders of two machines put together): a finished one goes before one that is not, one
that is not stale before one that is; what is left is decided by the key and then by the content, never by a clock.
Where finished ones of a seed from one device, none of them stale, state different scores, nobody can tell which of
them is the plan's: they are kept as rivals, and the row is not ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fkbench.boards.plans import STALE, plan_of, row_parts
from fkbench.boards.speed import device_class
from fkbench.records import RunRecord, canonical_json


@dataclass(frozen=True)
class Entry:
    """The records of one row.

    Attributes:
        records: one per seed, by seed.
        spare: records of the same seeds, with other content, that were set aside.
        rivals: those of them that state another score than the one of their seed in `records`.
        made_up_for: those of them that did not finish, while another device finished their seed.
    """

    records: tuple[RunRecord, ...]
    spare: int = 0
    rivals: tuple[RunRecord, ...] = ()
    made_up_for: tuple[RunRecord, ...] = ()

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
        return "; ".join(sorted(set(self.devices)))

    @property
    def devices(self) -> tuple[str, ...]:
        """The device class of each record."""
        return tuple(device_class(record) for record in self.records)

    @property
    def identity(self) -> str:
        """The model and its plan, wherever it ran: rows of one identity count once among those that are better."""
        return canonical_json(plan_of(self.first) | {"device": None, "code": self.first.model.source})

    def sort_key(self) -> tuple[str, ...]:
        """The order of rows; those that are equal in it are ordered by the content of their first record."""
        return (self.first.model.name, self.device, *(record.key for record in self.records))


def entries_of(records: Iterable[RunRecord]) -> list[Entry]:
    """The rows that the records of one board make, in an order that does not depend on theirs."""
    rows = sorted(map(_entry, row_parts(records)), key=Entry.sort_key)
    # The content of a record is long: it is looked at only where nothing else tells two rows apart.
    equal = (list(group) for _, group in groupby(rows, key=Entry.sort_key))
    return [row for group in equal for row in _by_content(group)]


def ended(record: RunRecord) -> str:
    """How a run that did not finish ended."""
    return f"{record.status}: {record.reason}" if record.reason else record.status


def _by_content(rows: list[Entry]) -> list[Entry]:
    return sorted(rows, key=lambda row: row.first.canonical()) if len(rows) > 1 else rows


def _entry(records: Sequence[RunRecord]) -> Entry:
    by_seed: dict[int, list[RunRecord]] = {}
    for record in records:
        by_seed.setdefault(record.seed, []).append(record)
    if len(by_seed) == len(records):
        return Entry(tuple(record for _, (record,) in sorted(by_seed.items())))
    chosen = [min(same, key=_preference) for _, same in sorted(by_seed.items())]
    contents = {record.canonical() for record in records}
    rivals = (other for one in chosen for other in sorted(by_seed[one.seed], key=_preference) if _differ(one, other))
    lost = (other for one in chosen for other in sorted(by_seed[one.seed], key=_preference) if _made_up(one, other))
    spare = len(contents) - len({record.canonical() for record in chosen})
    return Entry(tuple(chosen), spare, tuple(rivals), tuple(lost))


def _made_up(one: RunRecord, other: RunRecord) -> bool:
    """Whether `one` finished on another device than that on which `other` did not."""
    return one.status == "done" != other.status and one.device.name != other.device.name


def _differ(one: RunRecord, other: RunRecord) -> bool:
    """Whether two finished records, neither stale, state different values of some score; not all have all scores."""
    if any(record.status != "done" or STALE in record.flags for record in (one, other)):
        return False
    return any(one.metrics[name] != other.metrics[name] for name in one.metrics.keys() & other.metrics.keys())


def _preference(record: RunRecord) -> tuple[bool, bool, str, str]:
    return record.status != "done", STALE in record.flags, record.key, record.canonical()
