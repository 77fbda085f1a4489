"""Which records of a board go together: those of one plan and code, in which each finished seed is of one device.

A plan is model, settings, recipe, overrides, engine version and the type of device. Code is the same where the digests
of its source files are equal, or the probes are (what the fresh net computes): an edited comment does not tear a row
apart, an edited net does.

Which processor or GPU it was is provenance and no part of the plan, so seeds that several people trained are one row;
only those trained with another precision are apart. Where several devices have finished the same seed (somebody ran
it again), each record is in another row, so that a repeat elsewhere is neither thrown away nor held against the first:
in the first row, which has all seeds, stands the one of the device with more finished seeds, of as many that of the
device first by name, as no clock can be believed that would tell who was first. A run that did not finish, or is
stale, goes with the others of its device, into the first row that has one of them, or stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from fkbench.records import RunRecord, canonical_json

Source = tuple[str, str]
"""A device's name, and the precision of its runs."""
STALE = "stale"


def row_parts(records: Iterable[RunRecord]) -> list[list[RunRecord]]:
    """The records of one board by the row that they belong to, in any order, those that a row sets aside too."""
    by_plan: dict[str, list[RunRecord]] = {}
    for record in records:
        by_plan.setdefault(plan_text(record), []).append(record)
    return [part for plan in by_plan.values() for code in _same_code(plan) for part in _repeats_apart(code)]


def plan_text(record: RunRecord) -> str:
    """What the seeds of a row share, as JSON."""
    # A record's values are JSON's own, so that nothing need be made plain for it.
    return json.dumps(plan_of(record), sort_keys=True)


def plan_of(record: RunRecord) -> dict[str, Any]:
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


def _repeats_apart(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """Parts in which each finished seed is of one source: a device at one precision."""
    by_source = _by_source(records)
    if len(by_source) == 1:
        return [list(records)]
    finished = {source: {one.seed for one in own if _counts(one)} for source, own in by_source.items()}
    parts: dict[str, list[set[int]]] = {}  # by precision; of each part the seeds
    place: dict[tuple[Source, int], int] = {}
    for source in sorted(finished, key=lambda source: (-len(finished[source]), source)):
        own = parts.setdefault(source[1], [])
        for seed in sorted(finished[source]):
            number = next((i for i, part in enumerate(own) if seed not in part), len(own))
            own += [set()] if number == len(own) else []
            own[number].add(seed)
            place[source, seed] = number
    homes = {source: min(place[source, seed] for seed in seeds) for source, seeds in finished.items() if seeds}
    found: dict[tuple[str, int] | Source, list[RunRecord]] = {}
    for source, members in by_source.items():
        for record in members:
            number = place.get((source, record.seed), homes.get(source, -1))
            found.setdefault((source[1], number) if number >= 0 else source, []).append(record)
    return list(found.values())


def _by_source(records: Sequence[RunRecord]) -> dict[Source, list[RunRecord]]:
    """By device and precision. What states no precision goes with the rest of its device, where that states one."""
    stated: dict[str, set[str]] = {}
    for record in records:
        stated.setdefault(record.device.name, set()).update(filter(None, [_precision(record)]))
    found: dict[Source, list[RunRecord]] = {}
    for record in records:
        name = record.device.name
        precision = _precision(record) or min(stated[name], default="")
        found.setdefault((name, precision), []).append(record)
    return found


def _counts(record: RunRecord) -> bool:
    """Whether it fills the place of its seed: a run that did not finish, or is stale, leaves it to others."""
    return record.status == "done" and STALE not in record.flags


def _precision(record: RunRecord) -> str:
    """What it was trained, scored and timed with; empty where it does not say."""
    return str((record.timing.model_extra or {}).get("precision") or "") if record.timing is not None else ""
