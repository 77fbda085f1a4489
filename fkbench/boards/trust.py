"""How far rows are trusted: from what checks have left behind, never from a record's own words.

What is published is held to its list of files whenever it is read: where one is gone or another, its check has failed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fkbench.records import LEVELS, RunRecord, is_published, verification_of
from fkbench.records.trust import FAILED


@dataclass(frozen=True)
class Trust:
    """Of one record.

    Attributes:
        level: how far it is trusted.
        fault: what a check found wrong; empty: nothing.
        holds: what is published is as it could be published now.
    """

    level: str = LEVELS[0]
    fault: str = ""
    holds: bool = True


TrustOf = Callable[[RunRecord], Trust]


def trust_beside(record: RunRecord) -> Trust:
    """From its files, and from what `fkbench verify` has stored; without that the result is self-reported."""
    fault = _fault(record) if is_published(record) else ""
    if fault:
        return Trust(FAILED, fault, holds=False)
    found = verification_of(record)
    if found is None:
        return Trust()
    return Trust(FAILED, found.mismatches[0]) if found.mismatches else Trust(found.level)


def _fault(record: RunRecord) -> str:
    """Why the files of a published result do not hold; tables are public and the same everywhere: no path is in it."""
    # Here and not above: what is published needs the boards' names.
    from fkbench.publishing.form import fault_of_files
    from fkbench.publishing.scrubbing import Scrubber

    return Scrubber().text(fault_of_files(record).replace(f"{Path(record.path).parent}{os.sep}", ""))


def row_trust(records: Sequence[RunRecord], trust: TrustOf) -> tuple[str, tuple[str, ...]]:
    """The level of a row, which is the least among its finished seeds, and why it must not be ranked."""
    found = {record.seed: trust(record) for record in records}
    faults = tuple(f"check of seed {seed} failed: {one.fault}" for seed, one in found.items() if one.fault)
    known = [found[record.seed].level for record in records if record.status == "done"]
    if faults:
        return FAILED, faults
    return min(known, key=lambda level: LEVELS.index(level), default=""), ()
