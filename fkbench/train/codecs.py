"""Codecs: points in input pixels ↔ a head's outputs, with the loss between the two. Missing points weigh nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol as TypingProtocol

import torch
from torch import Tensor
from torch.nn import functional

from fkbench.errors import FkbenchError
from fkbench.specs import CodecSpec


class Codec(TypingProtocol):
    """What the engine needs of a codec."""

    def outputs(self, points: int) -> int:
        """Number of outputs of the net for so many points."""

    def encode(self, points: Tensor) -> Tensor:
        """(N, K, 2) input pixels → targets."""

    def decode(self, output: Tensor) -> Tensor:
        """The net's output → (N, K, 2) input pixels, float32."""

    def loss(self, output: Tensor, points: Tensor, valid: Tensor) -> Tensor:
        """Scalar loss over labelled coordinates; points (N, K, 2) finite anywhere, valid (N, K)."""


@dataclass(frozen=True)
class CoordinateCodec:
    """Targets (p − offset) / scale, interleaved x0, y0, x1, y1 …

    Attributes:
        offset: input pixels.
        scale: input pixels per unit of target.
        kind: `smooth_l1` (β = 1), `mse` or `root_mse`.
    """

    offset: float
    scale: float
    kind: str

    def outputs(self, points: int) -> int:
        return 2 * points

    def encode(self, points: Tensor) -> Tensor:
        return ((points - self.offset) / self.scale).flatten(1)

    def decode(self, output: Tensor) -> Tensor:
        return output.float().view(len(output), -1, 2) * self.scale + self.offset

    def loss(self, output: Tensor, points: Tensor, valid: Tensor) -> Tensor:
        weight = valid.unsqueeze(2).expand(-1, -1, 2).flatten(1).to(torch.float32)
        target = self.encode(points)
        if self.kind == "smooth_l1":
            each = functional.smooth_l1_loss(output.float(), target, reduction="none")
        else:
            each = (output.float() - target).square()
        mean = (each * weight).sum() / weight.sum().clamp_min(1.0)
        # The slope of a root is infinite at zero; below the clamp the gradient is zero instead of NaN.
        return mean.clamp_min(1e-12).sqrt() if self.kind == "root_mse" else mean


def make_codec(spec: CodecSpec, size: int) -> Codec:
    """The codec of a recipe for an input of `size` pixels.

    `canonical` maps pixel centres so that the picture's borders are −1 and 1: offset = (size − 1)/2, scale = size/2.
    """
    if spec.kind == "canonical":
        return CoordinateCodec((size - 1) / 2, size / 2, spec.loss)
    if spec.scale == 0:
        raise FkbenchError("The codec's scale is 0.", "Set codec.scale to another value.")
    return CoordinateCodec(spec.offset, spec.scale, spec.loss)
