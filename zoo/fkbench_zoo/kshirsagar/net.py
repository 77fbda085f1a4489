"""The net of kshirsagar."""

from __future__ import annotations

from torch import Tensor, nn

from fkbench.errors import TooSmallError

LEAST = 64


class Kshirsagar(nn.Module):
    """(N, channels, size, size) in [0, 1] → (N, outputs)."""

    def __init__(self, channels: int, size: int, outputs: int, width: float) -> None:
        super().__init__()
        a, b, c, d, e, hidden = (max(1, round(n * width)) for n in (32, 64, 128, 256, 512, 1024))
        self.features = nn.Sequential(
            *_block(channels, a, 5, 0.1),
            *_block(a, b, 3, 0.2),
            *_block(b, c, 3, 0.25),
            *_block(c, d, 3, 0.25),
            *_block(d, e, 1, 0.3),
            nn.Flatten(),
        )
        side = _side(size)
        self.head = nn.Sequential(
            nn.Linear(e * side * side, hidden), nn.ReLU(), nn.Dropout(0.4), nn.Linear(hidden, outputs)
        )

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(images))
        return out


def _block(inputs: int, outputs: int, kernel: int, dropout: float) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(dropout)]


def _side(size: int) -> int:
    for kernel in (5, 3, 3, 3, 1):
        size = (size - kernel + 1) // 2
    return size


def build(channels: int, size: int, outputs: int, width: float = 1.0) -> Kshirsagar:
    """kshirsagar for pictures of `size` pixels; 19 534 728 parameters for (1, 224, 136).

    Args:
        width: multiplies the number of channels and hidden units.

    Raises:
        TooSmallError: below 64 pixels nothing is left after the last pool.
    """
    if size < LEAST:
        raise TooSmallError("kshirsagar", size, LEAST)
    return Kshirsagar(channels, size, outputs, width)
