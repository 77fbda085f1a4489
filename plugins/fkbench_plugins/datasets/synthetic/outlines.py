"""From projected control points to the outlines that are drawn: smooth curves, lids, brows, nose, mouth, beard, hair.

All arithmetic is elementwise on (N, P, 2) arrays of pixels of the 96-pixel picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .controls import Controls, circle
from .draws import Draws
from .geometry import F64


def smooth(points: F64, steps: int, closed: bool) -> F64:
    """Catmull-Rom curve (N, Q, 2) through (N, P, 2), `steps` pieces per span; open curves keep both ends."""
    index, weights = _curve(points.shape[1], steps, closed)
    total = np.take(points, index[0], axis=1) * weights[0]
    for k, weight in zip(index[1:], weights[1:], strict=True):
        total += np.take(points, k, axis=1) * weight
    return total


@lru_cache(maxsize=64)
def _curve(count: int, steps: int, closed: bool) -> tuple[list[NDArray[np.int64]], list[F64]]:
    """Of each point on a Catmull-Rom curve: its four control points and their weights (Q, 1)."""
    spans = count if closed else count - 1
    first = np.repeat(np.arange(spans), steps)
    t = np.tile(np.arange(steps) / steps, spans)
    if not closed:
        first, t = np.append(first, spans - 1), np.append(t, 1.0)
    around = [first - 1, first, first + 1, first + 2]
    index = [k % count if closed else np.clip(k, 0, count - 1) for k in around]
    t2, t3 = t * t, t * t * t
    weights = [2 * t2 - t - t3, 2.0 + 3 * t3 - 5 * t2, t + 4 * t2 - 3 * t3, t3 - t2]
    return index, [(weight * 0.5)[:, None] for weight in weights]


def _join(*parts: F64) -> F64:
    return np.concatenate(parts, axis=1)


def _blend(face: F64, parts: Sequence[Sequence[tuple[int, float]]]) -> F64:
    """(N, len(parts), 2) weighted combinations of landmarks: one sequence of (landmark, weight) per point."""
    out = np.zeros((len(face), len(parts), 2))
    for k, combination in enumerate(parts):
        for landmark, weight in combination:
            out[:, k] += face[:, landmark] * weight
    return out


def eyes(face: F64) -> dict[str, F64]:
    """Per eye: the opening, the skin above and below that covers the eyeball, lash line, crease."""
    out = {}
    for side, e, brow in (("r", [36, 37, 38, 39, 40, 41], 19), ("l", [42, 43, 44, 45, 46, 47], 24)):
        upper = smooth(face[:, e[:4]], 3, closed=False)
        lower = smooth(face[:, [e[3], e[4], e[5], e[0]]], 3, closed=False)
        rise = face[:, brow : brow + 1] - (face[:, e[0] : e[0] + 1] + face[:, e[3] : e[3] + 1]) * 0.5
        out[f"eye_{side}"] = _join(upper, lower)
        out[f"lid_{side}"] = _join(upper, upper[:, ::-1] + rise * 0.5)
        out[f"below_{side}"] = _join(lower, lower[:, ::-1] - rise * 0.42)
        out[f"lash_{side}"], out[f"lower_{side}"] = upper, lower
        out[f"crease_{side}"] = upper[:, 1:-1] + rise * 0.17
        out[f"socket_{side}"] = _join(upper + rise * 0.55, lower - rise * 0.25)
    return out


def brows(face: F64, thickness: F64) -> dict[str, F64]:
    """Tapered bands about the brow points, `thickness` (N,) as a share of the distance from eye to brow."""
    taper = np.array([0.25, 0.75, 1.0, 1.05, 0.8])
    out = {}
    for side, first, e0, e3 in (("r", 17, 36, 39), ("l", 22, 42, 45)):
        line = face[:, first : first + 5]
        rise = line[:, 2] - (face[:, e0] + face[:, e3]) * 0.5
        bulk = (taper if side == "r" else taper[::-1])[None, :, None] * (rise * thickness[:, None])[:, None]
        out[f"brow_{side}"] = _join(smooth(line + bulk, 2, closed=False), smooth(line - bulk, 2, closed=False)[:, ::-1])
    return out


def nose(face: F64) -> dict[str, F64]:
    """Nostrils, wings, base and the facets that catch the light."""
    along = (face[:, 27] - face[:, 33])[:, None]
    out = {}
    ring = circle(8)
    for side, wing, inner in (("r", 31, 32), ("l", 35, 34)):
        across = (face[:, inner] - face[:, wing])[:, None]
        middle = _blend(face, [[(inner, 0.62), (wing, 0.38)]]) + along * 0.03
        out[f"nostril_{side}"] = middle + ring[None, :, 0:1] * across * 0.5 + ring[None, :, 1:2] * along * 0.035
        top = _blend(face, [[(wing, 0.8), (29, 0.2)]]) + along * 0.03
        bulge = _blend(face, [[(wing, 1.12), (33, -0.12)]]) + along * 0.06
        out[f"wing_{side}"] = smooth(_join(top, bulge, face[:, [wing, inner]]), 2, closed=False)
    out["nose_base"] = smooth(face[:, 31:36], 2, closed=False)
    out["bridge"] = smooth(face[:, 27:31], 2, closed=False)
    out["facet_r"] = _join(face[:, 27:31], face[:, [31]], _blend(face, [[(39, 0.75), (27, 0.25)]]))
    out["facet_l"] = _join(face[:, 27:31], face[:, [35]], _blend(face, [[(42, 0.75), (27, 0.25)]]))
    out["nose_under"] = _join(face[:, 31:36], _blend(face, [[(30, 0.8), (33, 0.2)]]))
    tip = _blend(face, [[(30, 0.8), (29, 0.2)]])
    out["tip"] = (
        tip + ring[None, :, 0:1] * (face[:, 35] - face[:, 31])[:, None] * 0.17 + ring[None, :, 1:2] * along * 0.06
    )
    return out


def mouth(face: F64, teeth: F64) -> dict[str, F64]:
    """Lips, opening, and the upper teeth as deep as `teeth` (N,) says, 0 … 1 of the opening."""
    top = smooth(face[:, 48:55], 2, closed=False)
    bottom = smooth(face[:, [54, 55, 56, 57, 58, 59, 48]], 2, closed=False)
    inner_top = smooth(face[:, 60:65], 2, closed=False)
    inner_bottom = smooth(face[:, [64, 65, 66, 67, 60]], 2, closed=False)
    edge = inner_top + (inner_bottom[:, ::-1] - inner_top) * teeth[:, None, None]
    return {
        "lips": _join(top, bottom),
        "lip_low": _join(inner_bottom[:, ::-1], bottom),
        "opening": _join(inner_top, inner_bottom),
        "teeth": _join(inner_top, edge[:, ::-1]),
        "seam": inner_top,
    } | _around_mouth(face)


def _around_mouth(face: F64) -> dict[str, F64]:
    """What the mouth's light and shadow fall on: philtrum, the dent under the lip, ball of the chin, folds beside."""
    return {
        "philtrum": _blend(face, [[(33, 0.85), (51, 0.15)], [(50, 0.85), (33, 0.15)], [(52, 0.85), (33, 0.15)]]),
        "under_lip": _blend(
            face,
            [
                [(59, 0.9), (8, 0.1)],
                [(57, 0.9), (8, 0.1)],
                [(55, 0.9), (8, 0.1)],
                [(56, 0.6), (8, 0.4)],
                [(58, 0.6), (8, 0.4)],
            ],
        ),
        "chin_ball": _blend(
            face,
            [
                [(58, 0.35), (8, 0.65)],
                [(57, 0.55), (8, 0.45)],
                [(56, 0.35), (8, 0.65)],
                [(9, 0.35), (8, 0.55), (57, 0.1)],
                [(7, 0.35), (8, 0.55), (57, 0.1)],
            ],
        ),
        "fold_r": _blend(
            face, [[(31, 1.15), (33, -0.15)], [(48, 0.6), (31, 0.6), (33, -0.2)], [(48, 1.2), (54, -0.2)]]
        ),
        "fold_l": _blend(
            face, [[(35, 1.15), (33, -0.15)], [(54, 0.6), (35, 0.6), (33, -0.2)], [(54, 1.2), (48, -0.2)]]
        ),
    }


