"""Near-duplicate pictures, by one versioned rule, so that no split puts the same photograph on both sides."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.progress import listener
from fkbench.datasets.samples import ByteArray, FloatArray, Frames, IntArray

DUPLICATE_RULE_VERSION = 1
SIDE = 24
THRESHOLD = 0.96
_BLOCK = 1024


def find_duplicates(frames: Frames) -> IntArray:
    """Pairs of pictures that are nearly the same.

    Args:
        frames: N pictures of any sizes, grey or colour.

    Returns:
        (P, 2) indices i < j, sorted.
    """
    vectors = thumbnails(frames)
    report = listener()
    found: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        similar = block @ vectors[start:].T
        rows, columns = np.nonzero(similar >= THRESHOLD)
        upper = columns > rows
        found.append(np.column_stack([rows[upper], columns[upper]]) + start)
        report("Near-duplicates", min(start + _BLOCK, len(vectors)), len(vectors))
    pairs = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    return pairs.astype(np.int64)


def thumbnails(frames: Frames) -> FloatArray:
    """(N, SIDE²) grey thumbnails of zero mean and unit length: their products are correlations.

    A picture without any structure becomes a zero vector, which is similar to nothing.
    """
    vectors = np.empty((len(frames), SIDE * SIDE), np.float32)
    for index in range(len(frames)):
        small = cv2.resize(_grey(frames[index]), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        vectors[index] = small.reshape(-1)
    vectors -= vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 1.0)
    vectors[lengths[:, 0] <= 1.0] = 0.0
    return vectors


def components(pairs: IntArray, count: int) -> IntArray:
    """Connected components: for each of `count` pictures the smallest index that it is joined to, directly or not."""
    label = list(range(count))

    def root(index: int) -> int:
        while label[index] != index:
            label[index] = label[label[index]]
            index = label[index]
        return index

    for first, second in pairs.tolist():
        low, high = sorted((root(first), root(second)))
        label[high] = low
    return np.array([root(index) for index in range(count)], np.int64)


def _grey(picture: ByteArray) -> ByteArray:
    if picture.shape[2] == 1:
        return picture[:, :, 0]
    grey: ByteArray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    return grey
