"""Shape modes: independent directions in which the 68 points of a face differ (identity) or move (expression).

Each mode is a (68, 3) field of offsets in millimetres; identity modes are scaled to one standard deviation of the
rendered population, expression modes to their full strength. Written by hand for this project.
"""

from __future__ import annotations

import numpy as np

from . import geometry as g
from .geometry import F64

_X, _Y, _Z = 0, 1, 2
_M = g.MEAN_SHAPE
_SIDE = np.sign(_M[:, _X])
_EYES = np.concatenate([g.EYE_R, g.EYE_L])
_BROWS = np.concatenate([g.BROW_R, g.BROW_L])


def _field(*parts: tuple[np.ndarray | list[int], int, F64 | float | list[float]]) -> F64:
    """Offsets from (points, axis, amount) triples; amounts on the same point add up."""
    out = np.zeros_like(_M)
    for points, axis, amount in parts:
        out[points, axis] += amount
    return out


def _from_eye(axis: int) -> F64:
    """(12,) distance of each eye point from the middle of its eye along an axis."""
    middle = np.where(_M[_EYES, _X] < 0, _M[g.EYE_R, axis].mean(), _M[g.EYE_L, axis].mean())
    return np.asarray(_M[_EYES, axis] - middle, dtype=np.float64)


def _below(points: np.ndarray, start: float, end: float) -> F64:
    """0 at height `start`, 1 at `end` and beyond, linear in between."""
    return np.asarray(np.clip((_M[points, _Y] - start) / (end - start), 0, 1), dtype=np.float64)


_OUTER = [36, 45]
_INNER_BROW, _OUTER_BROW, _MID_BROW = [20, 21, 22, 23], [17, 18, 25, 26], [18, 19, 20, 23, 24, 25]
_NOSE_LOW = np.arange(28, 36)
_MOUTH_X = _M[g.MOUTH, _X]

IDENTITY: dict[str, F64] = {
    "face_width": _field((g.JAW, _X, _M[g.JAW, _X] * 0.05), (np.arange(17, 68), _X, _M[17:, _X] * 0.015)),
    "jaw_width": _field((g.JAW, _X, _SIDE[g.JAW] * 5.5 * _below(g.JAW, 15, 75) * np.abs(_M[g.JAW, _X]) / 45)),
    "chin_length": _field((g.JAW, _Y, 5.5 * _below(g.JAW, 25, 100))),
    "face_length": _field((np.arange(68), _Y, _M[:, _Y] * 0.04)),
    "eye_distance": _field((_EYES, _X, _SIDE[_EYES] * 2.1), (_BROWS, _X, _SIDE[_BROWS] * 1.7)),
    "eye_width": _field((_EYES, _X, _from_eye(_X) * 0.08)),
    "eye_open": _field((_EYES, _Y, _from_eye(_Y) * 0.18)),
    "eye_tilt": _field((_OUTER, _Y, -1.4), ([37, 41, 44, 46], _Y, -0.6), ([39, 42], _Y, 0.6)),
    "brow_height": _field((_BROWS, _Y, -3.0)),
    "brow_tilt": _field((_OUTER_BROW, _Y, -1.9), (_INNER_BROW, _Y, 1.2)),
    "brow_arch": _field((_MID_BROW, _Y, -1.6)),
    "brow_gap": _field(([21, 22], _X, _SIDE[[21, 22]] * 2.0), ([20, 23], _X, _SIDE[[20, 23]] * 0.8)),
    "nose_length": _field((_NOSE_LOW, _Y, 3.6 * (_M[_NOSE_LOW, _Y] + 3) / 55)),
    "nose_width": _field((g.BASE, _X, _M[g.BASE, _X] * 0.13)),
    "nose_depth": _field((_NOSE_LOW, _Z, 4.5 * (_M[_NOSE_LOW, _Z] - 6) / 22)),
    "nose_tip": _field(([30], _Y, -2.6), ([29], _Y, -0.8)),
    "nose_bend": _field(([28], _X, 0.5), ([29], _X, 1.0), ([30], _X, 1.3), (g.BASE, _X, 0.6)),
    "mouth_width": _field((g.MOUTH, _X, _MOUTH_X * 0.09)),
    "mouth_height": _field((g.MOUTH, _Y, 2.8)),
    "mouth_depth": _field((g.MOUTH, _Z, 2.6)),
    "lip_upper": _field((g.UPPER_LIP, _Y, -1.4)),
    "lip_lower": _field((g.LOWER_LIP, _Y, 1.8)),
    "mouth_slant": _field((g.MOUTH, _Y, _MOUTH_X * 0.035), (g.MOUTH, _X, 0.9)),
    "chin_side": _field((g.JAW, _X, 1.6 * _below(g.JAW, 30, 100))),
}
"""Name → (68, 3) offsets at one standard deviation."""

