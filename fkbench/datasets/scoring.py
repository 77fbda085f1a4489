"""The scoring frame: in which unit a sample's error is counted. A property of the sample, not of the box used."""

from __future__ import annotations

import numpy as np

from fkbench.datasets.boxes import reference_squares
from fkbench.datasets.samples import FloatArray, Samples
from fkbench.specs import DatasetSpec

FACE_SIDE = 224.0


def scoring_scale(spec: DatasetSpec, samples: Samples) -> FloatArray:
    """Scoring-frame pixels per native pixel, (N,).

    `own`: 1. `face224`: the frame in which the reference square of the true points is 224 px wide, so that rows with
    different boxes are in one unit.
    """
    if spec.scoring == "own":
        return np.ones(len(samples), np.float32)
    return (FACE_SIDE / reference_squares(samples.points)[:, 2]).astype(np.float32)
