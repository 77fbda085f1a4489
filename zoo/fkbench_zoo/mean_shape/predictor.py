"""The mean of the training points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class MeanShape:
    """Predicts the same points for every view."""

    def __init__(self) -> None:
        self.mean = np.zeros((0, 2), np.float32)

    def fit(self, images: npt.NDArray[np.uint8], points: npt.NDArray[Any], valid: npt.NDArray[np.bool_]) -> None:
        """images (N, C, R, R), points (N, K, 2) view pixels, valid (N, K)."""
        weight = valid[:, :, None].astype(np.float64)
        total = np.where(valid[:, :, None], points, 0.0).astype(np.float64).sum(axis=0)
        self.mean = (total / np.maximum(weight.sum(axis=0), 1.0)).astype(np.float32)

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return np.repeat(self.mean[None], len(images), axis=0)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self.mean}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self.mean = state["mean"]


def build() -> MeanShape:
    """An unfitted predictor."""
    return MeanShape()
