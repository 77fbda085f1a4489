"""Checks of face detectors: on pictures that are odd in every way, and on drawn faces; none is of anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray
from fkbench.detect.matching import overlaps
from fkbench.specs import DetectorSpec, resolve
from fkbench.testing.faces import drawn_faces
from fkbench.testing.findings import Check, NotApplicable, Problem
from fkbench.testing.nets import told

Boxes = npt.NDArray[np.float64]
TOLERANCE = 1.0
"""Pixels by which a box may reach over the border of its picture."""
FOUND = 0.2
"""Least overlap (IoU) of a box with a face's square: detectors differ in what they take for its edge."""


@dataclass(frozen=True)
class DetectorSubject:
    """A detector and the settings under which it is checked."""

    spec: DetectorSpec
    settings: Mapping[str, Any]

    @cached_property
    def finder(self) -> Callable[[ByteArray], Any]:
        """What the detector's code gives for these settings.

        Raises:
            Problem: it raises, or gives nothing that can be called.
        """
        if self.spec.find is None:
            raise Problem("It has no find=….", 'Boxes that are made from labels or the frame have role="oracle".')
        with told(f"find({', '.join(self.settings)})", "It is called once, with the detector's settings by name."):
            found = resolve(self.spec.find)(**self.settings)
        if not callable(found):
            raise Problem(
                f"find() gives a {type(found).__name__}.", "It returns finder(image), which is called for each picture."
            )
        return found  # type: ignore[no-any-return]

    def faces(self, picture: ByteArray) -> Boxes:
        """Its boxes for one picture, (M, 4) or (M, 5), all in the picture.

        Args:
            picture: (H, W, C); it is given as the harness gives it, from memory that cannot be written to.

        Raises:
            Problem: it raises, or gives anything else.
        """
        finder, given = self.finder, picture.copy()
        given.flags.writeable = False
        size = "×".join(map(str, picture.shape))
        with told(f"For a picture of {size} it", "It gets any picture: one pixel or huge, one channel or three."):
            answer = finder(given)
            found = np.asarray(()) if answer is None else np.asarray(answer)
        if found.shape == (0,):  # no face, as None and [] say it
            return np.zeros((0, 4))
        if found.ndim != 2 or found.shape[1] not in (4, 5) or found.dtype.kind not in "fiu":
            raise Problem(
                f"For a picture of {size} it gives {found.dtype} {found.shape}.",
                "(M, 4) numbers x, y, w, h, or (M, 5) with a score; [] or None where there is no face.",
            )
        for box in found.astype(np.float64):
            _check_box(box, picture.shape[1], picture.shape[0])
        return found.astype(np.float64)


def _check_box(box: Boxes, width: int, height: int) -> None:
    said = f"(x, y, w, h) = ({', '.join(f'{value:.1f}' for value in box[:4])})"
    if not np.isfinite(box).all():
        raise Problem(f"It gives {said}.", "Every number must be finite: leave a face out that was not found.")
    x, y, w, h = box[:4]
    if w <= 0 or h <= 0:
        raise Problem(f"It gives a box without area: {said}.", "The third and fourth numbers are width and height.")
    if min(x, y) < -TOLERANCE or x + w > width + TOLERANCE or y + h > height + TOLERANCE:
        raise Problem(
            f"In a picture of {width}×{height} pixels it gives {said}, which reaches beyond.",
            "Boxes are x, y, width, height in pixels of the picture as it was given: clip them, undo any resizing.",
        )


def scene(height: int, width: int, channels: int = 1) -> ByteArray:
    """Soft blobs on a soft ground, (height, width, channels) uint8: structure, but no face."""
    source = np.random.default_rng(height * 10_007 + width)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = 60 + 60 * x / max(width, 2)
    for _ in range(5):
        cx, cy, r = source.uniform(0, width), source.uniform(0, height), source.uniform(0.05, 0.2) * max(height, width)
        picture += 90 * np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / (2 * (r + 1) ** 2)))
    tinted = picture[..., None] * np.linspace(1.0, 0.8, channels, dtype=np.float32)
    drawn: ByteArray = np.clip(tinted, 0, 255).astype(np.uint8)
    return drawn


def answers(subject: DetectorSubject) -> str:
    found = [subject.faces(scene(height, width, 3)) for height, width in ((120, 160), (96, 96))]
    return f"Boxes in their picture; {sum(map(len, found))} found in two pictures of blobs."


def grey(subject: DetectorSubject) -> str:
    subject.faces(scene(96, 96))
    return "Pictures of one channel."


def tiny(subject: DetectorSubject) -> str:
    sizes = ((1, 1), (1, 40), (3, 2), (8, 8))
    for height, width in sizes:
        subject.faces(scene(height, width, 3))
    try:
        subject.faces(scene(96, 96))
    except Problem:
        return "Pictures of 1×1, 1×40, 3×2 and 8×8 pixels in colour."
    for height, width in sizes:
        subject.faces(scene(height, width))
    return "Pictures of 1×1, 1×40, 3×2 and 8×8 pixels."


def huge(subject: DetectorSubject) -> str:
    subject.faces(scene(2000, 3000, 3))
    subject.faces(scene(200, 10_000, 3))
    return "Pictures of 3000×2000 and 10 000×200 pixels."


def empty(subject: DetectorSubject) -> str:
    for value in (0, 128, 255):
        if len(subject.faces(np.full((96, 96, 3), value, np.uint8))):
            raise Problem(
                f"It finds a face in a picture of one flat colour ({value}).",
                "Give [] or None where there is none: the harness counts it and uses the whole frame.",
            )
    return "No face in a picture of one colour."


def faces(subject: DetectorSubject) -> str:
    seen = [(subject.faces(picture)[:, :4], square) for picture, square in drawn_faces()]
    count = sum(bool(len(boxes)) and float(overlaps(boxes, square[None]).max()) >= FOUND for boxes, square in seen)
    if count:
        return f"{count} of {len(seen)} drawn faces found."
    if subject.spec.misses_drawn:
        raise NotApplicable(f"finds no drawn face, as it says: {subject.spec.misses_drawn}")
    boxes = sum(len(boxes) for boxes, _ in seen)
    raise Problem(
        f"It finds none of {len(seen)} drawn faces, 96 px large in pictures of 320×240"
        f"{f': its {boxes} boxes lie elsewhere' if boxes else ''}.",
        'Look at its thresholds, scaling and colours; if drawn faces cannot be its own, misses_drawn="why" says so.',
    )


def repeats(subject: DetectorSubject) -> str:
    pictures = [scene(96, 96, 3), np.zeros((64, 64, 3), np.uint8), scene(50, 120, 3)]
    first = [subject.faces(picture) for picture in pictures]
    again = [subject.faces(picture) for picture in reversed(pictures)][::-1]
    if not _alike(first, again):
        raise Problem(
            "The same picture gets other boxes after other pictures, or by chance.",
            "Keep nothing of one picture for the next; seed what is drawn.",
        )
    return "The same picture always gets the same boxes."


def _alike(one: Sequence[Boxes], two: Sequence[Boxes]) -> bool:
    return all(a.shape == b.shape and np.allclose(a, b, atol=0.01) for a, b in zip(one, two, strict=True))


CHECKS = (
    Check("answers", "boxes inside their picture", answers),
    Check("grey", "it takes grey pictures", grey),
    Check("tiny", "it bears pictures of a few pixels", tiny),
    Check("huge", "it bears large pictures", huge),
    Check("empty", "it finds nothing where there is nothing", empty),
    Check("faces", "it finds a face where there is one", faces),
    Check("repeats", "the same picture always gets the same boxes", repeats),
)
