"""Views (layer 2): what a model sees of each sample, cut from the native frames once and kept as a memory map.

A view of size R with a margin m is a canvas of R + 2·pad pixels, pad = ceil(m·R), at the scale at which the box is R
pixels wide: training rotates, scales and shifts inside it, evaluation takes the middle. Cutting is antialiased
(Gaussian of the scale's width before bilinear sampling) and in OpenCV's fixed-point uint8 arithmetic, which gives
the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.boxes import BoxArray
from fkbench.datasets.layout import VIEWS_VERSION
from fkbench.datasets.samples import ByteArray, FloatArray, Frames
from fkbench.datasets.store import Store


@dataclass(frozen=True)
class Views:
    """Pictures of one size with the way back to native pixels.

    Attributes:
        images: (N, C, S, S) uint8, S = size + 2 · pad.
        to_native: (N, 2, 3) float64: native = A · (x, y, 1) with (x, y) canvas pixels, centres at integers.
        size: side of the box in canvas pixels.
        pad: margin on each side in canvas pixels.
    """

    images: ByteArray
    to_native: npt.NDArray[np.float64]
    size: int
    pad: int


def affine_to_native(boxes: BoxArray, size: int, pad: int) -> npt.NDArray[np.float64]:
    """(N, 2, 3) maps from canvas pixels to native pixels for square boxes (N, 4)."""
    scale = boxes[:, 2] / size
    maps = np.zeros((len(boxes), 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = scale
    maps[:, :, 2] = boxes[:, :2] + ((0.5 - pad) * scale)[:, None] - 0.5
    return maps


def apply_affine(maps: npt.NDArray[np.float64], points: npt.NDArray[Any]) -> FloatArray:
    """Points (N, K, 2) through maps (N, 2, 3)."""
    moved = np.einsum("nij,nkj->nki", maps[:, :, :2], points.astype(np.float64)) + maps[:, None, :, 2]
    return np.asarray(moved, np.float32)


def invert_affine(maps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse maps, (N, 2, 3)."""
    linear = np.linalg.inv(maps[:, :, :2])
    shift = -np.einsum("nij,nj->ni", linear, maps[:, :, 2])
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def cut(frame: ByteArray, to_native: npt.NDArray[np.float64], side: int, channels: int) -> ByteArray:
    """One canvas (C, side, side) from a frame (H, W, C'); outside the frame its border is repeated."""
    picture: npt.NDArray[Any] = _with_channels(frame, channels)
    scale = float(to_native[0, 0])
    if scale == 1.0 and not to_native[:, 2].any() and picture.shape[:2] == (side, side):
        out: npt.NDArray[Any] = picture
    else:
        if scale > 1.0:
            sigma = 0.5 * math.sqrt(scale * scale - 1.0)
            picture = cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(picture, to_native, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return out.reshape(side, side, channels).transpose(2, 0, 1)


def _with_channels(frame: ByteArray, channels: int) -> ByteArray:
    if frame.shape[2] == channels:
        return frame if channels > 1 else frame[:, :, 0]
    if channels == 1:
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.repeat(frame[:, :, :1], channels, axis=2)


def make_views(
    frames: Frames,
    boxes: BoxArray,
    size: int,
    channels: int,
    margin: float = 0.0,
    progress: Callable[[int], None] | None = None,
) -> Views:
    """Cut a view of every frame. `boxes` (N, 4) are square, in native pixels (see `fkbench.datasets.boxes`)."""
    pad = math.ceil(margin * size)
    side = size + 2 * pad
    maps = affine_to_native(boxes, size, pad)
    images = np.empty((len(frames), channels, side, side), np.uint8)
    for i in range(len(frames)):
        images[i] = cut(frames[i], maps[i], side, channels)
        if progress and i % 64 == 63:
            progress(64)
    return Views(images, maps, size, pad)


def cached_views(
    store: Store,
    key: Mapping[str, Any],
    frames: Frames,
    boxes: BoxArray,
    size: int,
    channels: int,
    margin: float,
) -> Views:
    """The same, kept in the store under a hash of `key` (fingerprint, box and its settings), the sizes and version."""
    stated = {**key, "size": size, "channels": channels, "margin": margin, "version": VIEWS_VERSION}
    digest = hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:20]
    name = f"views/{digest}"
    with store.lock(name):
        if not store.has(name):
            views = make_views(frames, boxes, size, channels, margin)
            store.write(name, stated, {"images": views.images, "to_native": views.to_native})
    pack = store.read(name)
    pad = math.ceil(margin * size)
    return Views(pack.arrays["images"], pack.arrays["to_native"], size, pad)  # type: ignore[arg-type]