def cheeks(face: F64) -> dict[str, F64]:
    """Patches of cheek, temple and lower jaw that take light from their side."""
    return {
        "cheek_r": _blend(
            face,
            [[(36, 0.5), (2, 0.5)], [(39, 0.5), (31, 0.5)], [(31, 0.8), (48, 0.2)], [(48, 0.5), (4, 0.5)], [(3, 1.0)]],
        ),
        "cheek_l": _blend(
            face,
            [
                [(45, 0.5), (14, 0.5)],
                [(42, 0.5), (35, 0.5)],
                [(35, 0.8), (54, 0.2)],
                [(54, 0.5), (12, 0.5)],
                [(13, 1.0)],
            ],
        ),
        "hollow_r": _blend(
            face, [[(48, 0.6), (3, 0.4)], [(3, 1.0)], [(5, 1.0)], [(6, 0.85), (57, 0.15)], [(59, 0.6), (6, 0.4)]]
        ),
        "hollow_l": _blend(
            face, [[(54, 0.6), (13, 0.4)], [(13, 1.0)], [(11, 1.0)], [(10, 0.85), (57, 0.15)], [(55, 0.6), (10, 0.4)]]
        ),
    }


def beard(face: F64) -> dict[str, F64]:
    """The area of a full beard, of a goatee and of a moustache."""
    rim = smooth(face[:, 2:15], 2, closed=False)
    inner = _blend(
        face,
        [
            [(13, 0.7), (54, 0.3)],
            [(54, 0.75), (35, 0.1), (12, 0.15)],
            [(35, 0.45), (53, 0.55)],
            [(33, 0.45), (51, 0.55)],
            [(31, 0.45), (49, 0.55)],
            [(48, 0.75), (31, 0.1), (4, 0.15)],
            [(3, 0.7), (48, 0.3)],
        ],
    )
    return {"beard": _join(rim, inner), "goatee": _goatee(face), "moustache": _moustache(face)}


