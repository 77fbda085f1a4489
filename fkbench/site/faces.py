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
    places = [(f"{SIDE * x:.1f}", f"{SIDE * y:.1f}") for x, y in scheme.layout]
    parts = ['<ellipse class="skin" cx="50" cy="50" rx="46" ry="49"/>', *_chains(scheme, places)]
    for i, ((x, y), value) in enumerate(zip(places, errors, strict=True)):
        tip = point_text(i, scheme.points[i], value)
        place = f'cx="{x}" cy="{y}" r="{radius(value, high, len(errors))}"'
        parts.append(f'<circle class="q{level(value, low, high)}" {place} data-tip="{shown(tip)}"/>')
    label = "Error of each point on a schematic face"
    return f'<svg class="face" viewBox="0 0 100 100" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def point_text(index: int, name: str, value: float) -> str:
    """What hovering over a point says."""
    return f"{index} {name}: {value:.3f} px" if math.isfinite(value) else f"{index} {name}: not labelled"


def predicted_faces(scheme: Scheme | None, points: Points, errors: Points, high: float) -> list[str]:
    """Predicted points of some images, alone: a picture of each.

    Args:
        scheme: for outlines; None: not known.
        points: (N, K, 2) in any frame.
        errors: (N, K) of each point, px; NaN: no label.
        high: error of the darkest colour.
    """
    lined = scheme if scheme is not None and len(scheme.points) == points.shape[1] else None
    size = 1.7 if points.shape[1] <= 30 else 1.1
    label = "Predicted points of one test image"
    head = f'<svg class="face" viewBox="0 0 100 100" role="img" aria-label="{label}">'
    return [
        f"{head}{''.join(_predicted(lined, places, values, high, size))}</svg>"
        for places, values in zip(_fitted(points), errors.tolist(), strict=True)
    ]


def _predicted(
    scheme: Scheme | None, places: Sequence[Sequence[float]], errors: Sequence[float], high: float, size: float
) -> list[str]:
    texts = [(f"{x:.1f}", f"{y:.1f}") if math.isfinite(x) and math.isfinite(y) else None for x, y in places]
    parts = _chains(scheme, texts) if scheme is not None else []
    for place, value in zip(texts, errors, strict=True):
        if place is not None:
            parts.append(f'<circle class="q{level(value, 0.0, high)}" cx="{place[0]}" cy="{place[1]}" r="{size}"/>')
    return parts


def _fitted(points: Points) -> list[list[list[float]]]:
    """Each image's in the square of 100 units, with a margin; places that are not finite stay so."""
    known = np.isfinite(points).all(axis=2, keepdims=True)
    native = points.astype(np.float64)
    low = np.where(known, native, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, native, -np.inf).max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        side = np.maximum((high - low).max(axis=1), 1e-6)
        placed = (native - ((low + high) / 2)[:, None]) * (86.0 / side)[:, None, None] + 50.0
    found: list[list[list[float]]] = placed.tolist()
    return found


def _chains(scheme: Scheme, places: Sequence[tuple[str, str] | None]) -> list[str]:
    """Outlines through places as text; a chain with one that is nowhere is left out."""
    spots = [f"{place[0]} {place[1]}" if place is not None else None for place in places]
    chains = ([spots[i] for i in chain] for chain in scheme.lines)
    return [f'<path class="chain" d="M{"L".join(chain)}"/>' for chain in map(_whole, chains) if chain]


def _whole(spots: list[str | None]) -> list[str]:
    known = [spot for spot in spots if spot is not None]
    return known if len(known) == len(spots) else []
