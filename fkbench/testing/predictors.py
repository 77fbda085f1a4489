"""Checks of predictors: models that fit by themselves, without the training engine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.records import read_arrays, write_arrays
from fkbench.specs import ModelSpec, resolve
from fkbench.testing.findings import Check, NotApplicable, Problem
from fkbench.testing.nets import listed, told

PICTURES = 40
METHODS = ("fit", "predict", "state", "restore")
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Lesson:
    """What a predictor is fitted on: images (N, C, R, R) uint8, points (N, K, 2) NaN where missing, valid (N, K)."""

    images: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PredictorSubject:
    """A spec of a predictor and the settings under which it is checked."""

    spec: ModelSpec
    settings: Mapping[str, Any]

    def build(self) -> Any:
        """A predictor that has not been fitted."""
        with told(f"build({', '.join(self.settings)})", "It is called with the model's settings by name."):
            found = resolve(self.spec.build)(**self.settings)
        lacking = [name for name in METHODS if not callable(getattr(found, name, None))]
        if lacking:
            raise Problem(
                f"The predictor, a {type(found).__name__}, has no {listed(lacking)}.",
                "It needs fit(images, points, valid), predict(images), state() and restore(state).",
            )
        return found

    def lesson(self, *, points: int = 15, channels: int = 0) -> Lesson:
        """Pictures whose points move with a bright spot, a fifth of them missing, one labelled in every picture."""
        channels, size = channels or self.spec.input[0], self.spec.input[1]
        source = np.random.default_rng(0)
        images = source.integers(0, 200, (PICTURES, channels, size, size), dtype=np.uint8)
        centre = source.uniform(0.3, 0.7, (PICTURES, 1, 2)) * size
        for image, (x, y) in zip(images, centre[:, 0].astype(int), strict=True):
            image[:, y - 2 : y + 3, x - 2 : x + 3] = 255
        # Four patterns of missing points: some predictors fit once for each.
        valid = (source.random((PICTURES, 4)) > 0.2)[:, np.arange(points) % 4]
        valid[:, 3] = True
        where = (centre + source.uniform(-0.2, 0.2, (1, points, 2)) * size).astype(np.float32)
        where[~valid] = np.nan
        return Lesson(images, where, valid)

    def fitted(self, lesson: Lesson) -> Any:
        predictor = self.build()
        with told("fit()", "images are (N, C, R, R) uint8, points (N, K, 2) with NaN where `valid` (N, K) is False."):
            predictor.fit(lesson.images.copy(), lesson.points.copy(), lesson.valid.copy())
        return predictor


def predicted(predictor: Any, images: npt.NDArray[np.uint8], points: int) -> Array:
    """Its points for pictures, which must be (N, K, 2) finite numbers.

    Raises:
        Problem: they are anything else.
    """
    with told("predict()", "It is given (N, C, R, R) uint8 pictures."):
        found = np.asarray(predictor.predict(images.copy()))
    wanted = (len(images), points, 2)
    if found.shape != wanted or found.dtype.kind != "f":
        raise Problem(
            f"For {len(images)} pictures of {points} points predict() gives {found.dtype} {found.shape}.",
            f"It must give floats of shape {wanted}: x and y in pixels of the pictures.",
        )
    if not np.isfinite(found).all():
        raise Problem("predict() gives numbers that are not finite.", "Every point needs an answer, also rare ones.")
    return found


def builds(subject: PredictorSubject) -> str:
    lesson = subject.lesson()
    predicted(subject.fitted(lesson), lesson.images, 15)
    return f"Fitted on {PICTURES} pictures with missing points, it gives finite points."


def points(subject: PredictorSubject) -> str:
    lesson = subject.lesson(points=68)
    predicted(subject.fitted(lesson), lesson.images, 68)
    return "15 and 68 points."


def channels(subject: PredictorSubject) -> str:
    for count in (1, 3):
        lesson = subject.lesson(channels=count)
        predicted(subject.fitted(lesson), lesson.images, 15)
    return "Grey pictures and colour pictures."


def missing(subject: PredictorSubject) -> str:
    lesson = subject.lesson()
    filled = Lesson(lesson.images, np.where(lesson.valid[..., None], lesson.points, np.float32(1e4)), lesson.valid)
    one, two = (predicted(_repeated(subject, part), lesson.images, 15) for part in (lesson, filled))
    if not np.allclose(one, two, atol=1e-3):
        raise Problem(
            "The answer depends on what stands in place of missing points.", "Look at `valid` before at `points`."
        )
    return "What stands in place of missing points changes nothing."


def _repeated(subject: PredictorSubject, lesson: Lesson) -> Any:
    np.random.seed(0)
    return subject.fitted(lesson)


def state(subject: PredictorSubject) -> str:
    lesson = subject.lesson()
    fitted = subject.fitted(lesson)
    found = fitted.state()
    odd = [str(name) for name, value in found.items() if not isinstance(value, np.ndarray) or value.dtype.kind in "OUS"]
    if odd:
        raise Problem(
            f"state() holds what is no array of numbers: {listed(odd)}.",
            "Runs keep plain arrays, nothing pickled: turn each value into a numpy array of numbers.",
        )
    with tempfile.TemporaryDirectory() as folder, told("Writing state()", "It must give a dict of numpy arrays."):
        write_arrays(Path(folder) / "state.safetensors", found)
        kept, _ = read_arrays(Path(folder) / "state.safetensors")
    copy = subject.build()
    with told("restore()", "It is given what state() gave, in a predictor that has not been fitted."):
        copy.restore(kept)
    if not np.array_equal(predicted(copy, lesson.images, 15), predicted(fitted, lesson.images, 15)):
        raise Problem("A restored predictor answers otherwise.", "All that decides the answer must be in state().")
    return f"{len(found)} arrays go through a file and give the same answer."


def batch(subject: PredictorSubject) -> str:
    lesson = subject.lesson()
    fitted, few = subject.fitted(lesson), lesson.images[:6]
    together = predicted(fitted, few, 15)
    alone = np.concatenate([predicted(fitted, few[i : i + 1], 15) for i in range(len(few))])
    if not np.allclose(together, alone, atol=1e-2):
        raise Problem("The answer for a picture depends on the others.", "Use nothing but the picture and the fit.")
    return "A picture gets the same answer alone and in company."


def seeds(subject: PredictorSubject) -> str:
    if not subject.spec.deterministic:
        raise NotApplicable("not stated as deterministic=True")
    lesson = subject.lesson()
    one, two = (predicted(subject.fitted(lesson), lesson.images, 15) for _ in range(2))
    if not np.array_equal(one, two):
        raise Problem("Fitted twice, it gives two answers.", "Fix its seed, or leave deterministic=True out.")
    return "Fitted twice, it gives the same answer."


CHECKS = (
    Check("builds", "it can be fitted, and gives points of the right shape", builds),
    Check("points", "the number of points follows the landmark scheme", points),
    Check("channels", "it takes grey and colour pictures", channels),
    Check("missing", "missing points do not matter", missing),
    Check("state", "its state is plain arrays, and all that decides its answer", state),
    Check("batch", "the other pictures do not change an answer", batch),
    Check("seeds", "what is stated as deterministic is", seeds),
)
