"""What a dataset gives: pictures, points and what is known about each, on a memory map where they are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Frames:
    """Pictures of any size, one after the other in one flat buffer (layer 1: native pixels, no resampling).

    Attributes:
        buffer: (bytes,) uint8, memory-mapped or not.
        offsets: (N,) start of each picture.
        shapes: (N, 3) height, width, channels.
    """

    buffer: ByteArray
    offsets: IntArray
    shapes: IntArray

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> ByteArray:
        """Picture `index` as (H, W, C) uint8, a view of the buffer."""
        height, width, channels = (int(v) for v in self.shapes[index])
        start = int(self.offsets[index])
        return self.buffer[start : start + height * width * channels].reshape(height, width, channels)

    def chosen(self, rows: IntArray) -> Frames:
        """Some of the pictures, in this order, without a copy."""
        return Frames(self.buffer, self.offsets[rows], self.shapes[rows])

    @classmethod
    def stack(cls, images: ByteArray) -> Frames:
        """From equal pictures (N, H, W) or (N, H, W, C), without a copy."""
        count, height, width = images.shape[:3]
        channels = images.shape[3] if images.ndim == 4 else 1
        size = height * width * channels
        shapes = np.tile(np.array([height, width, channels], np.int64), (count, 1))
        return cls(np.ascontiguousarray(images).reshape(-1), np.arange(count, dtype=np.int64) * size, shapes)

    @classmethod
    def pack(cls, images: Sequence[ByteArray]) -> Frames:
        """From pictures (H, W) or (H, W, C) of different sizes."""
        shapes = np.array([(*i.shape[:2], i.shape[2] if i.ndim == 3 else 1) for i in images], np.int64).reshape(-1, 3)
        sizes = shapes.prod(axis=1)
        offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if len(sizes) else sizes
        buffer = np.concatenate([i.reshape(-1) for i in images]) if len(images) else np.zeros(0, np.uint8)
        return cls(buffer, offsets, shapes)


@dataclass(frozen=True)
class Official:
    """Whether labels and pixels are those that were published (None: cannot be known)."""

    labels: bool | None
    pixels: bool | None


@dataclass(frozen=True)
class Unlabelled:
    """Pictures without points; not a split, `predict --part unlabelled` uses them."""

    ids: tuple[str, ...]
    frames: Frames


@dataclass(frozen=True)
class Samples:
    """The labelled part of a dataset.

    Attributes:
        ids: N unique names.
        frames: N pictures.
        points: (N, K, 2) float32, x then y in native pixels, centres at integers; NaN where missing.
        group: N names of what must not stand on two sides of an honest split (person, duplicate group).
        fingerprint: `sha256:…` of decoded labelled pixels and parsed labels.
        official: are these the published labels and pixels.
        clip: N names of the clip, where there are any.
        convention: N names of the row's label convention, where there are several.
        row_kind: N kinds for weighted mixes of scores, where the dataset defines one.
        published: N names of the published part (`training`, `test`), where there is one.
        factors: per-image values for slices, each (N,).
        duplicates: (P, 2) pairs of near-duplicate indices.
        unlabelled: the unlabelled part.
    """

    ids: tuple[str, ...]
    frames: Frames
    points: FloatArray
    group: tuple[str, ...]
    fingerprint: str
    official: Official = Official(None, None)
    clip: tuple[str, ...] | None = None
    convention: tuple[str, ...] | None = None
    row_kind: tuple[str, ...] | None = None
    published: tuple[str, ...] | None = None
    factors: Mapping[str, Array] = field(default_factory=dict)
    duplicates: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    unlabelled: Unlabelled | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """(N, K): both coordinates are labelled."""
        return np.asarray(np.isfinite(self.points).all(axis=2))


@dataclass(frozen=True)
class Split:
    """Indices into `Samples`; disjoint. `name` as asked for (`complete/2`)."""

    name: str
    version: int
    train: IntArray
    val: IntArray
    test: IntArray
    leaky: bool = False

    @property
    def counts(self) -> dict[str, int]:
        return {"train": len(self.train), "val": len(self.val), "test": len(self.test)}
