"""Sunglasses, drawn by this project, put on faces by their eye corners."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray
from fkbench.errors import FkbenchError
from fkbench.live.frames import Points
from fkbench.schemes import SCHEMES, Scheme

Art = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float64]
Sheet = npt.NDArray[np.float32]
"""(H, W, 4) BGR and alpha, 0 to 255, the colours multiplied by alpha."""

# The drawing: the outer eye corners lie at (±CORNER, 0) about its centre, in shares of its width.
WIDTH, HEIGHT = 800, 320
CORNER = 0.33
ACROSS = 1 / (2 * CORNER)
"""Width of the glasses over the distance of the outer eye corners."""
FIXED = (200, 100)
FRAME = (22.0, 20.0, 20.0)
FINER = 2  # drawn so many times larger, then shrunk: smooth edges

LENS = ((-0.475, -0.115), (-0.40, -0.150), (-0.16, -0.150), (-0.055, -0.105), (-0.060, 0.020), (-0.120, 0.130),
        (-0.215, 0.165), (-0.330, 0.150), (-0.425, 0.085), (-0.465, -0.020))  # fmt: skip
"""Outline of the lens on the left of the picture, rounded when drawn; x and y in shares of the width."""


@lru_cache(maxsize=1)
def artwork() -> Art:
    """(320, 800, 4) BGR and alpha, the colours multiplied by alpha: smoked lenses in a black frame."""
    sheet = np.zeros((HEIGHT * FINER, WIDTH * FINER, 4), np.float32)
    _paint(sheet, _mask(_bridge(), sheet), FRAME)
    for side in (1.0, -1.0):
        outline = _rounded(np.array(LENS) * [side, 1.0])
        centre = outline.mean(axis=0)
        glass = _mask(_pixels(centre + (outline - centre) * 0.90), sheet)
        _paint(sheet, _mask(_pixels(outline), sheet), FRAME)
        _tint(sheet, glass)
        _paint(sheet, cv2.min(_mask(_pixels(_shine(side)), sheet), glass), (255.0, 250.0, 245.0), 0.16)
        hinge = centre + np.array([-0.195 * side, -0.105])
        _paint(sheet, _mask(_pixels(_disc(hinge, 0.008)), sheet), (190.0, 195.0, 200.0))
    return np.asarray(np.rint(cv2.resize(sheet, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)), np.uint8)


def _paint(sheet: Sheet, mask: Any, paint: tuple[float, float, float], share: float = 1.0) -> None:
    """Lay a colour over what is there (Porter and Duff's `over`, colours multiplied by alpha), in place."""
    part, cover = _touched(sheet, mask)
    cover = cover * np.float32(share)
    part *= 1 - cover
    part += cover * np.array([*paint, 255.0], np.float32)


def _tint(sheet: Sheet, glass: Any) -> None:
    """Clear a lens and tint it: darker above than below, so that the eyes can be made out, in place."""
    part, cover = _touched(sheet, glass)
    top = cv2.boundingRect(glass)[1]
    rows = (np.arange(len(part)) + top) / len(sheet)
    tint = np.interp(rows, [0.1, 0.9], [0.93, 0.66]).astype(np.float32)[:, None, None]
    part *= 1 - cover
    part += cover * tint * np.array([48.0, 34.0, 26.0, 255.0], np.float32)


def _touched(sheet: Sheet, mask: Any) -> tuple[Sheet, Sheet]:
    """The part of the sheet that a mask (H, W) uint8 covers, and by how much, (h, w, 1) in 0 to 1."""
    x, y, wide, high = cv2.boundingRect(mask)
    window = (slice(y, y + high), slice(x, x + wide))
    return sheet[window], (mask[window].astype(np.float32) / 255)[:, :, None]


def _mask(outline: npt.NDArray[np.int32], sheet: Sheet) -> Any:
    return cv2.fillPoly(np.zeros(sheet.shape[:2], np.uint8), [outline], 255, cv2.LINE_AA)


def _pixels(shares: Map) -> npt.NDArray[np.int32]:
    place = (shares * WIDTH + np.array([WIDTH, HEIGHT]) / 2) * FINER
    return np.asarray(np.rint(place), np.int32)


def _rounded(corners: Map) -> Map:
    """A closed curve along a polygon (P, 2): Chaikin's corner cutting (1974), four times."""
    curve = corners
    for _ in range(4):
        ahead = np.roll(curve, -1, axis=0)
        curve = np.stack([0.75 * curve + 0.25 * ahead, 0.25 * curve + 0.75 * ahead], axis=1).reshape(-1, 2)
    return curve


def _bridge() -> npt.NDArray[np.int32]:
    x = np.linspace(-0.085, 0.085, 33)
    upper = np.stack([x, -0.118 + 3.0 * x**2], axis=1)
    lower = np.stack([x, -0.066 + 7.0 * x**2], axis=1)
    return _pixels(np.concatenate([upper, lower[::-1]]))


def _shine(side: float) -> Map:
    """Both lenses mirror the same light, so the band is not mirrored."""
    left = -0.39 if side > 0 else 0.12
    return np.array([[left, -0.2], [left + 0.075, -0.2], [left - 0.015, 0.2], [left - 0.09, 0.2]])


def _disc(centre: Map, radius: float) -> Map:
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def eye_line(scheme: Scheme) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The outer eye corners, each the mean of some points: the ends of the scheme's inter-ocular distance.

    Raises:
        FkbenchError: it states none.
    """
    if "inter_ocular" not in scheme.normalisers:
        raise FkbenchError(
            f"The scheme '{scheme.name}' does not say which points are the outer eye corners.",
            "Choose another --overlay, or give the scheme the normaliser inter_ocular.",
        )
    return scheme.normalisers["inter_ocular"]


def inner_corners(scheme: Scheme) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The inner eye corners, each the mean of some points, by their names here or in a scheme this one projects to.

    Raises:
        FkbenchError: no point is called so.
    """
    names = ("left_eye_inner_corner", "right_eye_inner_corner")
    if set(names) <= set(scheme.points):
        return (scheme.points.index(names[0]),), (scheme.points.index(names[1]),)
    for target, parts in scheme.projections.items():
        known = SCHEMES[target].points if target in SCHEMES else ()
        if set(names) <= set(known):
            return parts[known.index(names[0])], parts[known.index(names[1])]
    raise FkbenchError(
        f"The scheme '{scheme.name}' has no inner eye corners ({', '.join(names)}).", "Choose another --overlay."
    )


def placed(points: Points, ends: tuple[tuple[int, ...], tuple[int, ...]]) -> Map | None:
    """The map (2, 3) from the drawing's pixels to the picture's, scaled and turned with the eyes.

    Which way is up is told by the other points: most of a face's lie below its eyes. None where the eyes coincide.
    """
    one, two = (points[list(end)].mean(axis=0) for end in ends)
    line = two - one
    distance = float(np.hypot(*line))
    if not np.isfinite(points).all() or distance < 1.0:
        return None
    middle = (one + two) / 2
    down = np.array([-line[1], line[0]]) / distance
    if down @ (points.mean(axis=0) - middle) < 0:
        down = -down
    right = np.array([down[1], -down[0]])
    scale = ACROSS * distance / WIDTH
    linear = np.column_stack([right, down]) * scale
    return np.column_stack([linear, middle - linear @ np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])])


