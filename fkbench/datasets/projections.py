"""Points of one landmark scheme expressed in another."""

from __future__ import annotations

import numpy as np

from fkbench.datasets.samples import FloatArray
from fkbench.errors import FkbenchError
from fkbench.schemes import Scheme


def project(points: FloatArray, scheme: Scheme, target: str) -> FloatArray:
    """Points (N, K, 2) of `scheme` as points (N, K', 2) of the scheme called `target`.

    Each target point is the mean of the points named in `scheme.projections[target]`, in float64; missing if one of
    them is.

    Raises:
        FkbenchError: the scheme has no such projection.
    """
    if target not in scheme.projections:
        known = ", ".join(scheme.projections) or "none"
        raise FkbenchError(f"The scheme {scheme.name} has no projection onto {target}.", f"It has: {known}.")
    wide = points.astype(np.float64)
    parts = [wide[:, list(indices)].mean(axis=1) for indices in scheme.projections[target]]
    return np.stack(parts, axis=1).astype(np.float32)
