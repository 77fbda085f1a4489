"""Boxes: which part of a frame a model sees. Detectors, labels and the whole frame all go through here.

A box is (x, y, w, h) in native pixels in continuous picture coordinates, where pixel i covers [i, i + 1): the whole
frame is (0, 0, W, H), and a keypoint at pixel centre p lies at p + ½.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.hashing import unit_hash
from fkbench.datasets.samples import FloatArray, IntArray, Samples
from fkbench.datasets.store import Store
from fkbench.errors import FkbenchError
from fkbench.registry import Registry
from fkbench.specs import DatasetSpec, DetectorSpec, resolve

BoxArray = npt.NDArray[np.float64]
TRUTH_SIDE = 1.25
"""Side of the reference square over the longer side of the points' bounding box."""


def reference_squares(points: FloatArray) -> BoxArray:
    """The unjittered `truth` square of each face: centre of the points' bounding box, side 1.25 × its longer side.

    Args:
        points: (N, K, 2) native pixels, NaN where missing.

    Returns:
        (N, 4) boxes; NaN for a face without points.
    """
    low, high = np.nanmin(points, axis=1).astype(np.float64), np.nanmax(points, axis=1).astype(np.float64)
    centre = (low + high) / 2 + 0.5
    side = TRUTH_SIDE * np.maximum((high - low).max(axis=1), 1.0)
    return np.column_stack([centre - side[:, None] / 2, side, side])


def squared(boxes: BoxArray) -> BoxArray:
    """The smallest square around each box, about the same centre."""
    side = boxes[:, 2:].max(axis=1)
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    return np.column_stack([centre - side[:, None] / 2, side, side])


def jittered(boxes: BoxArray, ids: tuple[str, ...], amount: float) -> BoxArray:
    """Each square moved and resized by up to ± `amount` of its side, by a hash of the id: no detector is exact."""
    if amount == 0:
        return boxes
    draws = np.array([[2 * unit_hash("box-jitter", name, axis) - 1 for axis in "xys"] for name in ids])
    side = boxes[:, 2] * (1 + amount * draws[:, 2])
    centre = boxes[:, :2] + boxes[:, 2:] / 2 + amount * draws[:, :2] * boxes[:, 2:3]
    return np.column_stack([centre - side[:, None] / 2, side, side])


def check_box(spec: DatasetSpec, registry: Registry, box: str) -> DetectorSpec:
    """The source of boxes of this name, if the dataset allows it.

    Raises:
        FkbenchError: unknown, or the dataset's pictures are face crops already.
    """
    detector = registry.get(DetectorSpec, box)
    if box not in spec.boxes and not spec.any_box:
        raise FkbenchError(
            f"{spec.name} cannot use the box '{box}': its pictures are face crops already.",
            f"Use --box {' or '.join(spec.boxes)}, or leave --box out.",
        )
    return detector


def find_boxes(
    detector: DetectorSpec,
    samples: Samples,
    settings: Mapping[str, Any],
    store: Store | None = None,
    rows: Sequence[int] | None = None,
) -> tuple[BoxArray, np.ndarray]:
    """Square boxes of all samples, from a detector or an oracle, and which faces were missed (these get the frame).

    A detector's box is that of the picture's main face (`fkbench.detect.main_face`), corrected onto the reference
    square.

    Args:
        settings: of the detector, as resolved.
        store: the data folder, where a detector's answers and own corrections are kept; None: they are not.
        rows: a detector searches only these pictures; the boxes of the others stay NaN. None: all.

    Returns:
        boxes (N, 4) and missed (N,) bool.

    Raises:
        FkbenchError: the detector cannot be used here, or gives other boxes than it must.
    """
    known = np.arange(len(samples)) if rows is None or not detector.find else np.asarray(rows, np.int64)
    if detector.find:
        boxes = _searched(detector, samples, settings, store, known)
    else:
        boxes = _made(detector, samples, settings)
    missed = np.zeros(len(samples), np.bool_)
    missed[known] = ~np.isfinite(boxes[known]).all(axis=1)
    boxes[missed] = whole_frames(samples)[missed]
    return squared(boxes), missed


def _searched(
    detector: DetectorSpec, samples: Samples, settings: Mapping[str, Any], store: Store | None, rows: IntArray
) -> BoxArray:
    from fkbench.detect import open_detector
    from fkbench.detect.finding import find_all, main_boxes

    opened = open_detector(detector, settings, store)
    key = {"fingerprint": samples.fingerprint}
    boxes = np.full((len(samples), 4), np.nan)
    found = find_all(opened, samples.frames, rows.tolist(), key, store if samples.fingerprint else None)
    boxes[rows] = main_boxes(opened, found)
    return boxes


def _made(detector: DetectorSpec, samples: Samples, settings: Mapping[str, Any]) -> BoxArray:
    if detector.boxes is None:
        raise FkbenchError(f"'{detector.name}' has neither `find` nor `boxes`.", "See docs/write-a-detector.md.")
    boxes = np.array(resolve(detector.boxes)(samples, dict(settings)), np.float64)
    if boxes.shape != (len(samples), 4):
        raise FkbenchError(
            f"The detector '{detector.name}' gave boxes of shape {boxes.shape} for {len(samples)} pictures.",
            "It must give one (x, y, w, h) per picture, NaN where it finds no face.",
        )
    return boxes


def whole_frames(samples: Samples) -> BoxArray:
    """The whole frame of each sample, (N, 4)."""
    shapes = samples.frames.shapes
    return np.column_stack([np.zeros((len(shapes), 2)), shapes[:, 1], shapes[:, 0]]).astype(np.float64)