def _goatee(face: F64) -> F64:
    return _blend(
        face,
        [
            [(48, 0.8), (6, 0.2)],
            [(6, 0.6), (59, 0.4)],
            [(7, 0.95), (57, 0.05)],
            [(8, 1.05), (57, -0.05)],
            [(9, 0.95), (57, 0.05)],
            [(10, 0.6), (55, 0.4)],
            [(54, 0.8), (10, 0.2)],
            [(57, 1.0)],
        ],
    )


def _moustache(face: F64) -> F64:
    return _blend(
        face,
        [
            [(48, 0.95), (4, 0.05)],
            [(49, 0.6), (31, 0.4)],
            [(51, 0.5), (33, 0.5)],
            [(53, 0.6), (35, 0.4)],
            [(54, 0.95), (12, 0.05)],
            [(52, 1.0)],
            [(50, 1.0)],
        ],
    )


def head(c: dict[str, F64], d: Draws) -> dict[str, F64]:
    """Face outline, hair in front of and behind it, scarf, cap brim, locks."""
    face, line = c["face"], smooth(c["hairline"], 3, closed=False)
    rim = _join(c["skull_l"], c["top"], c["skull_r"][:, ::-1])
    outer = _join(c["hair_l"], c["top"], c["hair_r"][:, ::-1])
    inset = face[:, 27:28] + (_join(face[:, 0:17], rim[:, :2], rim[:, -2:]) - face[:, 27:28]) * 0.93
    down = (face[:, 8] - face[:, 27])[:, None]
    locks = {}
    for side, ear, k in (("r", 0, 0), ("l", 16, -1)):
        out = (face[:, ear] - face[:, 16 - ear])[:, None]
        inner = _join(c["hairline"][:, [k]], face[:, [ear]] - out * 0.03, face[:, [ear]] + down * 0.75 + out * 0.02)
        reach = d.uniform(f"lock_{side}", 0.06, 0.3)[:, None, None]
        locks[f"lock_{side}"] = _join(
            inner, inner[:, ::-1] + out * reach + down * np.array([0.1, 0.0, -0.1])[None, :, None]
        )
    drop = (c["hairline"][:, 4] - c["top"][:, 0])[:, None] * d.uniform("brim", 0.12, 0.35)[:, None, None]
    brim = c["hairline"][:, 1:8]
    return {
        "skin": smooth(_join(face[:, 0:17], rim), 2, closed=True),
        "fringe": _join(line, outer),
        "cranium": c["cranium"],
        "body": c["body"],
        "ear_r": c["ear_r"],
        "ear_l": c["ear_l"],
        "scarf_inner": smooth(inset, 2, closed=True),
        "scarf_outer": _join(c["cranium"][:, 10:], c["cranium"][:, :1], c["body"][:, [5]], c["body"][:, [2]]),
        "brim": _join(brim, brim[:, ::-1] + drop),
        "streaks": _streaks(c["hairline"], outer[:, ::-1], d),
    } | locks


