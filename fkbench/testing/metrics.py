"""Checks of metrics: scores beyond the built-in ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fkbench.score.errors import ImageErrors, image_errors
from fkbench.specs import MetricSpec, resolve
from fkbench.testing.findings import Check, Problem
from fkbench.testing.nets import told

IMAGES, POINTS = 24, 15


@dataclass(frozen=True)
class MetricSubject:
    """A metric."""

    spec: MetricSpec
    settings: Mapping[str, Any]

    def value(self, errors: ImageErrors) -> float:
        """The score, a finite number.

        Raises:
            Problem: it raises, or gives anything else.
        """
        with told(f"compute() for {len(errors)} images", "It is given ImageErrors: sums per image, see fkbench.score."):
            found = resolve(self.spec.compute)(errors)
        try:
            number = float(found)
        except (TypeError, ValueError):
            raise Problem(f"It gives a {type(found).__name__}, not a number.", "compute() returns a float.") from None
        if not math.isfinite(number):
            raise Problem(f"For ordinary errors it gives {number}.", "Look for a division by zero.")
        return number


def errors_of(size: float) -> ImageErrors:
    """Errors of `size` pixels on average, a tenth of the points missing, groups of two."""
    source = np.random.default_rng(0)
    truth = source.uniform(20, 76, (IMAGES, POINTS, 2))
    valid = source.random((IMAGES, POINTS)) > 0.1
    ids = [str(index) for index in range(IMAGES)]
    return image_errors(
        truth + size * source.normal(size=truth.shape),
        truth,
        valid,
        scale=1.0,
        normalisers={"inter_ocular": ((3,), (5,)), "inter_pupil": ((0,), (1,))},
        ids=ids,
        group=[str(index // 2) for index in range(IMAGES)],
    )


def computes(subject: MetricSubject) -> str:
    value = subject.value(errors_of(2.0))
    one = subject.value(errors_of(2.0).take([0]))
    return f"A number for many images ({value:.4g}) and for one ({one:.4g})."


def order(subject: MetricSubject) -> str:
    errors = errors_of(2.0)
    one, two = subject.value(errors), subject.value(errors.take(np.arange(IMAGES)[::-1]))
    if not math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-12) or one != subject.value(errors):
        raise Problem(
            "It depends on the order of the images, or on chance.", "The same errors must give the same score."
        )
    return "The order of the images does not matter."


def direction(subject: MetricSubject) -> str:
    good, bad = subject.value(errors_of(0.5)), subject.value(errors_of(12.0))
    if (good >= bad) if subject.spec.better == "lower" else (good <= bad):
        raise Problem(
            f"Small errors score {good:.4g} and large ones {bad:.4g}, but {subject.spec.better} is stated as better.",
            f'State better="{"higher" if subject.spec.better == "lower" else "lower"}", or mend the score.',
        )
    return f"Smaller errors score {subject.spec.better}."


CHECKS = (
    Check("computes", "it gives a finite number", computes),
    Check("order", "the order of images does not matter", order),
    Check("direction", "what it calls better is better", direction),
)
