"""Control points of everything drawn on and around the head, in three dimensions, projected into the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .draws import Draws
from .factors import HAIR
from .geometry import EYE_L, EYE_R, F64
from .pose import Framing, Pose, Ring, cosine, frame, landmarks_yawed, sine


def circle(count: int) -> F64:
    """(count, 2) unit circle as a constant: rounded, so that the C library's last bit cannot matter."""
    angles = [2 * math.pi * k / count for k in range(count)]
    return np.array([(round(math.cos(a), 9), round(math.sin(a), 9)) for a in angles])


_SKULL_Y = np.array([-15.0, -38.0, -60.0, -80.0, -95.0])
_HAIR_Y = np.array([8.0, -25.0, -60.0, -92.0])
_PHI = np.array([-90, -72, -50, -25, 0, 25, 50, 72, 90], dtype=np.float64)
_PHI_SIN = np.array([round(math.sin(math.radians(p)), 9) for p in _PHI])
_PHI_COS = np.array([round(math.cos(math.radians(p)), 9) for p in _PHI])
HAIRLINE: F64 = np.array([
    [-70, -80, -90, -95, -95, -95, -90, -80, -70],
    [8, -30, -58, -70, -73, -70, -58, -30, 8],
    [10, -24, -38, -41, -40, -41, -38, -24, 10],
    [20, -20, -54, -72, -77, -72, -54, -20, 20],
    [12, -32, -54, -63, -65, -63, -54, -32, 12],
    [8, -30, -62, -72, -66, -55, -44, -27, 10],
    [5, -46, -80, -86, -80, -86, -80, -46, 5],
    [-12, -32, -38, -40, -40, -40, -38, -32, -12],
    [5, -30, -48, -56, -58, -56, -48, -30, 5],
], dtype=np.float64)  # fmt: skip
"""(style, 9) height of the hairline at nine places from the subject's right ear to the left, mm above (−) the eyes."""
_VOLUME = np.array([0.0, 8.0, 12.0, 14.0, 26.0, 13.0, 5.0, 7.0, 13.0])


@dataclass(frozen=True)
class Controls:
    """Projected control points: name → (N, P, 2) pixels of the 96-pixel picture; "face" holds the 68 points."""

    points: dict[str, F64]
    framing: Framing


def _skull(y: F64, width: F64, extra: F64 | float) -> tuple[F64, F64, F64]:
    """Half width, depth and centre of the head's section at heights y (mm), widened by `extra`."""
    up = np.minimum(y + 10.0, 0.0)
    half = width * (72.0 - 0.0045 * up * up) + extra
    centre = -50.0 + 0.1 * np.minimum(y, 0.0)
    front = 9.0 - 0.0042 * up * up + extra
    return half, np.maximum(front - centre, 5.0), centre


def _sided(y: F64, side: float, width: F64, extra: F64 | float) -> Ring:
    half, depth, centre = _skull(y, width, extra)
    return Ring(y, half, depth, centre, np.full_like(half, side), np.zeros_like(half))


def _hairline(d: Draws, f: dict[str, F64], width: F64) -> Ring:
    style = f["hair"].astype(np.int64)
    table = HAIRLINE[style]
    flip = d.chance("hair_side", 0.5)
    table = np.where(flip[:, None], table[:, ::-1], table)
    rough = np.where(np.isin(style, [HAIR.index("cap"), HAIR.index("headscarf")]), 0.5, 3.0)
    y = table + d.bell("hairline", 4.0, 9.0)[:, None] + d.bells("hairline_rough", 9) * rough[:, None]
    half, depth, centre = _skull(y, width, 1.0)
    return Ring(y, half, depth, centre, _PHI_SIN, _PHI_COS)


def _ears(points: F64) -> dict[str, F64]:
    """Both ears, 10 points each: plates that stand off the head, hinged a little behind the jaw's top."""
    ring = circle(10)
    ears = {}
    for name, k, side in (("ear_r", 0, -1.0), ("ear_l", 16, 1.0)):
        hinge = points[:, k] + np.array([-side * 1.0, 8.0, -10.0])
        along = (ring[:, 0] + 0.7) * 12.0
        up = ring[:, 1] * (31.0 - 5.0 * (ring[:, 1] > 0))
        plate = np.stack([side * along * 0.62, up, -along * 0.78], axis=-1)
        ears[name] = hinge[:, None] + plate
    return ears


def _eyes(points: F64, f: dict[str, F64]) -> dict[str, F64]:
    """Irises and pupils, 12 points each, looking where the gaze goes."""
    out = {}
    ring = np.concatenate([circle(12), np.zeros((12, 1))], axis=-1)
    for name, eye in (("iris_r", EYE_R), ("iris_l", EYE_L)):
        middle = np.zeros((len(points), 3))
        for k in (0, 3):
            middle = middle + points[:, eye[k]] * 0.5
        gaze = np.stack([f["gaze_x"], f["gaze_y"] - 1.5, np.full_like(f["gaze_x"], 5.0)], axis=-1)
        centre = (middle + gaze)[:, None]
        out[name] = centre + ring * 5.9
        out[name.replace("iris", "pupil")] = centre + ring * 2.7
    return out


