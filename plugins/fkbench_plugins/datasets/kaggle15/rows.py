"""What the labels of a row say about it: its kind, its label convention, and whether they are Kaggle's."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import FloatArray
from fkbench.schemes import FACE15

OFFICIAL_ROWS = 7049
OFFICIAL_LABELS = "7c7c98fac80334ce28b9e516c9c5b31021212852e3e9ae744dbc24e248f59c2d"
"""`label_hash` of Kaggle's training table."""
FOUR = tuple(
    FACE15.points.index(name) for name in ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip")
)
"""Most of Kaggle's rows carry only these points, set by another convention than the rows with all fifteen."""

F64 = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]


def label_hash(values: F64) -> str:
    """SHA-256 of the labels (N, 30), each round(10 000 · v) as little-endian int32, missing = −2³¹."""
    missing = np.isnan(values)
    whole = np.rint(np.where(missing, 0.0, values) * 10_000).astype("<i4")
    whole[missing] = np.iinfo(np.int32).min
    return hashlib.sha256(whole.tobytes()).hexdigest()


def complete_points(points: FloatArray) -> Mask:
    """(N, K): both coordinates of points (N, K, 2) are there."""
    found: Mask = np.isfinite(points[..., 0]) & np.isfinite(points[..., 1])
    return found


def kinds(valid: Mask) -> Texts:
    """`complete` (all points), `four` (exactly the four), or `other`, from which points (N, 15) are labelled."""
    four = np.zeros(valid.shape[1], bool)
    four[list(FOUR)] = True
    exactly = (valid == four).all(axis=1)
    return np.where(valid.all(axis=1), "complete", np.where(exactly, "four", "other"))


def conventions(valid: Mask) -> Texts:
    """`four` for rows that label nothing beyond the four points, else `full`."""
    beyond = valid.copy()
    beyond[:, list(FOUR)] = False
    return np.where(beyond.any(axis=1), "full", "four")
