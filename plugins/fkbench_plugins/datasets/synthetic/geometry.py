"""The face in three dimensions: a mean shape of 68 points and the ways in which faces differ and move.

Head coordinates in millimetres: x to the right of the picture (the subject's left), y down, z out of the picture
towards the viewer; the origin lies between the pupils. All numbers were written by hand for this project from
everyday anthropometry (pupils 64 mm apart, face 142 mm wide, eyes to chin 100 mm, nose 53 mm, mouth 52 mm); they
come from no face model and no dataset.

Order and meaning of the points: the iBUG 68-point mark-up (Sagonas et al., "300 Faces in-the-Wild", 2013): jaw 0–16
from the subject's right to left, brows 17–21 and 22–26, nose bridge 27–30, nose base 31–35, eyes 36–41 and 42–47,
outer lip 48–59, inner lip 60–67.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_JAW_RIGHT = [
    (-71.0, 3.0, -48.0), (-70.0, 20.0, -46.0), (-67.5, 37.0, -42.0), (-63.0, 52.0, -36.0),
    (-55.5, 66.6, -28.0), (-44.5, 80.3, -18.0), (-31.0, 91.3, -9.0), (-16.0, 98.2, -2.0),
]  # fmt: skip
_BROW_RIGHT = [
    (-56.0, -13.5, -15.0),
    (-50.0, -20.5, -6.0),
    (-40.0, -23.5, 1.0),
    (-28.5, -22.5, 5.0),
    (-15.5, -19.0, 7.0),
]
_BRIDGE = [(0.0, -3.0, 9.0), (0.0, 11.0, 15.0), (0.0, 26.5, 21.5), (0.0, 41.0, 28.0)]
_BASE_RIGHT = [(-14.5, 46.0, 10.0), (-7.5, 48.8, 14.5)]
_EYE_RIGHT = [
    (-46.5, 1.0, -8.0), (-38.0, -4.6, -2.5), (-27.5, -5.0, -1.5),
    (-17.5, 2.0, -4.0), (-27.0, 4.4, -2.0), (-37.0, 4.6, -3.5),
]  # fmt: skip
_LIP_RIGHT = [(-26.0, 68.4, 4.0), (-16.5, 63.5, 11.0), (-7.0, 60.4, 15.0)]
_LOWER_RIGHT = [(-16.0, 75.0, 10.5), (-7.5, 78.1, 13.5)]
_INNER_RIGHT = [(-22.0, 68.4, 6.0), (-8.0, 67.1, 12.5)]
_INNER_LOWER_RIGHT = (-8.0, 69.0, 12.0)


def _mirror(points: Iterable[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    return [(-x, y, z) for x, y, z in points]


def _mean_shape() -> F64:
    jaw = [*_JAW_RIGHT, (0.0, 100.5, 1.0), *_mirror(_JAW_RIGHT[::-1])]
    brows = _BROW_RIGHT + _mirror(_BROW_RIGHT[::-1])
    nose = [*_BRIDGE, *_BASE_RIGHT, (0.0, 50.1, 17.0), *_mirror(_BASE_RIGHT[::-1])]
    # The subject's left eye starts at its inner corner: upper lid outwards, then back below.
    e = _mirror(_EYE_RIGHT)
    eyes = [*_EYE_RIGHT, e[3], e[2], e[1], e[0], e[5], e[4]]
    upper = [*_LIP_RIGHT, (0.0, 61.7, 16.0), *_mirror(_LIP_RIGHT[::-1])]
    lower = [*_mirror(_LOWER_RIGHT), (0.0, 79.0, 14.0), *_LOWER_RIGHT[::-1]]
    inner = [*_INNER_RIGHT, (0.0, 67.8, 13.5), *_mirror(_INNER_RIGHT[::-1])]
    inner += [(8.0, 69.0, 12.0), (0.0, 69.4, 12.5), _INNER_LOWER_RIGHT]
    return np.array(jaw + brows + nose + eyes + upper + lower + inner, dtype=np.float64)


MEAN_SHAPE: F64 = _mean_shape()
"""(68, 3) the neutral mean face, millimetres, head coordinates."""

JAW_BULGE: F64 = np.array([58, 56, 53, 48, 39, 27, 15, 6, 0, 6, 15, 27, 39, 48, 53, 56, 58], dtype=np.float64)
"""(17,) how far the face stands forward of each jaw point at its height, mm: the depth of the half ellipse that the
cheeks are taken for. It says where the outline runs when the head is turned and the jaw point itself is hidden."""

JAW, BROW_R, BROW_L = np.arange(17), np.arange(17, 22), np.arange(22, 27)
BRIDGE, BASE = np.arange(27, 31), np.arange(31, 36)
EYE_R, EYE_L, MOUTH = np.arange(36, 42), np.arange(42, 48), np.arange(48, 68)
UPPER_LIP, LOWER_LIP = np.array([49, 50, 51, 52, 53]), np.array([55, 56, 57, 58, 59])
INNER_LOWER, INNER_UPPER = np.array([65, 66, 67]), np.array([61, 62, 63])
CORNERS = np.array([48, 54, 60, 64])


def close_lids(points: F64, blink: F64) -> F64:
    """Lowers the upper lids: `points` (N, 68, 3), `blink` (N, 2) in 0 … 1 for the subject's right and left eye."""
    out = points.copy()
    for eye, side in ((((37, 41), (38, 40)), 0), (((43, 47), (44, 46)), 1)):
        for upper, lower in eye:
            gap = out[:, lower] - out[:, upper]
            out[:, upper] += gap * (0.92 * blink[:, side, None])
    return out
