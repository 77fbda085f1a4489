"""Faces followed by their keypoints while the detector rests.

The next picture is cut where the last keypoints were: the square of the reference rule (centre of the points' bounding
box, side 1.25 × its longer side), moved and scaled to what the model was trained on, as `fkbench.runner.calibration`
has it. Where that is not known, it is moved and scaled as the detector's own squares stood to the reference square when
the detector saw the face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from fkbench.datasets.boxes import reference_squares
from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.detect.found import BoxArray
from fkbench.detect.matching import match, overlaps
from fkbench.live.frames import Face, Points
from fkbench.live.smoothing import OneEuro
from fkbench.runner.calibration import placed, settled

Predict = Callable[[ByteArray, BoxArray], FloatArray]
"""A picture (H, W, 3) BGR and squares (M, 4) → points (M, K, 2) in its pixels."""

SAME_FACE = 0.3  # overlap of a detected square with a followed one that makes them one face
TWICE = 0.6  # overlap of two followed squares above which they are the same face
ASTRAY = 0.1  # overlap with a detected square of another track from which on a missed face is that one, lost sight of
PATIENCE = 1  # detections in a row that may miss a followed face
MEMORY = 8  # detections that the relation of detected to reference square is averaged over
LEAST_INSIDE = 0.5
JUMP = 0.5  # sides of the square that a face may move from one picture to the next
GROWTH = 1.5  # factor by which it may grow or shrink from one picture to the next
DRIFT = 2.0  # and since the detector last saw it


@dataclass
class Track:
    """One face that is followed.

    Attributes:
        square: (4,) where the model looks in the next picture.
        relation: side of the square that the model looks at over the reference square's, and the way from centre to
            centre in sides of the latter, (3,).
        seen: detections so far.
        missed: detections in a row that did not find it.
        sure: side of the square when the detector last saw the face, px.
    """

    number: int
    square: BoxArray
    relation: BoxArray = field(default_factory=lambda: np.array([1.0, 0.0, 0.0]))
    seen: int = 0
    missed: int = 0
    sure: float = 0.0
    filter: OneEuro | None = None

    def learn(self, reference: BoxArray) -> None:
        """How the detector's square stood to the reference square (4,) of the points that were found in it: a mean over
        the last detections."""
        side = reference[2]
        away = (self.square[:2] + self.square[2:] / 2 - reference[:2] - side / 2) / side
        weight = 1 / min(self.seen, MEMORY)
        self.relation = self.relation * (1 - weight) + weight * np.array([self.square[2] / side, *away])

    def place(self, reference: BoxArray) -> BoxArray:
        """(4,) where to look next, from the reference square (4,) of the last points."""
        square: BoxArray = placed(self.relation, reference[None])[0]
        return square

    def lost(self, points: Points, after: BoxArray, shape: tuple[int, ...]) -> bool:
        """Whether points (K, 2) cannot be those of the followed face: off the picture, or moved or spread too far.

        Args:
            after: (4,) the square that these points would lead to.
            shape: of the picture, (H, W, …).
        """
        inside = ((points >= -0.5) & (points < np.array([shape[1], shape[0]]) - 0.5)).all(axis=1)
        moved = np.abs(after[:2] + after[2:] / 2 - self.square[:2] - self.square[2:] / 2).max() / self.square[2]
        growth, drift = after[2] / self.square[2], after[2] / self.sure
        steady = 1 / GROWTH <= growth <= GROWTH and 1 / DRIFT <= drift <= DRIFT
        return bool(inside.mean() < LEAST_INSIDE or moved > JUMP or not steady)


class Tracker:
    """Keypoints of all faces of a stream, one picture after the other.

    Args:
        predict: the model.
        smooth: filter the points that are shown; the following itself uses them as predicted.
        relation: (3,) of `Track`, what the model was trained on; None: learned from the detector's squares.
    """

    def __init__(self, predict: Predict, *, smooth: bool = False, relation: BoxArray | None = None) -> None:
        self.predict = predict
        self.smooth = smooth
        self.relation = relation
        self.tracks: list[Track] = []
        self._numbers = 0

    def forget(self) -> None:
        """Begin anew: the next picture has nothing to do with the last one."""
        self.tracks = []

    def update(
        self, picture: ByteArray, at: float, squares: BoxArray | None = None, scores: Sequence[float] | None = None
    ) -> list[Face]:
        """The faces of the next picture, all of them in one batch.

        Args:
            picture: (H, W, 3) BGR.
            at: its time in seconds.
            squares: (M, 4) of what a detector found here, surest first; None: it was not asked.
            scores: M of them, NaN where there are none.
        """
        detected: dict[int, float] = {}
        if squares is not None:
            detected = self._join(squares, scores if scores is not None else [float("nan")] * len(squares))
            self._settle(picture, [track for track in self.tracks if track.number in detected])
        if not self.tracks:
            return []
        looked = np.array([track.square for track in self.tracks])
        points = np.asarray(self.predict(picture, looked), np.float64)
        kept: list[Track] = []
        faces = []
        for track, found, square in zip(self.tracks, points, looked, strict=True):
            if self._follow(track, found, track.number in detected, picture.shape):
                kept.append(track)
                score = detected.get(track.number, float("nan"))
                faces.append(Face(track.number, self._shown(track, found, at), square, score))
        self.tracks = _apart(kept)
        alive = {track.number for track in self.tracks}
        return [face for face in faces if face.number in alive]

    def _join(self, squares: BoxArray, scores: Sequence[float]) -> dict[int, float]:
        """Detected squares given to the tracks they belong to; the others begin one. Scores by number of the track."""
        known = list(self.tracks)
        which = match(squares, np.array([track.square for track in known]).reshape(-1, 4), SAME_FACE)
        detected = {}
        for square, index, score in zip(squares, which, scores, strict=True):
            if index >= 0:
                track = known[index]
                track.square, track.missed = square.copy(), 0
            else:
                self._numbers += 1
                track = Track(self._numbers, square.copy())
                self.tracks.append(track)
            detected[track.number] = float(score)
        for track in known:
            track.missed += track.number not in detected
            if track.missed and len(squares) and overlaps(track.square[None], squares).max() >= ASTRAY:
                track.missed = PATIENCE + 1
        self.tracks = [track for track in self.tracks if track.missed <= PATIENCE]
        return detected

    def _settle(self, picture: ByteArray, detected: list[Track]) -> None:
        """Move the squares of detected faces to what the model was trained on, by first looks at their points."""
        for track in detected:
            track.seen, track.sure = track.seen + 1, float(track.square[2])
        if self.relation is None or not detected:
            return
        found = np.array([track.square for track in detected])
        for track, square in zip(detected, settled(partial(self.predict, picture), found, self.relation), strict=True):
            track.relation = self.relation
            track.square, track.sure = square, float(square[2])

    def _follow(self, track: Track, points: Points, detected: bool, shape: tuple[int, ...]) -> bool:
        """Move a track on to where its points are; False: the face is lost."""
        if not np.isfinite(points).all():
            return False
        reference = reference_squares(np.asarray(points, np.float32)[None])[0]
        if detected and self.relation is None:
            track.learn(reference)
        after = track.place(reference)
        if not detected and track.lost(points, after, shape):
            return False
        track.square = after
        return True

    def _shown(self, track: Track, points: Points, at: float) -> Points:
        if not self.smooth:
            return points
        if track.filter is None:
            track.filter = OneEuro(unit=float(track.square[2]))
        return track.filter(points, at)


def _apart(tracks: list[Track]) -> list[Track]:
    """Without those that have come to follow the face of another: the one that was detected more often stays."""
    kept: list[Track] = []
    for track in sorted(tracks, key=lambda each: (each.missed, -each.seen, each.number)):
        if not kept or overlaps(track.square[None], np.array([each.square for each in kept])).max() < TWICE:
            kept.append(track)
    return sorted(kept, key=lambda each: each.number)
