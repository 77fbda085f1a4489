"""Which records of a board go together: one plan and code, with at most one finished record of a seed from elsewhere.

A plan is model, settings, recipe, overrides, engine version and the type of device. Code is the same where the digests
of its source files are equal, or the probes are (what the fresh net computes): an edited comment does not tear a row
apart, an edited net does.

Which processor or GPU it was is provenance and no part of the plan, so seeds that several people trained are one row;
only devices that train with other precisions are apart. Where several devices have finished the same seed (somebody
ran it again), each record is in another row, so that a repeat elsewhere is neither thrown away nor held against the
first: in the first row, which has all seeds, stands the one of the device with more finished seeds, of as many that
of the device first by name. A run that did not finish goes with the others of its device, into the first
row that has one of them, or stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from fkbench.records import RunRecord, canonical_json


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
    """Parts in which each finished seed is of one device."""
    by_device: dict[str, list[RunRecord]] = {}
    for record in records:
        by_device.setdefault(record.device.name, []).append(record)
    if len(by_device) == 1:
        return [list(records)]
    finished = {name: {one.seed for one in own if one.status == "done"} for name, own in by_device.items()}
    parts: dict[str, list[dict[int, str]]] = {}  # by precision; of each part the device of each seed
    homes: dict[str, int] = {}
    place: dict[tuple[str, int], tuple[str, int]] = {}
    for name in sorted(finished, key=lambda name: (-len(finished[name]), name)):
        precision = _precision(by_device[name])
        own = parts.setdefault(precision, [])
        for seed in sorted(finished[name]):
            number = next((i for i, part in enumerate(own) if seed not in part), len(own))
            own += [{}] if number == len(own) else []
            own[number][seed] = name
            place[name, seed] = (precision, number)
            homes[name] = min(number, homes.get(name, number))
    found: dict[tuple[str, int] | str, list[RunRecord]] = {}
    for name, own_records in by_device.items():
        home = (_precision(own_records), homes[name]) if name in homes else name
        for record in own_records:
            found.setdefault(place.get((name, record.seed), home), []).append(record)
    return list(found.values())


def _precision(records: Sequence[RunRecord]) -> str:
    """What runs of one device were trained, scored and timed with, as far as they state it."""
    extras = [record.timing.model_extra or {} for record in records if record.timing is not None]
    return " ".join(sorted({str(extra["precision"]) for extra in extras if extra.get("precision")}))