def put_on(canvas: ByteArray, points: Points, ends: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Sunglasses on one face (K, 2), in place; what leaves the picture is cut off."""
    place = placed(points, ends)
    if place is None:
        return
    art, place = _shrunk(artwork(), place)
    high, wide = art.shape[:2]
    corners = np.array([[-1, -1], [wide, -1], [-1, high], [wide, high]]) @ place[:, :2].T + place[:, 2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, canvas.shape[1::-1]).astype(int)
    end = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, canvas.shape[1::-1]).astype(int)
    if (end <= low).any():
        return
    local = place.copy()
    local[:, 2] -= low
    size = (int(end[0] - low[0]), int(end[1] - low[1]))
    layer = cv2.warpAffine(art, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    _over(canvas[low[1] : end[1], low[0] : end[0]], np.asarray(layer, np.uint8))


def _shrunk(art: Art, place: Map) -> tuple[Art, Map]:
    """The drawing halved while it would be more than twice too large, so that warping it leaves no jagged edges."""
    while np.hypot(*place[:, 0]) < 0.5 and min(art.shape[:2]) >= 8:
        art = np.asarray(cv2.resize(art, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        linear = place[:, :2] * 2
        place = np.column_stack([linear, place[:, 2] + place[:, :2] @ np.array([0.5, 0.5])])
    return art, place


def put_fixed(canvas: ByteArray, points: Points, ends: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """dfk's placement, in place: 200×100 px about the whole-pixel middle of the inner eye corners, never scaled or
    turned. Blended by alpha and cut at the border, where the article's own loop adds colours and fails.
    """
    one, two = (points[list(end)].mean(axis=0) for end in ends)
    if not np.isfinite([*one, *two]).all():
        return
    middle = (np.trunc(one) + np.trunc(two)).astype(int) // 2
    wide, high = FIXED
    art = np.asarray(cv2.resize(artwork(), FIXED, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = int(middle[0]) - wide // 2, int(middle[1]) - high // 2
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + wide, canvas.shape[1]), min(top + high, canvas.shape[0])
    if x1 > x0 and y1 > y0:
        _over(canvas[y0:y1, x0:x1], art[y0 - top : y1 - top, x0 - left : x1 - left])


def _over(under: ByteArray, layer: Art) -> None:
    """A layer with colours multiplied by alpha over a part of a picture, in place."""
    rest = 255 - layer[:, :, 3:].astype(np.uint16)
    under[:] = np.minimum(layer[:, :, :3] + (under * rest + 127) // 255, 255).astype(np.uint8)
