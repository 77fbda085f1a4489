"""Faces as SVG: errors per point on the scheme's neutral face, and predicted points alone, without a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fkbench.schemes import Scheme
from fkbench.site.escaping import shown

LEVELS = 5
SIDE = 100.0
Points = npt.NDArray[np.floating]


def level(value: float, low: float, high: float) -> int:
    """Which of the five colours an error has, from the least to the largest of a picture."""
    if not math.isfinite(value) or high <= low:
        return 0
    return min(LEVELS - 1, max(0, int(LEVELS * (value - low) / (high - low))))


def radius(value: float, high: float, points: int) -> float:
    """Of a point's disc: its area is as the error."""
    most = 5.0 if points <= 30 else 2.6
    return round(most * math.sqrt(max(0.0, value) / high), 2) if math.isfinite(value) and high > 0 else 0.6


def error_face(scheme: Scheme, errors: Sequence[float], low: float, high: float) -> str:
    """The neutral face with a disc at each point.

    Args:
        scheme: one with a layout.
        errors: K, px; NaN: never labelled.
        low: error of the lightest colour.
        high: error of the darkest one and of the largest disc.
    """
    parts = ['<ellipse class="skin" cx="50" cy="50" rx="46" ry="49"/>', *_lines(scheme, scheme.layout, SIDE)]
    for i, ((x, y), value) in enumerate(zip(scheme.layout, errors, strict=True)):
        tip = point_text(i, scheme.points[i], value)
        place = f'cx="{SIDE * x:.1f}" cy="{SIDE * y:.1f}" r="{radius(value, high, len(errors))}"'
        parts.append(f'<circle class="q{level(value, low, high)}" {place} data-tip="{shown(tip)}"/>')
    label = "Error of each point on a schematic face"
    return f'<svg class="face" viewBox="0 0 100 100" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def point_text(index: int, name: str, value: float) -> str:
    """What hovering over a point says."""
    return f"{index} {name}: {value:.3f} px" if math.isfinite(value) else f"{index} {name}: not labelled"


def predicted_face(scheme: Scheme | None, points: Points, errors: Points, high: float) -> str:
    """Predicted points of one image, alone.

    Args:
        scheme: for outlines; None: not known.
        points: (K, 2) in any frame.
        errors: (K,) of each point, px; NaN: no label.
        high: error of the darkest colour.
    """
    fitted = _fitted(points)
    parts = _lines(scheme, fitted, 1.0) if scheme is not None and len(scheme.points) == len(points) else []
    size = 1.7 if len(points) <= 30 else 1.1
    for (x, y), value in zip(fitted, errors.tolist(), strict=True):
        if math.isfinite(x) and math.isfinite(y):
            parts.append(f'<circle class="q{level(value, 0.0, high)}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>')
    label = "Predicted points of one test image"
    return f'<svg class="face" viewBox="0 0 100 100" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _fitted(points: Points) -> list[tuple[float, float]]:
    """In the square of 100 units, with a margin; places that are not finite stay so."""
    known = points[np.isfinite(points).all(axis=1)].astype(np.float64)
    if not len(known):
        return [(math.nan, math.nan)] * len(points)
    low, high = known.min(axis=0), known.max(axis=0)
    side = max(float((high - low).max()), 1e-6)
    placed = (points.astype(np.float64) - (low + high) / 2) * (86.0 / side) + 50.0
    return [(x, y) for x, y in placed.tolist()]


def _lines(scheme: Scheme, places: Sequence[tuple[float, float]], factor: float) -> list[str]:
    chains = []
    for chain in scheme.lines:
        corners = [(factor * places[i][0], factor * places[i][1]) for i in chain]
        if all(math.isfinite(x) and math.isfinite(y) for x, y in corners):
            chains.append(f'<path class="chain" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in corners)}"/>')
    return chains
