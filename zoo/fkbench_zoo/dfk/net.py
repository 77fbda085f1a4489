"""The net of dfk."""

from __future__ import annotations

from torch import Tensor, nn


class DFK(nn.Module):
    """(N, channels, size, size) in [0, 1] → (N, outputs)."""

    def __init__(self, channels: int, size: int, outputs: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 16, 2),
            nn.ReLU(),
            # An even kernel with `same` pads one row below and one column to the right only.
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(16, 32, 2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 2),
            nn.ReLU(),
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(64, 32, 2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        side = ((size - 1) // 2 - 1) // 2
        self.head = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(32 * side * side, 500),
            nn.ReLU(),
            nn.Linear(500, 250),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(250, outputs),
        )

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(images))
        return out


def build(channels: int, size: int, outputs: int) -> DFK:
    """dfk for pictures of `size` pixels; 8 615 920 parameters for (1, 96, 30)."""
    return DFK(channels, size, outputs)
