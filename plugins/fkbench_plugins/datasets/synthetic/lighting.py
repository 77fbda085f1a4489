"""Light on the head: an ellipsoid lit from one side, and the facets of nose, cheeks, sockets, lips and chin on it.

Light is worked out on a fixed grid of 48×48 whatever the picture's size, and enlarged; 128 leaves a tone as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import F64
from .pose import Framing, Pose

F32 = NDArray[np.float32]

GRID = 48
_AT_ONCE = 32
BITS = 4
_RADII = (80.0, 118.0, 84.0)
_CENTRE = (0.0, 22.0, -60.0)
FACETS: dict[str, tuple[float, float, float, float]] = {
    "socket_r": (-0.25, 0.45, 0.86, 0.86), "socket_l": (0.25, 0.45, 0.86, 0.86),
    "cheek_r": (-0.42, -0.25, 0.87, 1.04), "cheek_l": (0.42, -0.25, 0.87, 1.04),
    "hollow_r": (-0.6, 0.35, 0.72, 0.94), "hollow_l": (0.6, 0.35, 0.72, 0.94),
    "facet_r": (-0.8, -0.05, 0.6, 1.0), "facet_l": (0.8, -0.05, 0.6, 1.0),
    "nose_under": (0.0, 0.85, 0.52, 0.8), "tip": (0.0, -0.2, 0.98, 1.18),
    "philtrum": (0.0, 0.3, 0.95, 0.93), "under_lip": (0.0, 0.8, 0.6, 0.84), "chin_ball": (0.0, 0.1, 0.99, 1.06),
}  # fmt: skip
"""Outline → its normal in head coordinates and a factor for what its hollow keeps from the sky; drawn in this order."""
COVERED = ("cranium", "ear_r", "ear_l", "skin", "fringe")


def direction(f: dict[str, F64]) -> F64:
    """(N, 3) unit vector towards the light, camera axes."""
    x, y = f["light"] * (0.35 + 0.9 * f["contrast"]), f["light_height"]
    z = np.full_like(x, 0.85)
    length = np.sqrt(x * x + y * y + z * z)
    return np.stack([x / length, y / length, z / length], axis=-1)


def facet_levels(pose: Pose, light: F64, f: dict[str, F64]) -> list[list[int]]:
    """N lists of the facets' levels (128 neutral) in the order of FACETS."""
    table = np.array(list(FACETS.values()))
    normals = np.broadcast_to(np.concatenate([table[:, :3], [[0.0, -0.1, 1.0]]]), (len(light), len(table) + 1, 3))
    turned = pose.tilted(pose.yawed(np.asarray(normals)))
    facing = (
        turned[..., 0] * light[:, None, 0] + turned[..., 1] * light[:, None, 1] + turned[..., 2] * light[:, None, 2]
    )
    relief = facing[:, :-1] - facing[:, -1:]
    level = 128.0 * table[:, 3] * (1.0 + (0.35 + 0.4 * f["contrast"])[:, None] * relief)
    out: list[list[int]] = np.clip(np.floor(level), 20, 255).astype(np.int64).tolist()
    return out


def _quadric(pose: Pose) -> list[F64]:
    """The ellipsoid's matrix in camera axes: q11, q12, q13, q22, q23, q33, each (N,)."""
    axes = pose.tilted(pose.yawed(np.broadcast_to(np.eye(3), (len(pose.yaw), 3, 3))))
    out = []
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        total = np.zeros(len(pose.yaw))
        for k, radius in enumerate(_RADII):
            total = total + axes[:, k, i] * axes[:, k, j] / (radius * radius)
        out.append(total)
    return out


def ellipsoid(pose: Pose, framing: Framing, light: F64, f: dict[str, F64]) -> NDArray[np.uint8]:
    """(N, 48, 48) light on the head taken for an ellipsoid; beyond its edge the edge's light goes on."""
    centre = np.broadcast_to(np.array([[_CENTRE]]), (len(light), 1, 3))
    middle = framing.pixels(pose.projected(pose.yawed(centre)))[:, 0]
    pixels = ((np.arange(GRID) + 0.5) * (96.0 / GRID) - 0.5)[None, :]
    x = (pixels - middle[:, 0:1]) / framing.scale[:, None]
    y = (pixels - middle[:, 1:2]) / framing.scale[:, None]
    numbers = [*_quadric(pose), light[:, 0], light[:, 1], light[:, 2], f["ambient"]]
    columns = np.stack(numbers).astype(np.float32)[..., None, None]
    out = np.empty((len(light), GRID, GRID), np.uint8)
    for start in range(0, len(light), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        across, down = x[part].astype(np.float32)[:, None, :], y[part].astype(np.float32)[:, :, None]
        out[part] = _lit(columns[:, part], across, down)
    return out


def _lit(numbers: F32, x: F32, y: F32) -> NDArray[np.uint8]:
    """Levels (n, 48, 48) from ten numbers per face (quadric, light, ambient) and coordinates in mm about its centre."""
    q11, q12, q13, q22, q23, q33, lx, ly, lz, ambient = numbers
    one, two = np.float32(1), np.float32(2)
    b = q13 * x + q23 * y
    inside = b * b - q33 * (((q11 * x * x - one) + q22 * y * y) + (q12 * x * two) * y)
    # On the ellipsoid the normal is Q·(x, y, z), whose last part is the root itself.
    nz = np.sqrt(np.maximum(inside, 0))
    z = (nz - b) / q33
    nx, ny = (q11 * x + q12 * y) + q13 * z, (q12 * x + q22 * y) + q23 * z
    facing = ((nx * lx + ny * ly) + nz * lz) / np.sqrt((nx * nx + ny * ny) + nz * nz)
    level = (ambient + np.float32(1.2) * (one - ambient) * np.maximum(facing, 0)) * np.float32(128)
    return np.asarray(np.clip(level, 0, 255).astype(np.uint8))


def combine(base: NDArray[np.uint8], relief: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Level of light (N, 48, 48): base × softened relief where the head covers the picture, 128 elsewhere."""
    out = np.empty_like(base)
    for start in range(0, len(base), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        soft = relief[part].astype(np.uint16)
        for _ in range(2):
            soft[:, 1:-1] = (soft[:, :-2] + soft[:, 2:] + (soft[:, 1:-1] << 1)) >> 2
            soft[:, :, 1:-1] = (soft[:, :, :-2] + soft[:, :, 2:] + (soft[:, :, 1:-1] << 1)) >> 2
        lit = (np.minimum((base[part] * soft) >> 7, 255)).astype(np.int16)
        lit -= 128
        # 255 must give the whole of the light back, hence the half more: |lit| · 256 still fits into 16 bits.
        lit *= cover[part] + (cover[part] >> 7).astype(np.int16)
        out[part] = (lit >> 8) + 128
    return out
