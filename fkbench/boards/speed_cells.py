"""Cells of the columns of speed, and what the marks in them mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fkbench.boards.numbers import NOTHING, number
from fkbench.boards.rows import Row
from fkbench.boards.speed import LATENCY_CALLS, SESSION, TRAINING

OTHER_SPEED = "†"
VOID = "‡"
FEW_CALLS = "§"
SHARE = "¶"
QUICK = "~"
BOUNDS = {"train_s": "≤", "train_images_per_s": "≥"}
"""Before the speeds of a training beside other work."""


def speed_cell(name: str, digits: int) -> Callable[[Row], str]:
    """Gives the text of a row's cell, with the marks that `footnotes` explains; not escaped.

    Args:
        name: of `TRAINING` or `SESSION`.
        digits: after the point.
    """

    def cell(row: Row) -> str:
        if name in SESSION and row.speed.session == "void":
            return f"{NOTHING} {VOID}"
        text = number(row.speed.numbers.get(name), digits)
        if text == NOTHING:
            return text
        if name in SESSION and row.speed.session == "quick":
            text = f"{QUICK}{text}"
        if name.startswith("latency") and _few_calls(row):
            text = f"{text} {FEW_CALLS}"
        if name in TRAINING and row.speed.disturbed:
            text = f"{BOUNDS[name]} {text}"
        if name in TRAINING and row.speed.at_once > 1:
            text = f"{text} {SHARE}"
        return text if row.same_speed_class else f"{text} {OTHER_SPEED}"

    return cell


def _few_calls(row: Row) -> bool:
    calls = row.speed.calls
    return calls is not None and calls < LATENCY_CALLS and "latency_ms_p50" in row.speed.numbers


def footnotes(rows: Sequence[Row]) -> list[str]:
    """What the marks at speeds mean, with the rows that it is about where they differ. Text by anyone, not escaped."""
    lines = []
    if any(not row.same_speed_class for row in rows):
        lines.append(
            f"{OTHER_SPEED} measured on another device, with other threads or under another contract: not comparable"
        )
    if any(row.speed.session == "quick" for row in rows):
        lines.append(f"{QUICK} from a short session, not under the timing contract: not comparable")
    few = [f"{row.label} {row.speed.calls}" for row in rows if _few_calls(row)]
    if few:
        lines.append(f"{FEW_CALLS} fewer than {LATENCY_CALLS} latency calls: {', '.join(few)}")
    shared = [f"{row.label} {row.speed.at_once}" for row in rows if row.speed.at_once > 1]
    if shared:
        lines.append(f"{SHARE} seconds of training are a share, of so many seeds trained at once: {', '.join(shared)}")
    disturbed = [row.label for row in rows if row.speed.disturbed and "train_images_per_s" in row.speed.numbers]
    if disturbed:
        lines.append(
            f"{' '.join(BOUNDS.values())} trained beside other work, alone it is faster: {', '.join(disturbed)}"
        )
    void: dict[str, list[str]] = {}
    for row in rows:
        if row.speed.session == "void":
            void.setdefault(row.speed.why_void, []).append(row.label)
    return lines + [f"{VOID} no speeds of {', '.join(who)}, the session is void: {why}" for why, who in void.items()]
