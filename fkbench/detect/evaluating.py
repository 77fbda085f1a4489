"""A detector on a dataset: its correction fitted on the training part, its scores on the test part, and its speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fkbench.datasets.boxes import reference_squares
from fkbench.datasets.samples import IntArray, Samples, Split
from fkbench.datasets.store import Store
from fkbench.detect.correction import correction_page, fit_correction
from fkbench.detect.finding import FINDING_VERSION, detector_facts, find_all
from fkbench.detect.found import BoxArray
from fkbench.detect.matching import overlaps
from fkbench.detect.opening import OpenDetector
from fkbench.detect.scenes import HARDER_VERSION, chosen_rows, harder_scenes, plain_scenes
from fkbench.detect.scoring import Answer, answers_of, score_answers
from fkbench.records import utc_now
from fkbench.records.detection_keys import detector_key
from fkbench.specs import Correction
from fkbench.version import __version__

SCORING_VERSION = 2
FIT_FRAMES = 1000
HARDER_FRAMES = 200
LEAST_OVERLAP = 0.2
"""A box that overlaps the reference square less than this, before any correction, is not taken for that face."""


@dataclass(frozen=True)
class Ground:
    """What a detector is scored on.

    Attributes:
        most: test frames at most, chosen by a hash of their ids; 0: all.
    """

    name: str
    samples: Samples
    split: Split
    store: Store
    most: int = 0

    @property
    def rows(self) -> list[int]:
        """The test frames in which a face is labelled."""
        return chosen_rows(
            self.samples, self.labelled(self.split.test), self.most or len(self.split.test), "detect-test"
        )

    def labelled(self, rows: IntArray) -> list[int]:
        """Those of some rows with a labelled point."""
        return [int(row) for row in rows if np.isfinite(self.samples.points[row]).all(axis=1).any()]


def fitted_on(detector: OpenDetector, ground: Ground) -> Correction:
    """The correction of this detector, fitted on training frames, with its provenance.

    Raises:
        FkbenchError: it finds too few of the faces.
    """
    rows = chosen_rows(ground.samples, ground.labelled(ground.split.train), FIT_FRAMES, "detect-fit")
    found = find_all(detector, ground.samples.frames, rows, {"fingerprint": ground.samples.fingerprint}, ground.store)
    truth = reference_squares(ground.samples.points[rows])
    pairs = [(each.boxes, square) for each, square in zip(found, truth, strict=True)]
    boxes, faces = _paired(pairs)
    fitted = fit_correction(boxes, faces)
    provenance = {
        "dataset": ground.name,
        "fingerprint": ground.samples.fingerprint,
        "split": ground.split.name,
        "part": "train",
        "frames": len(rows),
        "faces": len(boxes),
        "versions": detector_facts(detector)["versions"],
        "weights": detector.weights,
        "fkbench": __version__,
    }
    return Correction(fitted.scale, fitted.dx, fitted.dy, provenance=provenance)


def _paired(pairs: Sequence[tuple[BoxArray, BoxArray]]) -> tuple[BoxArray, BoxArray]:
    """The box that overlaps each picture's face most, and the face's square, where there is one."""
    boxes, faces = [], []
    for found, square in pairs:
        shares = overlaps(found, square[None])[:, 0]
        if len(shares) and shares.max() >= LEAST_OVERLAP:
            boxes.append(found[int(shares.argmax())])
            faces.append(square)
    return np.array(boxes).reshape(-1, 4), np.array(faces).reshape(-1, 4)


def asked(detector: OpenDetector, ground: Ground) -> dict[str, Any]:
    """The page of a detector's scores before there are any: all that decides them, and the key that follows from it."""
    page = {
        "schema": 1,
        "kind": "detector",
        "detector": _about(detector),
        "dataset": {
            "name": ground.name,
            "fingerprint": ground.samples.fingerprint,
            "split": ground.split.name,
            "split_version": ground.split.version,
            "part": "test",
            "pictures": len(ground.rows),
            "of": len(ground.split.test),
            "leaky": ground.split.leaky,
        },
        "correction": correction_page(detector.correction),
        "most": ground.most,
        "scoring": [SCORING_VERSION, HARDER_VERSION, FINDING_VERSION],
    }
    return {**page, "key": detector_key(page)}


def evaluate(detector: OpenDetector, ground: Ground, *, quick: bool = False) -> dict[str, Any]:
    """Scores on clean and harder test frames and the speed, as the JSON page that is kept."""
    page, rows = asked(detector, ground), ground.rows
    clean = _clean(detector, ground, rows)
    chosen = chosen_rows(ground.samples, rows, HARDER_FRAMES, "detect-harder")
    harder = {}
    for kind, scenes in harder_scenes(ground.samples, chosen):
        answers = answers_of(detector, scenes)
        if answers:
            harder[kind] = score_answers(answers)
    return {
        **page,
        "clean": clean,
        "harder": harder,
        "timing": time_detector(detector, ground, rows, quick=quick),
        "created": utc_now(),
        "fkbench": __version__,
    }


def _clean(detector: OpenDetector, ground: Ground, rows: list[int]) -> dict[str, Any]:
    key = {"fingerprint": ground.samples.fingerprint}
    found = find_all(detector, ground.samples.frames, rows, key, ground.store)
    scenes = plain_scenes(ground.samples, rows)
    return score_answers(
        [
            Answer(each, detector.squares(each), scene.squares, scene.points, scene.group)
            for each, scene in zip(found, scenes, strict=True)
        ]
    )


def time_detector(
    detector: OpenDetector, ground: Ground, rows: Sequence[int], *, quick: bool = False
) -> dict[str, Any]:
    """Milliseconds per clean frame, see `fkbench.detect.speed`."""
    from fkbench.detect.speed import time_per_picture

    return time_per_picture(detector.find, ground.samples.frames, rows, quick=quick)


def _about(detector: OpenDetector) -> dict[str, Any]:
    spec = detector.spec
    facts = {name: value for name, value in detector_facts(detector).items() if name != "detector"}
    return {
        "name": spec.name,
        "summary": spec.summary,
        "plugin": str(spec.plugin),
        "licence": spec.licence,
        **facts,
    }
