"""Grids of faces with true and predicted keypoints, and keypoints on one picture with several faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fkbench.draw import canvas as cv
from fkbench.draw.canvas import ByteArray, Points, save
from fkbench.schemes import Scheme

__all__ = ["Letterbox", "draw_points", "letterbox", "sample_grid", "save"]

GAP = 6  # px of paper between cells
LARGEST_LETTER = 14.0  # px


@dataclass(frozen=True)
class Letterbox:
    """How a picture lies in its cell: resized by (scale_x, scale_y), then moved by (left, top) px."""

    scale_x: float
    scale_y: float
    left: int
    top: int

    def map(self, points: Points) -> Points:
        """Picture positions (…, 2) in the cell; pixel centres at integers: p' = (p + ½)·s − ½ + offset."""
        scale = np.array([self.scale_x, self.scale_y])
        mapped: Points = (points + 0.5) * scale - 0.5 + np.array([self.left, self.top])
        return mapped


def letterbox(image: ByteArray, cell: int) -> tuple[ByteArray, Letterbox]:
    """A picture as large as fits into a square cell, its shape kept, centred on a dark backdrop.

    Args:
        image: (H, W) or (H, W, C) uint8, 3 channels are RGB.
        cell: side of the cell, px.

    Returns:
        (cell, cell, 3) BGR, and how positions map into it.
    """
    height, width = image.shape[:2]
    scale = cell / max(height, width)
    # the scale is taken back from the rounded size, so that points stay exact on pictures that do not divide evenly
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    placed = Letterbox(wide / width, high / height, (cell - wide) // 2, (cell - high) // 2)
    out = np.full((cell, cell, 3), cv.BACKDROP, np.uint8)
    resized = cv2.resize(cv.to_bgr(image), (wide, high), interpolation=method)
    out[placed.top : placed.top + high, placed.left : placed.left + wide] = resized
    return out, placed


def sample_grid(
    images: Sequence[ByteArray] | ByteArray,
    points: Sequence[Points] | Points | None = None,
    *,
    scheme: Scheme | None = None,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    cell: int = 192,
    predicted: Sequence[Points] | Points | None = None,
) -> ByteArray:
    """Pictures side by side with their keypoints: truth green, prediction orange, a thin line for each error.

    Args:
        images: N pictures (H, W) or (H, W, C) uint8 of any sizes, 3 channels are RGB.
        points: N arrays (K, 2) of true positions in picture px, centres at integers; NaN: skipped.
        scheme: draws its outlines through the points, where only one of truth and prediction is given.
        titles: N lines under the cells; cut where they do not fit.
        columns: cells in a row; default: a sheet about 4:3.
        cell: side of a cell, px.
        predicted: N arrays (K, 2) of predicted positions.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: no picture, or lists of different length.
    """
    count = _count(images, points, predicted, titles)
    strip = round(cell * 0.11) + 4 if titles is not None else 0
    legend = round(cell * 0.12) + 6 if points is not None or predicted is not None else 0
    sheet, corners = _sheet(count, columns, cell, strip, legend)
    for i, (top, left) in enumerate(corners):
        true, guess = (None if part is None else np.asarray(part[i]) for part in (points, predicted))
        sheet[top : top + cell, left : left + cell] = _face_cell(images[i], true, guess, scheme, cell)
        if titles is not None:
            _title(sheet, titles[i], left, top + cell, cell, strip)
    if legend:
        _legend(sheet, points is not None, predicted is not None, legend)
    return sheet


def _count(images: Sequence[ByteArray] | ByteArray, *parts: Sequence[Any] | Points | None) -> int:
    """How many pictures there are, each part having as many."""
    count = len(images)
    if count == 0 or any(len(part) != count for part in parts if part is not None):
        raise ValueError("a grid needs at least one picture, and as many points and titles as pictures")
    return count


def _sheet(
    count: int, columns: int | None, cell: int, strip: int, legend: int
) -> tuple[ByteArray, list[tuple[int, int]]]:
    """Paper for `count` cells, each above a strip of `strip` px, with `legend` px below all; (top, left) of each cell.

    A sheet about 4:3 where no number of columns is given.
    """
    columns = columns or max(1, math.ceil(math.sqrt(count * 4 / 3)))
    across, high, wide = min(count, columns), cell + strip + GAP, cell + GAP
    rows = math.ceil(count / across)
    sheet = np.full((GAP + rows * high + legend, GAP + across * wide, 3), cv.PAPER, np.uint8)
    return sheet, [(GAP + i // across * high, GAP + i % across * wide) for i in range(count)]


def _face_cell(
    image: ByteArray, true: Points | None, guess: Points | None, scheme: Scheme | None, cell: int
) -> ByteArray:
    out, placed = letterbox(image, cell)
    true = None if true is None else placed.map(true)
    guess = None if guess is None else placed.map(guess)
    only = true if guess is None else guess if true is None else None
    if only is not None and scheme is not None:
        cv.outlines(out, only, scheme, cv.OUTLINE if guess is None else cv.ERROR)
    if true is not None and guess is not None:
        cv.strokes(out, true, guess, cv.ERROR)
    for positions, colour in ((true, cv.TRUTH), (guess, cv.PREDICTED)):
        if positions is not None:
            cv.dots(out, positions, colour, _radius(cell, len(positions)))
    return out


def _radius(side: float, count: int) -> float:
    """Discs that stay apart: smaller where a face carries many points, and no larger than it takes to see them."""
    return min(max(1.0, side / (75 if count <= 30 else 120)), 6.0)


def _title(sheet: ByteArray, words: str, left: int, top: int, cell: int, strip: int) -> None:
    height = min(max(7.0, strip * 0.42), LARGEST_LETTER)
    shown = cv.fitted(words, height, cell)
    cv.text(sheet, shown, left + (cell - cv.text_width(shown, height)) / 2, top + strip * 0.72, height)


def _legend(sheet: ByteArray, truth: bool, predicted: bool, strip: int) -> None:
    height = min(max(7.0, strip * 0.36), LARGEST_LETTER)
    middle = sheet.shape[0] - strip / 2 - 1
    entries = [("truth", cv.TRUTH)] * truth + [("predicted", cv.PREDICTED)] * predicted
    left = GAP + height / 2
    for words, colour in entries:
        cv.dots(sheet, np.array([[left, middle]]), colour, height * 0.45)
        cv.text(sheet, words, left + height, middle + height / 2, height)
        left += height * 3.0 + cv.text_width(words, height)


def draw_points(
    image: ByteArray,
    points: Points,
    *,
    scheme: Scheme | None = None,
    boxes: Points | None = None,
    scores: Sequence[float | None] | None = None,
    truth: bool = False,
) -> ByteArray:
    """Keypoints of one or several faces on their picture, at its own size.

    Args:
        image: (H, W) or (H, W, C) uint8, 3 channels are RGB.
        points: (F, K, 2) or (K, 2) positions in picture px; NaN: skipped.
        scheme: draws its outlines too.
        boxes: (F, 4) x, y, w, h of the faces; NaN: skipped.
        scores: F confidences written at the boxes.
        truth: true positions (green) instead of predicted ones (orange).

    Returns:
        (H, W, 3) uint8 BGR, a new array.
    """
    out = cv.to_bgr(image)
    faces = points[None] if points.ndim == 2 else points
    if boxes is not None:
        _boxes(out, boxes, scores)
    for face in faces:
        known = face[np.isfinite(face).all(axis=1)]
        if not len(known):
            continue
        if scheme is not None:
            cv.outlines(out, face, scheme, cv.OUTLINE if truth else cv.ERROR)
        extent = float((known.max(axis=0) - known.min(axis=0)).max())
        cv.dots(out, face, cv.TRUTH if truth else cv.PREDICTED, _radius(extent * 1.25, len(face)))
    return out


def _boxes(out: ByteArray, boxes: Points, scores: Sequence[float | None] | None) -> None:
    thickness = max(1, round(max(out.shape[:2]) / 400))
    for i, (x, y, width, height) in enumerate(boxes):
        if not np.isfinite([x, y, width, height]).all():
            continue
        # Boxes are continuous, pixel i covers [i, i + 1); what is drawn has the pixels' centres at integers.
        corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]) - 0.5
        cv.strokes(out, corners, np.roll(corners, -1, axis=0), cv.ERROR, thickness)
        score = scores[i] if scores is not None else None
        if score is not None:
            height = max(8.0, max(out.shape[:2]) / 60)
            cv.text(out, f"{score:.3g}", float(x), float(y) - 4, height, cv.ERROR, halo=True)