def _glasses(points: F64, d: Draws) -> dict[str, F64]:
    """Lenses (16 points each, a rounded shape between circle and box), and the bows back to the ears."""
    ring = circle(16)
    boxy = d.uniform("lens_boxy", 0.0, 0.75)[:, None, None]
    box = np.clip(ring * 1.45, -1.0, 1.0)
    shape = ring * (1.0 - boxy) + box * boxy
    size = np.stack([d.uniform("lens_w", 20.0, 28.0), d.uniform("lens_h", 15.0, 25.0)], axis=-1)
    drop = d.uniform("lens_drop", -1.0, 7.0)
    out = {}
    for name, eye, side in (("lens_r", EYE_R, -1.0), ("lens_l", EYE_L, 1.0)):
        x = points[:, eye[0], 0] * 0.5 + points[:, eye[3], 0] * 0.5 + side * 1.5
        flat = shape * size[:, None]
        y = flat[..., 1] + drop[:, None]
        out[name] = np.stack([x[:, None] + flat[..., 0], y, 13.0 - np.abs(flat[..., 0] + side * 20.0) * 0.12], axis=-1)
        ear = np.stack([side * 76.0 + 0 * x, drop * 0 - 4.0, -58.0 + 0 * x], axis=-1)
        out[name.replace("lens", "bow")] = np.stack([out[name][:, 0 if side > 0 else 8], ear], axis=1)
    return out


def _cranium(pose: Pose, width: F64, volume: F64) -> F64:
    """(N, 20, 3) outline of the back of the head with its hair, already yawed."""
    ring = circle(20)
    s, c = sine(pose.yaw * 0.017453292519943295), cosine(pose.yaw * 0.017453292519943295)
    a, b = width[:, 0] * 75.0 + volume, 97.0 + volume
    half = np.sqrt(a * a * c * c + b * b * s * s)
    x = (-80.0 * s)[:, None] + half[:, None] * ring[:, 0]
    y = -20.0 + (97.0 + volume)[:, None] * ring[:, 1]
    z = (-80.0 * c)[:, None] + 0.0 * x
    return np.stack([x, np.minimum(y, 62.0), z], axis=-1)


def _body(pose: Pose, width: F64) -> F64:
    """(N, 8, 3) neck and shoulders; they follow the head's turn by a third only."""
    half = width[:, 0] * 50.0
    corners = [(-1.0, 40.0, 1), (-1.05, 118.0, 1), (-3.4, 160.0, 1), (-3.6, 330.0, 1)]
    left = [np.stack([half * x, y + 0 * half, -70.0 + 0 * half], axis=-1) for x, y, _ in corners]
    right = [np.stack([-half * x, y + 0 * half, -70.0 + 0 * half], axis=-1) for x, y, _ in corners[::-1]]
    out = np.stack(left + right, axis=1)
    out[..., 0] -= (sine(pose.yaw * 0.017453292519943295) * 45.0)[:, None]
    return out


def build(pose: Pose, points: F64, f: dict[str, F64], d: Draws) -> Controls:
    """Projects the 68 points (N, 68, 3; head coordinates) and everything around them into the 96-pixel picture."""
    width = (points[:, 16:17, 0] - points[:, 0:1, 0]) / 142.0
    volume = _VOLUME[f["hair"].astype(np.int64)] * d.uniform("volume", 0.7, 1.3)
    extra = volume[:, None] + d.bells("hair_bumps", 4) * np.where(f["hair"] == HAIR.index("curly"), 3.0, 0.5)[:, None]
    yawed = {
        "face": landmarks_yawed(pose, points),
        "cranium": _cranium(pose, width, volume),
        "body": _body(pose, width),
    }
    rings = {"hairline": _hairline(d, f, width)}
    for name, side in (("r", -1.0), ("l", 1.0)):
        rings[f"skull_{name}"] = _sided(_SKULL_Y, side, width, 0.0)
        rings[f"hair_{name}"] = _sided(_HAIR_Y, side, width, extra)
    yawed |= {name: pose.ring(ring) for name, ring in rings.items()}
    top = np.stack([0.0 * volume, -108.0 - volume, -60.0 + 0.0 * volume], axis=-1)[:, None]
    solid = {"top": top} | _ears(points) | _eyes(points, f) | _glasses(points, d)
    yawed |= {name: pose.yawed(part) for name, part in solid.items()}
    names = list(yawed)
    plane = pose.projected(np.concatenate([yawed[name] for name in names], axis=1))
    framing = frame(pose, plane[:, :68])
    pixels = framing.pixels(plane)
    edges = np.cumsum([0] + [yawed[name].shape[1] for name in names])
    return Controls({n: pixels[:, a:b] for n, a, b in zip(names, edges[:-1], edges[1:], strict=True)}, framing)
