"""Which squares a run's model was trained on, told from what the run itself has kept, and how to look there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fkbench.datasets.boxes import reference_squares
from fkbench.datasets.samples import FloatArray
from fkbench.detect.found import BoxArray
from fkbench.errors import FkbenchError
from fkbench.records import PREDICTIONS_FILE, read_arrays
from fkbench.specs import DetectorSpec

if TYPE_CHECKING:
    from fkbench.runner.loading import LoadedRun

Look = Callable[[BoxArray], FloatArray]
"""Squares (M, 4) → points (M, K, 2) that the model sees in them."""

REFERENCE = (1.0, 0.0, 0.0)
LOOKS = 2
"""Looks before the last one: each begins where the points of the one before lie."""


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
            return np.array(REFERENCE)
        points = read_arrays(Path(run.record.path) / PREDICTIONS_FILE)[0]["points"]
    except (FkbenchError, OSError, KeyError):
        return None
    return relation_in_frames(np.asarray(points, np.float32))


def relation_in_frames(points: np.ndarray) -> BoxArray | None:
    """The same for points (N, K, 2) in pixels of frames of unknown sizes, of which they fill the most part.

    Frames begin at 0, and faces stand in their middle from left to right: so they are twice as wide as the middle of
    the face is far from their left border. Taken to be square. None: too few faces.
    """
    known = points[np.isfinite(points).all(axis=(1, 2))]
    squares = reference_squares(known) if len(known) else np.zeros((0, 4))
    centre, side = squares[:, :2] + squares[:, 2:] / 2, np.maximum(squares[:, 2], 1e-6)
    inside = centre[:, 0] > 0
    if not inside.any():
        return None
    scale = float(np.median((2 * centre[:, 0] / side)[inside]))
    return np.array([scale, 0.0, float(np.median(((centre[:, 0] - centre[:, 1]) / side)[inside]))])


def on_reference_squares(relation: BoxArray | None) -> bool:
    """Whether this is the relation of a run that was trained on reference squares."""
    return relation is not None and bool((relation == REFERENCE).all())


def placed(relation: BoxArray, references: BoxArray) -> BoxArray:
    """(M, 4) squares that stand to reference squares (M, 4) as the relation (3,) says."""
    side = relation[0] * references[:, 2:3]
    centre = references[:, :2] + references[:, 2:] / 2 + relation[1:] * references[:, 2:3]
    return np.column_stack([centre - side / 2, side, side])


def settled(look: Look, squares: BoxArray, relation: BoxArray | None) -> BoxArray:
    """Squares (M, 4) of faces moved to what the model was trained on.

    A corrected box is a reference square: a model that was trained on those sees it as it is. For others it is only
    where to begin: they are cut where the points that the model finds in it lie, and once more where those lie. A model
    errs more on other crops than those that it was trained on: docs/detectors.md has what this changes.

    Args:
        relation: of the run; None: not known, nothing is moved.
    """
    if relation is None or not len(squares) or on_reference_squares(relation):
        return squares
    moved = np.array(squares, np.float64)
    for _ in range(LOOKS):
        points = np.asarray(look(moved), np.float32)
        known = np.isfinite(points).all(axis=(1, 2))
        if known.any():
            moved[known] = placed(relation, reference_squares(points[known]))
    return moved
