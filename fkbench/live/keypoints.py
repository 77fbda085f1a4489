"""A run's model on the faces of one picture, in one batch, without touching the rest of the picture.

Gives what `LoadedRun.predict_squares` gives; that one blurs and converts the whole picture once per face, which is
most of the time of a live picture.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from fkbench.datasets.samples import ByteArray, FloatArray, Frames
from fkbench.datasets.views import apply_affine, make_views
from fkbench.detect.found import BoxArray
from fkbench.runner.loading import LoadedRun


def predict_in(run: LoadedRun, picture: ByteArray, squares: BoxArray) -> FloatArray:
    """Points of several faces of one picture.

    Args:
        picture: (H, W, 3) BGR.
        squares: (M, 4) in its pixels; they may leave it.

    Returns:
        (M, K, 2) float32, x then y in its pixels, centres at integers.
    """
    if not len(squares):
        return np.zeros((0, len(run.scheme.points), 2), np.float32)
    channels, size = run.model.input
    corners, crops = [], []
    for square in squares:
        left, top, right, bottom = region(square, size, picture.shape)
        corners.append((left, top))
        crops.append(_coloured(picture[top:bottom, left:right], channels))
    moved = squares.astype(np.float64)
    shift = np.array(corners, np.float64)
    moved[:, :2] -= shift
    views = make_views(Frames.pack(crops), moved, size, channels)
    points = apply_affine(views.to_native, run.predictor.predict(views.images))
    return np.asarray(points + shift[:, None], np.float32)


def region(square: BoxArray, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels that a view of a square (4,) is made from, one at least.

    The margin is that of the blur before shrinking (three standard deviations) and of the bilinear sampling.
    """
    scale = float(square[2]) / size
    margin = math.ceil(1.5 * math.sqrt(max(scale * scale - 1.0, 0.0))) + 3
    limits = (shape[1], shape[0])
    low = [min(max(math.floor(square[i]) - margin, 0), limits[i] - 1) for i in (0, 1)]
    high = [min(max(math.ceil(square[i] + square[2]) + margin, low[i] + 1), limits[i]) for i in (0, 1)]
    return low[0], low[1], high[0], high[1]


def _coloured(crop: ByteArray, channels: int) -> ByteArray:
    code = cv2.COLOR_BGR2GRAY if channels == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(crop, code), np.uint8)