def _streaks(hairline: F64, outer: F64, d: Draws) -> F64:
    """(N, 16, 2): eight strands, as pairs of ends, across the hair between the hairline and its outer edge."""
    t = d.uniforms("streaks", 24).reshape(len(d), 8, 3, 1)
    low = hairline[:, :8] + (hairline[:, 1:9] - hairline[:, :8]) * t[:, :, 0]
    high = outer[:, :8] + (outer[:, 1:9] - outer[:, :8]) * t[:, :, 0]
    low, high = low + (high - low) * 0.4 * t[:, :, 1], high + (low - high) * 0.5 * t[:, :, 2]
    return np.stack([low, high], axis=2).reshape(len(d), 16, 2)


def outlines(c: Controls, d: Draws) -> dict[str, F64]:
    """Every outline of the head, by name, (N, P, 2) pixels of the 96-pixel picture."""
    face = c.points["face"]
    names = ("iris_r", "iris_l", "pupil_r", "pupil_l", "lens_r", "lens_l", "bow_r", "bow_l")
    out = {name: c.points[name] for name in names}
    out |= eyes(face) | nose(face) | cheeks(face) | beard(face) | head(c.points, d)
    out |= brows(face, d.uniform("brow_thick", 0.05, 0.16)) | mouth(face, d.uniform("teeth", 0.25, 0.8))
    out["neck"] = c.points["body"][:, [0, 1, 6, 7]]
    for side in ("r", "l"):
        lens = out[f"lens_{side}"]
        out[f"glare_{side}"] = lens[:, [9, 10, 12, 13]] * 0.8 + lens[:, [1, 2, 4, 5]] * 0.2
    out["bridge_bar"] = np.stack([out["lens_r"][:, 0], out["lens_l"][:, 8]], axis=1)
    return out


def fixed(points: F64, size: int, bits: int) -> NDArray[np.int32]:
    """96-pixel coordinates → those of a `size`-pixel picture (p′ = (p + ½)·s − ½), rounded to 2^−bits pixels."""
    scaled = (points + 0.5) * (size / 96.0) - 0.5
    limit = 6.0 * size
    return np.floor(np.clip(scaled, -limit, limit) * float(1 << bits) + 0.5).astype(np.int32)
