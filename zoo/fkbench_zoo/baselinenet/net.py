"""The two nets of baselinenet's repository that were written for this data."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from fkbench.errors import TooSmallError

LEAST = 32


class BaselineNet(nn.Module):
    """(N, channels, size, size) in [0, 1] → (N, outputs)."""

    def __init__(self, channels: int, size: int, outputs: int) -> None:
        super().__init__()
        widths = (channels, 64, 64, 128, 128, 256)
        layers: list[nn.Module] = []
        for inputs, maps in pairwise(widths):
            layers += [nn.Conv2d(inputs, maps, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(widths[-1] * (size // 2**5) ** 2, 1024),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(1024, 512),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(512, outputs),
        )

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(images))
        return out


class NaiveModule(nn.Module):
    """Inception module without bottlenecks: (N, inputs, R, R) → (N, Σ maps + inputs, R, R).

    Args:
        maps: of the convolutions with kernel 1, 3 and 5; the fourth branch is a pool of the input.
    """

    def __init__(self, inputs: int, maps: tuple[int, int, int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, count, kernel, padding=kernel // 2), nn.ReLU(), nn.BatchNorm2d(count))
            for count, kernel in zip(maps, (1, 3, 5), strict=True)
        )
        self.pool = nn.MaxPool2d(3, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([*(branch(images) for branch in self.branches), self.pool(images)], dim=1)


class InceptionNaive(nn.Module):
    """(N, channels, size, size) in [0, 1] → (N, outputs). No layer makes the picture smaller."""

    def __init__(self, channels: int, size: int, outputs: int) -> None:
        super().__init__()
        first, second = (64, 64, 32), (96, 96, 64)
        middle = sum(first) + channels
        self.features = nn.Sequential(
            NaiveModule(channels, first),
            nn.MaxPool2d(3, 1, 1),
            NaiveModule(middle, second),
            nn.MaxPool2d(3, 1, 1),
            nn.Flatten(),
        )
        flat = (sum(second) + middle) * size * size
        self.head = nn.Sequential(nn.Linear(flat, 1024), nn.ReLU(), nn.Dropout(0.4), nn.Linear(1024, outputs))

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(images))
        return out


def build(channels: int, size: int, outputs: int) -> BaselineNet:
    """baselinenet for pictures of `size` pixels; 3 454 686 parameters for (1, 96, 30).

    Raises:
        TooSmallError: below 32 pixels nothing is left after the last pool.
    """
    if size < LEAST:
        raise TooSmallError("baselinenet", size, LEAST)
    return BaselineNet(channels, size, outputs)


def build_inception(channels: int, size: int, outputs: int) -> InceptionNaive:
    """The repository's naive inception net; 3 935 752 350 parameters for (1, 96, 30)."""
    return InceptionNaive(channels, size, outputs)
