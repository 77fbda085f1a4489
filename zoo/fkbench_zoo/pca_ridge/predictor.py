"""Ridge regression on principal components."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

PENALTIES = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
Array = npt.NDArray[Any]


class PcaRidge:
    """Views → standardised small pictures → principal components → points."""

    def __init__(self, components: int, side: int) -> None:
        self.components = components
        self.side = side
        self.arrays: dict[str, Array] = {}

    def _pixels(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(N, side²) float32, each picture with mean 0 and deviation 1."""
        grey = images.mean(axis=1).astype(np.uint8) if images.shape[1] > 1 else images[:, 0]
        small = np.stack([cv2.resize(g, (self.side, self.side), interpolation=cv2.INTER_AREA) for g in grey])
        flat = small.reshape(len(small), -1).astype(np.float32)
        flat -= flat.mean(axis=1, keepdims=True)
        return np.asarray(flat / (flat.std(axis=1, keepdims=True) + 1.0), np.float32)

    def fit(self, images: npt.NDArray[np.uint8], points: Array, valid: npt.NDArray[np.bool_]) -> None:
        """images (N, C, R, R), points (N, K, 2) view pixels, valid (N, K)."""
        from sklearn.decomposition import PCA

        pixels = self._pixels(images)
        count = min(self.components, len(pixels) - 1, pixels.shape[1])
        pca = PCA(count, svd_solver="randomized", random_state=0).fit(pixels)
        parts = pca.transform(pixels)
        weights, offsets = _ridge(parts, points.astype(np.float64), valid)
        self.arrays = {
            "pixel_mean": pca.mean_.astype(np.float32),
            "axes": pca.components_.astype(np.float32),
            "weights": weights.astype(np.float32),
            "offsets": offsets.astype(np.float32),
        }

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        parts = (self._pixels(images) - self.arrays["pixel_mean"]) @ self.arrays["axes"].T
        flat = parts @ self.arrays["weights"] + self.arrays["offsets"]
        return np.asarray(flat, np.float32).reshape(len(images), -1, 2)

    def state(self) -> dict[str, Array]:
        return self.arrays

    def restore(self, state: dict[str, Array]) -> None:
        self.arrays = state


def _ridge(parts: Array, points: Array, valid: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Weights (P, 2K) and offsets (2K,). Points with the same labelled rows are fitted together."""
    from sklearn.linear_model import RidgeCV

    count = points.shape[1]
    weights, offsets = np.zeros((parts.shape[1], 2 * count)), np.zeros(2 * count)
    masks, which = np.unique(valid.T, axis=0, return_inverse=True)
    for index, mask in enumerate(masks):
        chosen = np.flatnonzero(which.reshape(-1) == index)
        columns = np.stack([2 * chosen, 2 * chosen + 1], axis=1).reshape(-1)
        if mask.sum() < 4:
            continue
        target = points[mask][:, chosen].reshape(int(mask.sum()), -1)
        ridge = RidgeCV(alphas=PENALTIES, cv=3).fit(parts[mask], target)
        weights[:, columns] = ridge.coef_.reshape(len(columns), -1).T
        offsets[columns] = ridge.intercept_
    return weights, offsets


def build(components: int, side: int) -> PcaRidge:
    """An unfitted predictor."""
    return PcaRidge(components, side)
