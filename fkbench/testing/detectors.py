"""Checks of face detectors on pictures that are odd in every way but hold no face of anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray, Frames, Samples
from fkbench.specs import DetectorSpec, resolve
from fkbench.testing.findings import Check, Problem
from fkbench.testing.nets import told

Boxes = npt.NDArray[np.float64]
TOLERANCE = 1.0
"""Pixels by which a box may reach over the border of its picture."""


@dataclass(frozen=True)
class DetectorSubject:
    """A detector and the settings under which it is checked."""

    spec: DetectorSpec
    settings: Mapping[str, Any]

    def boxes(self, pictures: Sequence[ByteArray], *, shift: float | None = None) -> Boxes:
        """Its boxes, (N, 4), for pictures that it cannot write to, as those of a memory map.

        Args:
            pictures: (H, W) or (H, W, C) each.
            shift: where the made-up points lie, share of the picture; None: there are none.

        Raises:
            Problem: it raises, or gives another shape.
        """
        frames = Frames.pack(pictures)
        frames.buffer.flags.writeable = False
        size = frames.shapes[:, None, [1, 0]].astype(np.float32)
        points = np.tile(size * np.float32(np.nan if shift is None else shift), (1, 15, 1))
        ids = tuple(f"picture{index}" for index in range(len(pictures)))
        samples = Samples(ids, frames, points, ids, "sha256:" + "0" * 64)
        sizes = ", ".join("×".join(map(str, shape)) for shape in frames.shapes.tolist()[:3])
        with told(f"For pictures of {sizes} it", "It gets any picture: of one pixel, huge, grey or in colour."):
            found = np.asarray(resolve(self.spec.boxes)(samples, dict(self.settings)))
        if found.shape != (len(pictures), 4) or found.dtype.kind != "f":
            raise Problem(
                f"For {len(pictures)} pictures it gives {found.dtype} {found.shape}.",
                "One row (x, y, w, h) of floats per picture, NaN where it finds no face.",
            )
        return found.astype(np.float64)

    def checked(self, pictures: Sequence[ByteArray]) -> Boxes:
        """Boxes that lie in their pictures, or are NaN as a whole.

        Raises:
            Problem: one does not.
        """
        found = self.boxes(pictures)
        for box, picture in zip(found, pictures, strict=True):
            _check_box(box, picture.shape[1], picture.shape[0])
        return found


def _check_box(box: Boxes, width: int, height: int) -> None:
    if np.isnan(box).all():
        return
    said = f"(x, y, w, h) = ({', '.join(f'{value:.1f}' for value in box)})"
    if not np.isfinite(box).all():
        raise Problem(f"It gives {said}.", "Where there is no face all four are NaN, elsewhere none.")
    x, y, w, h = box
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
    picture_bytes: ByteArray = np.clip(tinted, 0, 255).astype(np.uint8)
    return picture_bytes


def answers(subject: DetectorSubject) -> str:
    found = subject.checked([scene(120, 160, 3), scene(96, 96, 3)])
    return f"One box per picture, {int(np.isfinite(found).all(axis=1).sum())} found in two pictures of blobs."


def grey(subject: DetectorSubject) -> str:
    subject.checked([scene(96, 96)])
    return "Pictures of one channel."


def tiny(subject: DetectorSubject) -> str:
    for height, width in ((1, 1), (1, 40), (3, 2), (8, 8)):
        subject.checked([scene(height, width, 3)])
        subject.checked([scene(height, width)])
    return "Pictures of 1×1, 1×40, 3×2 and 8×8 pixels."


def huge(subject: DetectorSubject) -> str:
    subject.checked([scene(2000, 3000, 3)])
    return "A picture of 3000×2000 pixels."


def empty(subject: DetectorSubject) -> str:
    if subject.boxes([]).shape != (0, 4):
        raise Problem("For no picture it does not give (0, 4) boxes.", "np.zeros((0, 4))")
    plain = [np.full((96, 96, channels), value, np.uint8) for channels in (1, 3) for value in (0, 128, 255)]
    found = np.concatenate([subject.boxes(plain[:3]), subject.boxes(plain[3:])])
    if not np.isnan(found).all():
        raise Problem(
            "It finds a face in a picture of one flat colour.",
            "Where there is no face, give NaN: the harness counts it and uses the whole frame.",
        )
    return "No face in an empty picture, and no picture at all."


def company(subject: DetectorSubject) -> str:
    pictures = [scene(96, 96, 3), np.zeros((64, 64, 3), np.uint8), scene(50, 120, 3)]
    together = subject.boxes(pictures)
    alone = np.concatenate([subject.boxes([picture]) for picture in pictures])
    if not np.allclose(together, alone, atol=0.01, equal_nan=True):
        raise Problem(
            "The box of a picture depends on the others, or on chance.", "Each picture by itself, the same every time."
        )
    return "A picture gets the same box alone and in company."


def labels(subject: DetectorSubject) -> str:
    pictures = [scene(96, 96, 3), scene(120, 160, 3)]
    first, second, third = (subject.boxes(pictures, shift=shift) for shift in (None, 0.3, 0.6))
    if not np.allclose(first, second, equal_nan=True) or not np.allclose(second, third, equal_nan=True):
        raise Problem(
            "Its boxes depend on the true points, which a detector must not see.",
            'Use samples.frames alone; boxes made from labels are registered with role="oracle", needs_labels=True.',
        )
    return "It does not look at the labels."


CHECKS = (
    Check("answers", "one box per picture, inside it", answers),
    Check("grey", "it takes grey pictures", grey),
    Check("tiny", "it bears pictures of a few pixels", tiny),
    Check("huge", "it bears a large picture", huge),
    Check("empty", "it finds nothing where there is nothing", empty),
    Check("company", "the other pictures do not change a box", company),
    Check("labels", "it does not look at the labels", labels),
)
