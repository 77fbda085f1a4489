"""How far rows are trusted: from what checks have left behind, never from a record's own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fkbench.records import LEVELS, RunRecord, verification_of
from fkbench.records.trust import FAILED


@dataclass(frozen=True)
class Trust:
    """Of one record: its level, and what a check found wrong (empty: nothing)."""

    level: str = LEVELS[0]
    fault: str = ""


TrustOf = Callable[[RunRecord], Trust]


def trust_beside(record: RunRecord) -> Trust:
    """From the file that `fkbench verify` has stored; without one the result is self-reported."""
    found = verification_of(record)
    if found is None:
        return Trust()
    return Trust(FAILED, found.mismatches[0]) if found.mismatches else Trust(found.level)


def row_trust(records: Sequence[RunRecord], trust: TrustOf) -> tuple[str, tuple[str, ...]]:
    """The level of a row, which is the least among its seeds, and why it must not be ranked."""
    found = {record.seed: trust(record) for record in records}
    faults = tuple(f"check of seed {seed} failed: {one.fault}" for seed, one in found.items() if one.fault)
    known = [one.level for one in found.values()]
    if faults:
        return FAILED, faults
    return min(known, key=lambda level: LEVELS.index(level), default=""), ()
