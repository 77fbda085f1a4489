"""Numbers that can stand in a table."""

from __future__ import annotations

import math

from fkbench.records import rounded


def finite(value: float | None) -> float | None:
    """At six significant digits; None for what has run over, as means and quotients of huge numbers do."""
    if value is None:
        return None
    short: float = rounded(float(value))
    return short if math.isfinite(short) else None
