"""Detector and model as one program: from a picture to the keypoints of its main face, one picture after the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fkbench.datasets.boxes import squared
from fkbench.datasets.samples import ByteArray, FloatArray, Frames
from fkbench.datasets.views import apply_affine, make_views
from fkbench.detect import OpenDetector, main_face, open_detector
from fkbench.detect.found import BoxArray
from fkbench.detect.speed import time_per_picture
from fkbench.runner.calibration import settled
from fkbench.specs import ModelSpec
from fkbench.train.predictors import Predictor

if TYPE_CHECKING:
    from fkbench.runner.inputs import Inputs

KEPT = ("ms", "pictures_per_s", "calls", "quick", "void", "opencv_threads", "others_cores")


def repeated(image: ByteArray, times: int) -> Frames:
    """One picture as several frames, without a copy."""
    shape = (*image.shape[:2], image.shape[2] if image.ndim == 3 else 1)
    start = np.zeros(times, np.int64)
    return Frames(np.ascontiguousarray(image).reshape(-1), start, np.tile(np.array(shape, np.int64), (times, 1)))


def points_in(picture: ByteArray, squares: BoxArray, predictor: Predictor, model: ModelSpec) -> FloatArray:
    """Keypoints (M, K, 2) in native pixels of the faces in squares (M, 4), M ≥ 1, in one batch."""
    channels, size = model.input
    views = make_views(repeated(picture, len(squares)), squares, size, channels)
    return apply_affine(views.to_native, predictor.predict(views.images))


def main_square(detector: OpenDetector, picture: ByteArray) -> tuple[BoxArray, bool]:
    """(1, 4) the corrected square of the main face, and True; where there is none the whole frame's, and False."""
    found = detector.find(picture)
    index = main_face(found)
    if index is None:
        return squared(np.array([[0.0, 0.0, picture.shape[1], picture.shape[0]]])), False
    return detector.squares(found)[index : index + 1], True


def main_points(
    detector: OpenDetector, picture: ByteArray, predictor: Predictor, model: ModelSpec, relation: BoxArray | None
) -> FloatArray:
    """Keypoints (1, K, 2) of a picture's main face, looked for as it is scored; `relation`: as `settled` takes it."""
    square, found = main_square(detector, picture)
    look = partial(points_in, picture, predictor=predictor, model=model)
    return look(settled(look, square, relation) if found else square)


def time_loop(
    predictor: Predictor, model: ModelSpec, inputs: Inputs, *, quick: bool, relation: BoxArray | None = None
) -> dict[str, Any]:
    """Speed of detector and model together on the test frames, see `fkbench.detect.speed`.

    Args:
        relation: of a run that was trained on other squares than these boxes, as `settled` takes it.

    Returns:
        `pictures_per_s` and `ms` end to end, and the conditions that matter to them; `detector_ms` of the detector
        alone, measured right after; `void` where the machine was not quiet in one of the two.
    """
    detector = open_detector(inputs.detector, inputs.box_settings, inputs.store)
    frames, rows = inputs.samples.frames, [int(row) for row in inputs.split.test]

    def whole(picture: ByteArray) -> object:
        return main_points(detector, picture, predictor, model, relation)

    together = time_per_picture(whole, frames, rows, quick=quick)
    alone = time_per_picture(detector.find, frames, rows, quick=quick)
    void = together["void"] or alone["void"]
    return {**{name: together[name] for name in KEPT}, "void": void, "detector_ms": alone["ms"]}
