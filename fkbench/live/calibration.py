"""Which squares a run's model was trained on, told from what the run itself has kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fkbench.datasets.boxes import reference_squares
from fkbench.detect.found import BoxArray
from fkbench.errors import FkbenchError
from fkbench.records import read_arrays
from fkbench.runner.loading import LoadedRun
from fkbench.specs import DetectorSpec


def trained_relation(run: LoadedRun) -> BoxArray | None:
    """What a square of the run's training views is to the reference square of its points.

    A run whose boxes come from labels, or from a detector (corrected), was trained on reference squares. One that saw
    whole frames was trained on frames in which faces lie as its predictions of the test part do: above or below the
    middle, and so large.

    Returns:
        (3,) side over the reference square's side, and the way between the centres, x and y, in sides of the latter;
        None: not known.
    """
    try:
        spec = run.registry.get(DetectorSpec, run.record.box)
        if spec.needs_labels or spec.find is not None:
            return np.array([1.0, 0.0, 0.0])
        points = read_arrays(Path(run.record.path) / "predictions.safetensors")[0]["points"]
    except (FkbenchError, OSError, KeyError):
        return None
    return relation_in_frames(np.asarray(points, np.float32))


def relation_in_frames(points: np.ndarray) -> BoxArray | None:
    """The same for points (N, K, 2) in pixels of frames of unknown size, of which they fill the most part.

    Frames begin at 0, and faces stand in their middle from left to right: so they are twice as wide as the middle of
    the faces is far from their left border. Taken to be square. None: too few faces.
    """
    known = points[np.isfinite(points).all(axis=(1, 2))]
    if not len(known):
        return None
    squares = reference_squares(known)
    centre = squares[:, :2] + squares[:, 2:] / 2
    width = 2 * float(np.median(centre[:, 0]))
    if width <= 0:
        return None
    side = np.maximum(squares[:, 2], 1e-6)
    return np.array([float(np.median(width / side)), 0.0, float(np.median((width / 2 - centre[:, 1]) / side))])
