"""Predictors: what gives points for pictures. A trained net is one kind; a fitted table or regression is another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as TypingProtocol

import numpy as np
import torch
from torch import Tensor, nn

from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.train.codecs import Codec
from fkbench.train.engine import autocast
from fkbench.train.pictures import net_input

Ready = Callable[[Tensor], Tensor]
"""A net, or a runtime's form of one: (B, C, R, R) float32 as the net takes it → its output."""


class Predictor(TypingProtocol):
    """`predict` takes views (N, C, R, R) uint8 and gives points (N, K, 2) float32 in pixels of these views."""

    def predict(self, images: ByteArray) -> FloatArray: ...


class NetPredictor:
    """A net with its codec, on a device, at the precision at which it is scored.

    Attributes:
        ready: what is called in the net's place; the net itself where no runtime prepared it.
    """

    def __init__(
        self,
        net: nn.Module,
        codec: Codec,
        device: torch.device,
        precision: str,
        normalise: str = "unit",
        batch: int = 256,
    ) -> None:
        self.net = net.eval()
        self.ready: Ready = self.net
        self.codec = codec
        self.device = device
        self.precision = precision
        self.normalise = normalise
        self.batch = batch

    def under(self, ready: Ready, precision: str) -> NetPredictor:
        """The same model through a prepared form of its net.

        Args:
            precision: of autocast around it: `fp32` or `bf16`.
        """
        other = NetPredictor(self.net, self.codec, self.device, precision, self.normalise, self.batch)
        other.ready = ready
        return other

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, R, R) uint8 on the device → (B, K, 2) float32 view pixels on the device."""
        with torch.inference_mode(), autocast(self.device, self.precision):
            output = self.ready(net_input(images, self.normalise))
        return self.codec.decode(output)

    def predict(self, images: ByteArray) -> FloatArray:
        if not len(images):  # only the net knows of how many points: one black picture says it
            return self.predict(np.zeros((1, *images.shape[1:]), np.uint8))[:0]
        parts = []
        for low in range(0, len(images), self.batch):
            batch = torch.from_numpy(np.ascontiguousarray(images[low : low + self.batch])).to(self.device)
            parts.append(self.forward(batch).cpu().numpy())
        return np.concatenate(parts).astype(np.float32)
