"""Views by the articles' own geometry: the whole frame resized, or rescaled and cropped (see `fkbench.specs.Geometry`).

The way back to native pixels is that of the articles' arithmetic: p = p′ / s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.layout import VIEWS_VERSION
from fkbench.datasets.samples import ByteArray, Frames, IntArray
from fkbench.datasets.store import Store
from fkbench.datasets.views import Views
from fkbench.errors import FkbenchError
from fkbench.specs import Geometry
from fkbench.transforms.frames import check_crop, middle_offsets, rescaled_size, resized_image, to_grey


@dataclass(frozen=True)
class WholeFrames:
    """Rescaled frames of many sizes, for random crops.

    Attributes:
        frames: their pixels, one channel or three.
        to_native: (N, 2, 3) maps from their pixels to native ones.
    """

    frames: Frames
    to_native: npt.NDArray[np.float64]


def whole_frame_views(frames: Frames, size: int, channels: int, geometry: Geometry) -> Views:
    """What is scored: the middle crop of the rescaled frame, or the resized frame.

    Raises:
        FkbenchError: the crop exceeds a frame.
    """
    if geometry.kind == "rescale_crop":
        return _middle_crops(rescaled(frames, channels, geometry), size)
    images = np.empty((len(frames), channels, size, size), np.uint8)
    for i in range(len(frames)):
        images[i] = _channels(resized_image(frames[i], size, size), channels).transpose(2, 0, 1)
    target = np.full((len(frames), 2), size)
    return Views(images, _maps(frames.shapes, target), size, 0)


def rescaled(frames: Frames, channels: int, geometry: Geometry) -> WholeFrames:
    """All frames with the shorter side as the geometry says."""
    sizes = np.array([rescaled_size(int(h), int(w), geometry.rescale) for h, w, _ in frames.shapes], np.int64)
    images = [
        _channels(resized_image(frames[i], int(height), int(width)), channels)
        for i, (height, width) in enumerate(sizes)
    ]
    return WholeFrames(Frames.pack(images), _maps(frames.shapes, sizes))


def _middle_crops(whole: WholeFrames, size: int) -> Views:
    count = len(whole.frames)
    images = np.empty((count, int(whole.frames.shapes[0, 2]) if count else 1, size, size), np.uint8)
    maps = whole.to_native.copy()
    for i in range(count):
        height, width, _ = (int(v) for v in whole.frames.shapes[i])
        check_crop(height, width, size)
        top, left = middle_offsets(height, width, size)
        images[i] = whole.frames[i][top : top + size, left : left + size].transpose(2, 0, 1)
        maps[i, :, 2] += maps[i, :, :2] @ (left, top)
    return Views(images, maps, size, 0)


def _maps(shapes: IntArray, target: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Maps to native pixels from frames resized to `target` (N, 2) height and width."""
    maps = np.zeros((len(shapes), 2, 3))
    maps[:, 0, 0] = shapes[:, 1] / target[:, 1]
    maps[:, 1, 1] = shapes[:, 0] / target[:, 0]
    return maps


def _channels(image: ByteArray, channels: int) -> ByteArray:
    if image.shape[2] == channels:
        return image
    return to_grey(image) if channels == 1 else np.repeat(image[:, :, :1], channels, axis=2)


def cached_whole_views(
    store: Store, key: Mapping[str, Any], frames: Frames, size: int, channels: int, geometry: Geometry
) -> Views:
    """`whole_frame_views`, kept in the store under a hash of `key`, the geometry and the sizes."""
    stated = {**key, "geometry": [geometry.kind, geometry.rescale], "size": size, "channels": channels}
    name = _place(stated)
    with store.lock(name):
        if not store.has(name):
            views = whole_frame_views(frames, size, channels, geometry)
            store.write(name, stated, {"images": views.images, "to_native": views.to_native})
    arrays = store.read(name).arrays
    return Views(arrays["images"], arrays["to_native"], size, 0)  # type: ignore[arg-type]


def cached_rescaled(
    store: Store, key: Mapping[str, Any], frames: Frames, channels: int, geometry: Geometry
) -> WholeFrames:
    """`rescaled`, kept in the store likewise."""
    stated = {**key, "geometry": ["rescale", geometry.rescale], "channels": channels}
    name = _place(stated)
    with store.lock(name):
        if not store.has(name):
            made = rescaled(frames, channels, geometry)
            parts: dict[str, Any] = {
                "buffer": made.frames.buffer,
                "offsets": made.frames.offsets,
                "shapes": made.frames.shapes,
            }
            store.write(name, stated, {**parts, "to_native": made.to_native})
    arrays: Mapping[str, Any] = store.read(name).arrays
    return WholeFrames(Frames(arrays["buffer"], arrays["offsets"], arrays["shapes"]), arrays["to_native"])


def _place(stated: Mapping[str, Any]) -> str:
    text = json.dumps({**stated, "version": VIEWS_VERSION}, sort_keys=True)
    return f"views/{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def check_geometry(geometry: Geometry, size: int, whole_box: bool) -> None:
    """Raises FkbenchError where the geometry cannot be had: a crop that exceeds the frame, or a box within it."""
    if geometry.kind == "view":
        return
    if not whole_box:
        raise FkbenchError(
            f"The recipe's geometry '{geometry.kind}' takes the whole frame, not a box in it.", "Leave --box out."
        )
    if geometry.kind == "rescale_crop" and geometry.rescale < size:
        raise FkbenchError(
            f"A crop of {size} pixels exceeds frames whose shorter side is rescaled to {geometry.rescale}.",
            f"Set protocol.geometry.rescale to {size} or more.",
        )
