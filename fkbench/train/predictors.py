"""Predictors: what gives points for pictures. A trained net is one kind; a fitted table or regression is another."""

from __future__ import annotations

from typing import Protocol as TypingProtocol

import numpy as np
import torch
from torch import Tensor, nn

from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.train.codecs import Codec
from fkbench.train.engine import autocast
from fkbench.train.pictures import net_input


class Predictor(TypingProtocol):
    """`predict` takes views (N, C, R, R) uint8 and gives points (N, K, 2) float32 in pixels of these views."""

    def predict(self, images: ByteArray) -> FloatArray: ...


class NetPredictor:
    """A net with its codec, on a device, at the precision at which it is scored."""

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
        self.codec = codec
        self.device = device
        self.precision = precision
        self.normalise = normalise
        self.batch = batch

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, R, R) uint8 on the device → (B, K, 2) float32 view pixels on the device."""
        with torch.inference_mode(), autocast(self.device, self.precision):
            output = self.net(net_input(images, self.normalise))
        return self.codec.decode(output)

    def predict(self, images: ByteArray) -> FloatArray:
        parts = []
        for low in range(0, len(images), self.batch):
            batch = torch.from_numpy(np.ascontiguousarray(images[low : low + self.batch])).to(self.device)
            parts.append(self.forward(batch).cpu().numpy())
        return np.concatenate(parts).astype(np.float32)
