"""Scores of a detector over scenes: how many faces it finds, how many boxes are none, and how well boxes lie.

A box finds a face if it overlaps its reference square by an IoU of 0.5 or more; boxes take faces one-to-one, the
surest first. Intervals resample groups (persons), see `fkbench.score.intervals`. Where that gives no width, because
every group agrees (a recall of 1), the end is the exact binomial one with one trial per group (Clopper and Pearson
1934): 0.025^(1/G).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.detect.correction import residuals
from fkbench.detect.found import BoxArray, Found, main_face
from fkbench.detect.matching import match
from fkbench.detect.opening import OpenDetector
from fkbench.detect.scenes import Scene
from fkbench.score import ratio_interval

LEAST_OVERLAP = 0.5
LEVEL = 0.95


@dataclass(frozen=True)
class Answer:
    """One scene with what was found in it: the boxes as they came, and corrected, in the same order."""

    found: Found
    squares: BoxArray
    faces: BoxArray
    points: npt.NDArray[np.float32]
    group: str

    def boxes(self, raw: bool) -> BoxArray:
        return self.found.boxes if raw else self.squares

    @property
    def known(self) -> int:
        """Faces whose place is known: those with a labelled point."""
        return int(np.isfinite(self.faces).all(axis=1).sum())


def answers_of(detector: OpenDetector, scenes: Iterable[Scene]) -> list[Answer]:
    """What the detector finds in each scene."""
    out = []
    for scene in scenes:
        found = detector.find(scene.image)
        out.append(Answer(found, detector.squares(found), scene.squares, scene.points, scene.group))
    return out


def score_answers(answers: Sequence[Answer]) -> dict[str, Any]:
    """Scores of the boxes as they came (`raw`) and corrected, as JSON values."""
    corrected = _scores(answers, raw=False)
    return {
        "pictures": len(answers),
        "faces": sum(answer.known for answer in answers),
        "boxes": sum(len(answer.found) for answer in answers),
        "main_recall": _main_recall(answers),
        "corrected": {**corrected, "noise": _noise(answers)},
        "raw": _scores(answers, raw=True),
    }


def _scores(answers: Sequence[Answer], *, raw: bool) -> dict[str, Any]:
    pairs = [match(answer.boxes(raw), answer.faces, LEAST_OVERLAP) for answer in answers]
    hits = np.array([int((pair >= 0).sum()) for pair in pairs], np.float64)
    faces = np.array([answer.known for answer in answers], np.float64)
    boxes = np.array([len(pair) for pair in pairs], np.float64)
    group = [answer.group for answer in answers]
    recall, recall_ci = share(hits, faces, group)
    precision, precision_ci = share(hits, boxes, group)
    return {
        "recall": recall,
        "recall_ci": recall_ci,
        "precision": precision,
        "precision_ci": precision_ci,
        "ap": average_precision(answers, pairs),
        "extra_per_picture": float((boxes - hits).sum() / max(len(answers), 1)),
        "cover": _cover(answers, pairs, raw),
    }


def share(part: BoxArray, whole: BoxArray, group: Sequence[str]) -> tuple[float | None, list[float] | None]:
    """Σ part / Σ whole and its interval over groups; None where there is nothing to count.

    Args:
        part: (N,) counts, at most `whole`.
        whole: (N,) counts.
        group: N names.
    """
    if not whole.sum():
        return None, None
    found = ratio_interval(part[None], whole, group, level=LEVEL)
    if found.bounds is None:
        return found.estimate, None
    low, high = max(0.0, found.low), min(1.0, found.high)
    exact = ((1 - LEVEL) / 2) ** (1 / found.groups)
    if found.estimate == 1:
        low = min(low, exact)
    elif found.estimate == 0:
        high = max(high, 1 - exact)
    return found.estimate, [low, high]


def average_precision(answers: Sequence[Answer], pairs: Sequence[npt.NDArray[np.int64]]) -> float | None:
    """Area under precision over recall, all boxes ranked by score, precision made to fall (PASCAL VOC 2010).

    Boxes of equal score come in together, so that the order of the pictures does not matter. None where a box has no
    score, or there is no box.
    """
    scores = np.concatenate([np.zeros(0), *(answer.found.scores for answer in answers)])
    if not len(scores) or not np.isfinite(scores).all():
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each run of equal scores
    right = np.cumsum(np.concatenate([pair >= 0 for pair in pairs])[order])[last]
    falling = np.maximum.accumulate((right / (last + 1))[::-1])[::-1]
    faces = sum(answer.known for answer in answers)
    return float((falling * np.diff(right, prepend=0)).sum() / faces) if faces else None


def _cover(answers: Sequence[Answer], pairs: Sequence[npt.NDArray[np.int64]], raw: bool) -> float | None:
    """Mean over the faces found of the share of their keypoints that lie in the box."""
    shares = []
    for answer, pair in zip(answers, pairs, strict=True):
        for box, face in zip(answer.boxes(raw), pair, strict=True):
            if face >= 0:
                points = answer.points[face][np.isfinite(answer.points[face]).all(axis=1)] + 0.5
                inside = (points >= box[:2]) & (points <= box[:2] + box[2:])
                shares.append(float(inside.all(axis=1).mean()))
    return float(np.mean(shares)) if shares else None


def _main_recall(answers: Sequence[Answer]) -> float | None:
    """Share of pictures of one face whose main face, the one that a model would see, is it. None with several."""
    if any(len(answer.faces) != 1 for answer in answers):
        return None
    right, asked = 0, [answer for answer in answers if answer.known]
    for answer in asked:
        index = main_face(answer.found)
        if index is not None:
            right += int(match(answer.squares[index : index + 1], answer.faces, LEAST_OVERLAP)[0] >= 0)
    return right / len(asked) if asked else None


def _noise(answers: Sequence[Answer]) -> dict[str, Any] | None:
    """Mean and standard deviation of what is left after the correction, in shares of the reference square's side."""
    off = []
    for answer in answers:
        for box, face in zip(answer.squares, match(answer.squares, answer.faces, LEAST_OVERLAP), strict=True):
            if face >= 0:
                off.append(residuals(box[None], answer.faces[face : face + 1])[0])
    if len(off) < 2:
        return None
    table = np.array(off)
    names = ("x", "y", "side")
    return {
        "mean": {name: float(value) for name, value in zip(names, table.mean(axis=0), strict=True)},
        "sd": {name: float(value) for name, value in zip(names, table.std(axis=0, ddof=1), strict=True)},
        "faces": len(table),
    }
