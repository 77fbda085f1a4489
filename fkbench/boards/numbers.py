"""Numbers that can stand in a table, and how they are written there."""

from __future__ import annotations

import math

from fkbench.records import rounded

NOTHING = "–"
MOST_PLACES = 6


def finite(value: float | None) -> float | None:
    """At six significant digits; None for what has run over, as means and quotients of huge numbers do."""
    if value is None:
        return None
    short: float = rounded(float(value))
    return short if math.isfinite(short) else None


def number(value: float | None, digits: int, sign: str = "") -> str:
    """With so many digits after the point; huge and tiny ones in powers of ten. `sign`: "+" for differences."""
    if value is None:
        return NOTHING
    return f"{value:{sign}.{digits}f}" if abs(value) < 1e7 and digits <= MOST_PLACES else f"{value:{sign}.3g}"


def places(*values: float, figures: int) -> int:
    """Digits after the point with which the greatest of the values has so many figures; 0 where it is 0."""
    greatest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return max(0, figures - 1 - math.floor(math.log10(greatest))) if greatest > 0 else 0


def short_count(value: float | None) -> str:
    """`8.62 M`, `62.3 M`, `950`."""
    if value is None:
        return NOTHING
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"
