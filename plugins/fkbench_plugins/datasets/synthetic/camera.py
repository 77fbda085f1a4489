"""What the camera does to the picture: blur, coarse resolution, exposure, noise. Whole-number arithmetic throughout."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .draws import Draws
from .geometry import F64

Picture = NDArray[np.uint8]


def box_blur(picture: Picture, radius: int) -> Picture:
    """Mean over (2·radius + 1)² pixels, rounded down, exactly."""
    side = 2 * radius + 1
    sums = cv2.boxFilter(picture, cv2.CV_32S, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE)
    return np.asarray((sums // (side * side)).astype(np.uint8))


def _coarsen(picture: Picture, cell: int) -> Picture:
    """The picture as from a sensor `cell` times coarser, enlarged again with straight interpolation."""
    size = len(picture)
    few = size // cell
    small = picture[: few * cell, : few * cell].reshape(few, cell, few, cell).astype(np.uint32)
    mean = (small.sum(axis=(1, 3)) // (cell * cell)).astype(np.uint8)
    return np.asarray(cv2.resize(mean, (size, size), interpolation=cv2.INTER_LINEAR_EXACT), dtype=np.uint8)


def response(f: dict[str, F64]) -> Picture:
    """(N, 256) tone curves: gain about mid grey, exposure, and a bend in place of gamma (a square, not a power)."""
    x = np.arange(256) / 255.0
    bend = f["exposure"][:, None] * 2.0
    curve = x + bend * x * (1.0 - x)
    level = (0.5 + (curve - 0.5) * f["gain"][:, None] + f["exposure"][:, None] * 0.25) * 255.0
    return np.asarray(np.clip(np.floor(level), 0, 255).astype(np.uint8))


def expose(pictures: Picture, f: dict[str, F64], d: Draws) -> None:
    """Degrades (N, S, S) pictures in place."""
    size = pictures.shape[1]
    curves = response(f)
    grain = d.bits("grain", size * size // 8 + 1).astype("<u8").view(np.uint8).reshape(len(d), -1)[:, : size * size]
    # Uniform noise in quarters of a grey level: ±√3 standard deviations, at most 128·104 in 16 bits.
    half = np.floor(f["noise"] * (1.7320508 * 4)).astype(np.int16)
    for i, picture in enumerate(pictures):
        seen = _focus(picture, int(f["blur"][i]))
        if f["coarse"][i]:
            seen = _coarsen(seen, max(2, round((1 + int(f["coarse"][i])) * size / 96)))
        seen = np.asarray(cv2.LUT(seen, curves[i]), dtype=np.uint8)
        noise = (grain[i].view(np.int8).astype(np.int16) * half[i] >> 9).reshape(size, size)
        cv2.add(seen, noise, dst=picture, dtype=cv2.CV_8U)


def _focus(picture: Picture, level: int) -> Picture:
    """0 sharp, 1 one box blur, 2 and 3 two box blurs (nearly a Gaussian), in proportion to the picture's size."""
    if level == 0:
        return picture
    radius = max(1, round(max(level - 1, 1) * len(picture) / 96))
    for _ in range(1 if level == 1 else 2):
        picture = box_blur(picture, radius)
    return picture
