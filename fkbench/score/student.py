"""Student's t for degrees of freedom that are no whole numbers (Satterthwaite's are not)."""

from __future__ import annotations

import math


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t with `df` > 0 degrees of freedom."""
    # Here and not above: listing commands import this package and have no time for scipy.
    from scipy import special

    return float(special.stdtrit(df, probability))


def t_two_sided(t: float, df: float) -> float:
    """Probability of a value at least as far from 0 as `t`."""
    from scipy import special

    return min(1.0, 2.0 * float(special.stdtr(df, -abs(t)))) if not math.isinf(t) else 0.0
