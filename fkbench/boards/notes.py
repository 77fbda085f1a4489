"""What readers must know of a whole board: what leaks in its split, and what is not the published data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fkbench.records import RunRecord

LEAKY = "Leaky split: persons, clips or near-duplicates of the test part are in training too."
KINDS = {"groups": "groups (persons, duplicates)", "clips": "clips", "near_duplicates": "pairs of near-duplicates"}


def notes_of(records: Sequence[RunRecord]) -> tuple[str, ...]:
    """The notes of a board, from its records; their order changes nothing."""
    found = []
    if any("leaky" in record.flags for record in records):
        found.append(LEAKY)
        found += sorted({leak_text(record.dataset.leaks) for record in records if record.dataset.leaks} - {""})
    if any(record.dataset.official.labels is False for record in records):
        found.append("Labels are not the official ones.")
    if any(record.dataset.official.pixels is False for record in records):
        found.append("Pixels are not the official ones.")
    return tuple(found)


def leak_text(leaks: Mapping[str, Any]) -> str:
    """The numbers of a leak report in a line; empty where it has none that can be read."""
    parts = [text for kind, name in KINDS.items() if (text := _kind_text(leaks.get(kind), name))]
    return f"On both sides of the split: {'; '.join(parts)}." if parts else ""


def _kind_text(part: object, name: str) -> str:
    if not isinstance(part, Mapping):
        return ""
    shared = part.get("both_sides", part.get("across"))
    whole, share = part.get("total", part.get("pairs")), part.get("test_share")
    if not isinstance(shared, int) or not isinstance(whole, int) or not isinstance(share, int | float):
        return ""
    return f"{shared} of {whole} {name}, which concern {share:.1%} of the test images"
