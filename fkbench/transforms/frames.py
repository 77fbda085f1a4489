"""The articles' transforms of whole frames: Rescale, RandomCrop, Resize and Normalize of the Udacity course material.

They keep that material's arithmetic: OpenCV's bilinear resize without antialiasing, and p′ = p · s for points (no half
pixel), so that the articles' recipes see what their authors saw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.errors import FkbenchError


@dataclass(frozen=True)
class Sample:
    """A picture (H, W, C) uint8 with its points (K, 2) in pixels of it, NaN where missing.

    `flip_order`: indices of the points under their own names after a mirror; empty: no names change.
    """

    image: ByteArray
    points: FloatArray
    flip_order: tuple[int, ...] = ()


def rescaled_size(height: int, width: int, shorter: int) -> tuple[int, int]:
    """(height, width) with the shorter side as given and the aspect kept; the longer side is cut to a whole number."""
    if height > width:
        return int(shorter * height / width), shorter
    return shorter, int(shorter * width / height)


def rescale(sample: Sample, shorter: int) -> Sample:
    """The shorter side becomes `shorter` pixels, the aspect is kept."""
    height, width = sample.image.shape[:2]
    return _resized(sample, *rescaled_size(height, width, shorter))


def resize(sample: Sample, size: int) -> Sample:
    """Both sides become `size` pixels, each by its own factor: the aspect is not kept."""
    return _resized(sample, size, size)


def _resized(sample: Sample, height: int, width: int) -> Sample:
    old_height, old_width = sample.image.shape[:2]
    image = resized_image(sample.image, height, width)
    factors = np.array([width / old_width, height / old_height], np.float32)
    return replace(sample, image=image, points=np.asarray(sample.points * factors, np.float32))


def resized_image(image: ByteArray, height: int, width: int) -> ByteArray:
    """Bilinear, without antialiasing; (H, W, C) → (height, width, C)."""
    out = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out.reshape(height, width, image.shape[2]), np.uint8)


def crop(sample: Sample, size: int, place: tuple[float, float]) -> Sample:
    """A square of `size` pixels cut out at `place`.

    Args:
        place: shares in [0, 1) of the free room, down and right. As in the course material the last offset is never
            taken: top = floor(place · (height − size)).

    Raises:
        FkbenchError: the square exceeds the picture.
    """
    height, width = sample.image.shape[:2]
    check_crop(height, width, size)
    top, left = int(place[0] * (height - size)), int(place[1] * (width - size))
    return _cut(sample, top, left, size)


def middle_offsets(height: int, width: int, size: int) -> tuple[int, int]:
    """(top, left) of the middle square."""
    return (height - size) // 2, (width - size) // 2


def _cut(sample: Sample, top: int, left: int, size: int) -> Sample:
    image = sample.image[top : top + size, left : left + size]
    points = np.asarray(sample.points - np.array([left, top], np.float32), np.float32)
    return replace(sample, image=image, points=points)


def check_crop(height: int, width: int, size: int) -> None:
    """Raises FkbenchError where a square of `size` pixels exceeds a picture."""
    if size > height or size > width:
        raise FkbenchError(
            f"A crop of {size}×{size} exceeds the picture of {width}×{height} pixels.",
            f"Rescale the shorter side to {size} or more first, or crop less.",
        )


def to_grey(image: ByteArray) -> ByteArray:
    """(H, W, C) → (H, W, 1) uint8 by OpenCV's weights; grey pictures as they are."""
    if image.shape[2] == 1:
        return image
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]


def normalize(
    sample: Sample, offset: float = 100.0, scale: float = 50.0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Grey picture (H, W, 1) in [0, 1] and points (p − offset)/scale: what the course material's Normalize gives.

    Its pictures were uint8; matplotlib ≥ 3.3 reads these files as 0–1 floats, which it then divides by 255 once more.
    Here they are always divided once.
    """
    return np.asarray(to_grey(sample.image) / 255, np.float32), np.asarray((sample.points - offset) / scale, np.float32)


def to_tensor(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(H, W, C) → (C, H, W)."""
    return np.ascontiguousarray(image.transpose(2, 0, 1))