_OPEN_JAW = 19.0 * _below(g.JAW, 30, 90)
EXPRESSION: dict[str, F64] = {
    "open": _field(
        (g.LOWER_LIP, _Y, [14.0, 20.0, 22.0, 20.0, 14.0]),
        (g.INNER_LOWER, _Y, [20.0, 22.0, 20.0]),
        (g.CORNERS, _Y, 8.0),
        (g.CORNERS, _X, -_SIDE[g.CORNERS] * 2.5),
        (g.UPPER_LIP, _Y, -1.5),
        (g.INNER_UPPER, _Y, -1.5),
        (g.LOWER_LIP, _Z, -4.0),
        (g.JAW, _Y, _OPEN_JAW),
        (g.JAW, _Z, -_OPEN_JAW * 0.2),
    ),
    "smile": _field(
        (g.CORNERS, _X, _SIDE[g.CORNERS] * 6.0),
        (g.CORNERS, _Y, -6.5),
        (g.CORNERS, _Z, -4.0),
        ([49, 53, 55, 59], _X, _SIDE[[49, 53, 55, 59]] * 3.0),
        ([49, 53, 55, 59], _Y, -2.0),
        ([61, 63, 65, 67], _Y, -1.0),
        ([40, 41, 46, 47], _Y, -0.9),
        (g.BASE, _X, _SIDE[g.BASE] * 0.9),
    ),
    "smirk": _field(([54, 64], _X, 3.5), ([54, 64], _Y, -5.0), ([53, 55], _Y, -1.5), ([48, 60], _Y, 1.5)),
    "pucker": _field(
        (g.MOUTH, _X, -_MOUTH_X * 0.3), (g.MOUTH, _Z, 5.0), (g.UPPER_LIP, _Y, -1.0), (g.LOWER_LIP, _Y, 1.0)
    ),
    "grin": _field(
        (g.UPPER_LIP, _Y, -3.0), (g.INNER_UPPER, _Y, -3.5), (g.LOWER_LIP, _Y, 2.0), (g.INNER_LOWER, _Y, 2.5)
    ),
    "brow_raise": _field((_BROWS, _Y, -6.0), ([37, 38, 43, 44], _Y, -0.9)),
    "brow_furrow": _field(
        (_INNER_BROW, _Y, 3.6), ([21, 22], _X, -_SIDE[[21, 22]] * 3.0), ([20, 23], _X, -_SIDE[[20, 23]] * 1.5)
    ),
    "jaw_side": _field((g.JAW, _X, 4.0 * _below(g.JAW, 30, 100)), (g.LOWER_LIP, _X, 2.5), (g.INNER_LOWER, _X, 2.5)),
}
"""Name → (68, 3) offsets at full strength (coefficient 1)."""


def deform(coefficients: dict[str, F64], scatter: F64) -> F64:
    """The faces' 68 points in head coordinates.

    Args:
        coefficients: name of an identity or expression mode → (N,) strengths; absent names count as 0.
        scatter: (N, 68, 3) offsets in mm that follow no mode.

    Returns:
        (N, 68, 3) millimetres. Sums run in a fixed order, one mode at a time, so that the result is the same
        to the last bit everywhere (a matrix product's order of summation is not).
    """
    points = _M + scatter
    for name, field in {**IDENTITY, **EXPRESSION}.items():
        if name in coefficients:
            points = points + coefficients[name][:, None, None] * field
    return points
