"""Copies the points of the nearest training picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Nearest:
    """Nearest by normalised correlation. A missing point is filled with the training mean of that point."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.pixels = np.zeros((0, side * side), np.float32)
        self.points = np.zeros((0, 0, 2), np.float32)

    def _unit(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(N, side²) float32 of mean 0 and length 1."""
        grey = images.mean(axis=1).astype(np.uint8) if images.shape[1] > 1 else images[:, 0]
        small = np.stack([cv2.resize(g, (self.side, self.side), interpolation=cv2.INTER_AREA) for g in grey])
        flat = small.reshape(len(small), -1).astype(np.float32)
        flat -= flat.mean(axis=1, keepdims=True)
        return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6), np.float32)

    def fit(self, images: npt.NDArray[np.uint8], points: Array, valid: npt.NDArray[np.bool_]) -> None:
        """images (N, C, R, R), points (N, K, 2) view pixels, valid (N, K)."""
        self.pixels = self._unit(images)
        known = np.where(valid[:, :, None], points, 0.0)
        mean = known.sum(axis=0) / np.maximum(valid.sum(axis=0)[:, None], 1)
        self.points = np.where(valid[:, :, None], points, mean).astype(np.float32)

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return np.asarray(self.points[np.argmax(self._unit(images) @ self.pixels.T, axis=1)], np.float32)

    def state(self) -> dict[str, Array]:
        return {"pixels": self.pixels, "points": self.points}

    def restore(self, state: dict[str, Array]) -> None:
        self.pixels, self.points = state["pixels"], state["points"]


def build(side: int) -> Nearest:
    """An unfitted predictor."""
    return Nearest(side)
