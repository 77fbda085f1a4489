"""Pictures as detectors get them, whatever they were: odd types and sizes end here, not in each plugin."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray
from fkbench.errors import FkbenchError

Image = npt.NDArray[Any]


def as_picture(image: Image) -> ByteArray:
    """A picture as (H, W, 1) grey or (H, W, 3) RGB, uint8, contiguous. Alpha is dropped, 16 bits become 8.

    Args:
        image: (H, W) or (H, W, C), C 1 to 4 (2: grey with alpha, 4: RGB with alpha), uint8, uint16 or bool.

    Raises:
        FkbenchError: another shape or type.
    """
    picture = np.asarray(image)
    if picture.ndim == 2:
        picture = picture[:, :, None]
    if picture.ndim != 3 or not 1 <= picture.shape[2] <= 4:
        raise FkbenchError(f"An array of shape {np.shape(image)} is no picture.", "Give (H, W) or (H, W, 1 to 4).")
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    elif picture.dtype == np.bool_:
        picture = picture.astype(np.uint8) * np.uint8(255)
    elif picture.dtype != np.uint8:
        raise FkbenchError(f"A picture of {picture.dtype} values is not supported.", "Give uint8 or uint16.")
    if picture.shape[2] in (2, 4):
        picture = picture[:, :, : picture.shape[2] - 1]
    return np.ascontiguousarray(picture)


def to_grey(image: ByteArray) -> ByteArray:
    """(H, W) of a picture (H, W, 1 or 3)."""
    return image[:, :, 0] if image.shape[2] == 1 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def to_rgb(image: ByteArray) -> ByteArray:
    """(H, W, 3) RGB of a picture (H, W, 1 or 3), contiguous."""
    return np.ascontiguousarray(np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image)


def to_bgr(image: ByteArray) -> ByteArray:
    """(H, W, 3) BGR of a picture (H, W, 1 or 3), contiguous."""
    return np.ascontiguousarray(to_rgb(image)[:, :, ::-1])


def shrunk(image: ByteArray, longest: int) -> tuple[ByteArray, npt.NDArray[np.float64]]:
    """A picture whose longer side is at most `longest` px, and what its boxes must be multiplied by, (4,) x, y, w, h.

    Args:
        image: (H, W, C).
        longest: px; 0: any size.
    """
    height, width = image.shape[:2]
    if not longest or max(height, width) <= longest:
        return image, np.ones(4)
    share = longest / max(height, width)
    wide, high = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA).reshape(high, wide, image.shape[2])
    return np.asarray(small, np.uint8), np.array([width / wide, height / high] * 2)
