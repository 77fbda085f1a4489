"""Cutting faces out the way Kaggle's pictures are framed.

Weights are rounded to whole multiples of 2⁻¹² and all sums are exact in float64, so that one frame gives the same bytes
on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.hashing import unit_hash
from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.schemes import FACE68

CROP_VERSION = 1
SIZE = 96
PUPILS = 36.0
"""Distance between the eye centres in the crop, px; less where the face's width sets the scale (profiles)."""
WIDTH_SHARE = 0.42
EYES = (48.3, 37.8)
"""Where the middle between the eyes goes, px."""
JITTER_SHIFT, JITTER_SIDE = 3.0, 0.06
_ONE = 4096

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Framing:
    """Crop coordinates of a native position: p' = scale · p + shift."""

    scale: float
    shift: tuple[float, float]

    def map(self, points: FloatArray) -> FloatArray:
        """Native points (K, 2) in crop pixels."""
        mapped: F64 = points.astype(np.float64) * self.scale + np.array(self.shift)
        return mapped.astype(np.float32)


def framing(points: FloatArray, name: str) -> Framing:
    """Where a face is cut: side = 96 · max(inter-pupil distance, 0.42 · width of the points) / 36 native pixels.

    Args:
        points: (68, 2) native pixels.
        name: the sample's id; its hash moves the crop by up to ±3 px and changes its side by up to ±6 %.
    """
    wide = points.astype(np.float64)
    right, left = (wide[list(end)].mean(axis=0) for end in FACE68.normalisers["inter_pupil"])
    gap = float(np.sqrt(((left - right) ** 2).sum()))
    width = float(wide[:, 0].max() - wide[:, 0].min())
    side = SIZE * max(gap, WIDTH_SHARE * width, 1.0) / PUPILS
    side *= 1 + JITTER_SIDE * _draw(name, "side")
    scale = SIZE / side
    middle = (left + right) / 2
    at_x = EYES[0] + JITTER_SHIFT * _draw(name, "x")
    at_y = EYES[1] + JITTER_SHIFT * _draw(name, "y")
    return Framing(scale, (at_x - scale * float(middle[0]), at_y - scale * float(middle[1])))


def _draw(name: str, what: str) -> float:
    return 2 * unit_hash("youtube15-crop", name, what) - 1


def cut(frame: ByteArray, place: Framing) -> ByteArray:
    """The crop (96, 96) uint8 of an RGB frame (H, W, 3).

    Resampling: a triangle filter as wide as an output pixel when shrinking (no aliasing), linear interpolation when
    enlarging. Beyond the frame its edge pixels go on: black borders would tell where the frame ended.
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    rows, first_row = _weights(place.scale, place.shift[1], frame.shape[0])
    columns, first_column = _weights(place.scale, place.shift[0], frame.shape[1])
    part = grey[first_row : first_row + rows.shape[1], first_column : first_column + columns.shape[1]]
    total = rows @ part.astype(np.float64) @ columns.T  # whole numbers below 2⁵³: exact in any order of summation
    rounded = np.floor((total + _ONE * _ONE / 2) / (_ONE * _ONE))
    crop: ByteArray = rounded.astype(np.uint8)
    return crop


def _weights(scale: float, shift: float, length: int) -> tuple[F64, int]:
    """Weights (96, M), whole numbers with rows that sum to 4096, and the first source pixel that they belong to."""
    centres = (np.arange(SIZE) - shift) / scale
    reach = max(1.0, 1.0 / scale)
    low, high = int(np.floor(centres[0] - reach)), int(np.ceil(centres[-1] + reach))
    positions = np.arange(low, high + 1)
    weights = np.maximum(0.0, 1.0 - np.abs(positions - centres[:, None]) / reach)
    whole = np.floor(weights / weights.sum(axis=1, keepdims=True) * _ONE + 0.5)
    peak = whole.argmax(axis=1)
    whole[np.arange(SIZE), peak] += _ONE - whole.sum(axis=1)
    inside = np.clip(positions, 0, length - 1)
    first, last = int(inside[0]), int(inside[-1])
    folded = np.zeros((SIZE, last - first + 1))
    for column, weight in zip(inside - first, whole.T, strict=True):
        folded[:, column] += weight
    return folded, first
