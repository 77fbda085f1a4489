"""In what two records of one key differ, and whether it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fkbench.boards.columns import SCORES
from fkbench.boards.speed import KINDS, speed_of
from fkbench.records import RunRecord

Kind = Literal["same", "repeat", "conflict", "other device"]

CIRCUMSTANCES = (
    *("timing", "environment", "created", "path", "reused", "history"),
    *("device.threads", "device.layout", "model.plugin"),
)
"""Fields that may differ where one plan was carried out twice with one outcome."""
FIRST = ("metrics.rmse", "status", *(f"metrics.{name}" for name in SCORES))
"""What people look for first where two results differ: what the tables show."""
_SHOWN = 60


@dataclass(frozen=True)
class Difference:
    """A field of two records with its value in each, as text."""

    field: str
    first: str
    second: str


def differences(first: RunRecord, second: RunRecord) -> list[Difference]:
    """All fields whose values differ: `FIRST`, other metrics of one number, the rest. Files count by their digests."""
    a, b = (dict(_leaves(_page(record))) for record in (first, second))
    fields = [name for name in dict.fromkeys([*a, *b]) if a.get(name, _ABSENT) != b.get(name, _ABSENT)]
    fields.sort(key=lambda name: _place(name, a.get(name, b.get(name))))
    return [Difference(name, _shown(a.get(name, _ABSENT)), _shown(b.get(name, _ABSENT))) for name in fields]


def _place(field: str, value: Any) -> int:
    if field in FIRST:
        return FIRST.index(field)
    return len(FIRST) + (not field.startswith("metrics.") or isinstance(value, list))


def kind_of(first: RunRecord, second: RunRecord) -> Kind:
    """What two records of one key are to each other.

    `other device`: the device's full name differs, so both stand. `repeat`: one plan with one outcome, measured twice.
    `conflict`: one plan on one kind of device, and another outcome.
    """
    if first.device.name != second.device.name:
        return "other device"
    found = differences(first, second)
    if not found:
        return "same"
    return "repeat" if all(_circumstance(one.field) for one in found) else "conflict"


def better_measured(first: RunRecord, second: RunRecord) -> RunRecord:
    """Of two repeats the one whose timing says more; else by content, so that their order decides nothing."""
    return min(first, second, key=lambda record: (_timing_place(record), record.canonical()))


def why_kept(kept: RunRecord, other: RunRecord) -> str:
    """Why one of two repeats is better measured, in words, with the throughput of both."""
    a, b = speed_of([kept]), speed_of([other])
    if a.session != b.session:
        why = f"the fuller timing is kept ({a.session or 'none'}, not {b.session or 'none'})"
    else:
        why = f"equal timing ({a.session or 'none'}), chosen by content"
    rates = [part.numbers.get("infer_images_per_s") for part in (a, b)]
    if all(rate is None for rate in rates):
        return why
    one, two = ("none" if rate is None else f"{rate:.4g} images/s" for rate in rates)
    return f"{why}: {one}, not {two}"


def _timing_place(record: RunRecord) -> int:
    session = speed_of([record]).session
    return len(KINDS) if session is None else KINDS.index(session)


def _circumstance(field: str) -> bool:
    return any(field == name or field.startswith(f"{name}.") for name in CIRCUMSTANCES)


_ABSENT = object()


def _page(record: RunRecord) -> Mapping[str, Any]:
    return record.to_json() | {"path": "", "reused": False, "created": ""}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _shown(value: Any) -> str:
    text = "absent" if value is _ABSENT else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
