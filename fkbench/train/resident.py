"""A dataset's rows on the device: square views of one size, or whole frames of many sizes that are cropped as they are
taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

Taken = tuple[Tensor, Tensor, Tensor]
"""images (B, C, S, S), points (B, K, 2) in pixels of them, valid (B, K)."""


@dataclass(frozen=True)
class Resident:
    """Views.

    Attributes:
        images: (N, C, S, S) uint8, or float32 in units of full scale.
        points: (N, K, 2) float32 in pixels of these images, finite everywhere (0 where missing).
        valid: (N, K) bool.
        unit: (N, 2) scoring-frame pixels per pixel of these images, along x and y.
        pad: margin of the canvases; 0 for evaluation views.
    """

    images: Tensor
    points: Tensor
    valid: Tensor
    unit: Tensor
    pad: int = 0

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Tensor, place: Tensor) -> Taken:
        """These rows; `place` is not used."""
        return self.images[rows], self.points[rows], self.valid[rows]

    def mean_points(self) -> Tensor:
        """(K, 2) mean of each point where it is labelled, in pixels of what the net sees: without the margin."""
        return _mean(self.points, self.valid) - self.pad

    def without_margin(self) -> Resident:
        """The middle of the canvases: what is scored."""
        low, high = self.pad, self.images.shape[-1] - self.pad
        return replace(self, images=self.images[:, :, low:high, low:high], points=self.points - self.pad, pad=0)

    def only(self, rows: Tensor) -> Resident:
        """Some rows as a set of their own."""
        return replace(
            self, images=self.images[rows], points=self.points[rows], valid=self.valid[rows], unit=self.unit[rows]
        )


@dataclass(frozen=True)
class ResidentFrames:
    """Whole frames, of which squares are taken.

    Attributes:
        buffer: (pixels, C) uint8, the frames one after the other, row by row.
        offsets: (N,) first pixel of each frame.
        height, width: (N,) int64.
        points, valid, unit: as of `Resident`, in pixels of the whole frames.
        size: side of the squares.
    """

    buffer: Tensor
    offsets: Tensor
    height: Tensor
    width: Tensor
    points: Tensor
    valid: Tensor
    unit: Tensor
    size: int
    pad: int = 0

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, rows: Tensor, place: Tensor) -> Taken:
        """A square of each of these rows at `place` (B, 2): top = floor(place · (height − size)), and so for left."""
        room = torch.stack([self.height[rows], self.width[rows]], dim=1) - self.size
        top, left = (place * room).long().unbind(1)
        axis = torch.arange(self.size, device=self.buffer.device)
        lines = self.offsets[rows, None] + (top[:, None] + axis) * self.width[rows, None] + left[:, None]
        images = self.buffer[lines[:, :, None] + axis].movedim(3, 1)
        shift = torch.stack([left, top], dim=1).unsqueeze(1)
        return images, self.points[rows] - shift, self.valid[rows]

    def mean_points(self) -> Tensor:
        """(K, 2) mean of each point where it is labelled, in pixels of the squares: over all places of these, too."""
        room = torch.stack([self.width, self.height], dim=1) - self.size
        middle = (room - 1).clamp_min(0) / 2  # `take` never takes the last place where there is more than one
        return _mean(self.points - middle.unsqueeze(1), self.valid)


def _mean(points: Tensor, valid: Tensor) -> Tensor:
    weight = valid.unsqueeze(2).float()
    return (points * weight).sum(0) / weight.sum(0).clamp_min(1)


Rows = Resident | ResidentFrames
