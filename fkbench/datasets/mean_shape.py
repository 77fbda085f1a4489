"""The mean shape of a set of faces as a layout of their scheme, for pictures of a scheme that states none."""

from __future__ import annotations

import numpy as np

from fkbench.datasets.samples import FloatArray

REACH = 0.42
"""Greatest distance of a point from the middle of the unit square: within the face that pictures of schemes draw."""


def mean_layout(points: FloatArray) -> tuple[tuple[float, float], ...]:
    """The mean of all faces, each moved and scaled by the bounding box of its labelled points, in the unit square.

    Args:
        points: (N, K, 2) native pixels, y down, NaN where missing. Where any face has all its points, only such faces
            count: a box around a part of a face has another place and size.

    Returns:
        K places (x, y) in [0, 1]; none where a point is labelled in no face.
    """
    known = np.asarray(np.isfinite(points).all(axis=2))
    whole = known.all(axis=1)
    chosen = points[whole] if whole.any() else points[known.sum(axis=1) > 1]
    there = np.asarray(np.isfinite(chosen).all(axis=2))
    if not len(chosen) or not there.any(axis=0).all():
        return ()
    low, high = np.nanmin(chosen, axis=1), np.nanmax(chosen, axis=1)
    side = np.maximum((high - low).max(axis=1), 1.0)
    placed = np.where(there[:, :, None], (chosen - (low + high)[:, None] / 2) / side[:, None, None], 0.0)
    mean = placed.sum(axis=0, dtype=np.float64) / there.sum(axis=0)[:, None]
    mean -= (mean.max(axis=0) + mean.min(axis=0)) / 2
    reach = max(float(np.linalg.norm(mean, axis=1).max()), 1e-6)
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in mean * REACH / reach + 0.5)
