"""Decoding pictures that others made: size looked at before memory is given, colour as RGB."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from fkbench.datasets.archives import Source
from fkbench.datasets.progress import listener
from fkbench.datasets.samples import ByteArray, Frames
from fkbench.errors import FkbenchError

MAX_SIDE = 16_384
MAX_PIXELS = 50_000_000
MAX_FRAMES = 8 * 2**30
"""Bytes that all decoded pictures of one part may have together."""
MAX_ENCODED = 64 * 2**20
_HEAD = 64 * 1024
# JPEG: frame headers SOF0–SOF15 without the tables DHT, JPG and DAC, which share their range
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a PNG or JPEG header states; None if it is neither or the header is cut off."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return struct.unpack(">II", data[16:24]) if len(data) >= 24 and data[12:16] == b"IHDR" else None
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        standalone = marker == 0x01 or 0xD0 <= marker <= 0xD8
        at += 2 if standalone else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def decode_rgb(data: bytes, name: str) -> ByteArray:
    """A picture as (H, W, 3) uint8 RGB; alpha is dropped, EXIF rotation ignored (labels are in stored pixels).

    Raises:
        FkbenchError: it does not decode; `name` is in the message.
    """
    if not _whole(data):  # OpenCV fills what is missing of a JPEG with grey and says nothing
        raise FkbenchError(f"The picture '{name}' is cut short.", "Get the file again.")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise FkbenchError(f"The picture '{name}' does not decode.", "Get the file again.")
    rgb: ByteArray = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    return rgb


def _whole(data: bytes) -> bool:
    """Whether a PNG or JPEG has its end mark (within the last 4 KiB: some programs append to the file)."""
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" in data[-4096:]
    return not data.startswith(b"\x89PNG") or b"IEND" in data[-4096:]


def read_frames(source: Source, names: Sequence[str], stage: str) -> Frames:
    """Decode pictures of a source into one buffer, in the order of `names`, several at a time.

    Args:
        source: folder or archive.
        names: files to read.
        stage: what progress calls it.

    Raises:
        FkbenchError: one does not decode or has an absurd size; the message names it.
    """
    shapes = np.array([_shape(source, name) for name in names], np.int64).reshape(-1, 3)
    sizes = shapes.prod(axis=1)
    if sizes.sum() > MAX_FRAMES:
        raise FkbenchError(
            f"The pictures of '{source.label}' would take {sizes.sum() / 2**30:.0f} GiB.", "Import fewer of them."
        )
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    frames = Frames(np.empty(int(offsets[-1]), np.uint8), offsets[:-1], shapes)

    def decode(index: int) -> None:
        name = names[index]
        rgb = decode_rgb(source.read(name, MAX_ENCODED), f"{name}' in '{source.label}")
        if rgb.shape != frames[index].shape:
            raise _not_a_picture(source, name)
        frames[index][...] = rgb

    _in_threads(decode, len(names), stage)
    return frames


def _in_threads(work: Callable[[int], None], count: int, stage: str) -> None:
    report = listener()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        pending = [pool.submit(work, index) for index in range(count)]
        try:
            for index, future in enumerate(pending):
                future.result()
                if index % 32 == 0:
                    report(stage, index, count)
        except BaseException:
            for future in pending:
                future.cancel()
            raise
    report(stage, count, count)


def _shape(source: Source, name: str) -> tuple[int, int, int]:
    size = picture_size(source.head(name, _HEAD)) or picture_size(source.read(name, MAX_ENCODED))
    if size is None:
        raise _not_a_picture(source, name)
    width, height = size
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise FkbenchError(
            f"The picture '{name}' in '{source.label}' claims {width}×{height} pixels.",
            f"Pictures have at most {MAX_SIDE} pixels a side and {MAX_PIXELS // 10**6} million in all.",
        )
    return height, width, 3


def _not_a_picture(source: Source, name: str) -> FkbenchError:
    return FkbenchError(
        f"The picture '{name}' in '{source.label}' does not decode: it is not a whole PNG or JPEG.",
        "Get the file again.",
    )
