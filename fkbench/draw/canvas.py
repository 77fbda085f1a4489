"""The smallest pieces of a picture: pixels in one form, points, outlines and text; and how a picture is saved."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.draw.files import PICTURE_SUFFIXES, check_target
from fkbench.errors import FkbenchError
from fkbench.records.files import write_atomic
from fkbench.schemes import Scheme

ByteArray = npt.NDArray[np.uint8]
Points = npt.NDArray[np.floating]
Colour = tuple[int, int, int]

# BGR. Green against orange is told apart by brightness too, for those who cannot tell the hues apart.
TRUTH: Colour = (70, 220, 60)
PREDICTED: Colour = (0, 110, 255)
ERROR: Colour = (60, 225, 255)
OUTLINE: Colour = (50, 150, 45)
PAPER: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
BACKDROP: Colour = (28, 28, 28)

FONT = cv2.FONT_HERSHEY_SIMPLEX
SHIFT = 4  # cv2 draws in 1/16 pixel
FAR = 1e5  # cv2's fixed-point coordinates overflow far outside; what lies there is out of every picture anyway


def to_bgr(image: ByteArray) -> ByteArray:
    """Any picture as (H, W, 3) BGR, a copy.

    Args:
        image: (H, W) or (H, W, C) uint8; C = 1 grey, 3 RGB, 4 RGBA (alpha is dropped).

    Raises:
        ValueError: another shape or type.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"a picture is (H, W) or (H, W, C) uint8, not {image.shape} {image.dtype}")
    channels = image.shape[2] if image.ndim == 3 else 1
    if channels == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    if channels not in (3, 4):
        raise ValueError(f"a picture has 1, 3 or 4 channels, not {channels}")
    return np.ascontiguousarray(image[:, :, 2::-1])


def dots(canvas: ByteArray, points: Points, colour: Colour, radius: float) -> None:
    """Filled anti-aliased discs at (K, 2) positions, in place; NaN positions are skipped."""
    size = round(radius * 2**SHIFT)
    for place in _fixed(_visible(points)):
        cv2.circle(canvas, place, size, colour, cv2.FILLED, cv2.LINE_AA, SHIFT)


def strokes(canvas: ByteArray, starts: Points, ends: Points, colour: Colour, thickness: int = 1) -> None:
    """Anti-aliased lines from each of (K, 2) starts to its end, in place; those with a NaN end are skipped."""
    if len(starts) != len(ends):
        raise ValueError(f"{len(starts)} starts and {len(ends)} ends")
    whole = np.isfinite(starts).all(axis=1) & np.isfinite(ends).all(axis=1)
    for start, end in zip(_fixed(starts[whole]), _fixed(ends[whole]), strict=True):
        cv2.line(canvas, start, end, colour, thickness, cv2.LINE_AA, SHIFT)


def outlines(canvas: ByteArray, points: Points, scheme: Scheme, colour: Colour) -> None:
    """The scheme's chains as thin lines through (K, 2) positions, in place."""
    for chain in scheme.lines:
        path = points[list(chain)]
        strokes(canvas, path[:-1], path[1:], colour)


def text(
    canvas: ByteArray, words: str, left: float, baseline: float, height: float, colour: Colour = INK, halo: bool = False
) -> None:
    """One line of text, in place. `height` is that of a capital letter, px. Letters beyond ASCII become `?`.

    `halo` puts a dark edge around the letters, for text on a picture.
    """
    plain = words.encode("ascii", "replace").decode("ascii")
    position = (round(left), round(baseline))
    weight = max(1, round(height / 16))
    if halo:
        cv2.putText(canvas, plain, position, FONT, height / 22.0, BACKDROP, 3 * weight, cv2.LINE_AA)
    cv2.putText(canvas, plain, position, FONT, height / 22.0, colour, weight, cv2.LINE_AA)


def text_width(words: str, height: float) -> int:
    """Width of a line of text, px."""
    plain = words.encode("ascii", "replace").decode("ascii")
    return int(cv2.getTextSize(plain, FONT, height / 22.0, 1)[0][0])


def fitted(words: str, height: float, room: float) -> str:
    """The words, cut with an ellipsis where they do not fit into `room` px."""
    if text_width(words, height) <= room:
        return words
    while words and text_width(words + "...", height) > room:
        words = words[:-1]
    return words + "..."


def save(image: ByteArray, path: Path | str) -> Path:
    """Write a BGR picture, whole or not at all; folders on the way are made.

    Raises:
        FkbenchError: the ending is not supported, or the place cannot be written.
    """
    target = Path(path)
    check_target(target, PICTURE_SUFFIXES)
    done, encoded = cv2.imencode(target.suffix.lower(), image)
    if not done:
        raise FkbenchError(f"The picture '{target}' cannot be encoded.", "Write it as .png.")
    write_atomic(target, encoded.tobytes(), durable=False)
    return target


def _visible(points: Points) -> Points:
    found: Points = points[np.isfinite(points).all(axis=1)]
    return found


def _fixed(points: Points) -> list[list[int]]:
    """(K, 2) finite positions in cv2's fixed point; all at once, for a live picture draws many."""
    places: list[list[int]] = (np.clip(points, -FAR, FAR) * 2**SHIFT).round().astype(int).tolist()
    return places
