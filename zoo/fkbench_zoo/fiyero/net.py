"""The net of fiyero, as in its author's notebook and as in the article's text."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from fkbench.errors import TooSmallError

CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512)
LEAST = 76


class Fiyero(nn.Module):
    """(N, channels, size, size) in [0, 1] → (N, outputs).

    Args:
        width: multiplies the number of channels and hidden units.
        as_text: batch norm as the text has it, after the pool of every second convolution, and nowhere else; otherwise
            after the ReLU of every convolution and hidden linear layer.
    """

    def __init__(self, channels: int, size: int, outputs: int, width: float, *, as_text: bool) -> None:
        super().__init__()
        scaled = partial(_scaled, width)
        widths = [channels, *map(scaled, CHANNELS)]
        layers: list[nn.Module] = []
        for i in range(len(CHANNELS)):
            layers += [nn.Conv2d(widths[i], widths[i + 1], 3), nn.ReLU()]
            if not as_text:
                layers.append(nn.BatchNorm2d(widths[i + 1]))
            if i % 2:
                layers.append(nn.MaxPool2d(2))
            if i % 2 and as_text:
                layers.append(nn.BatchNorm2d(widths[i + 1]))
        self.features = nn.Sequential(*layers, nn.Flatten())
        flat = widths[-1] * _side(size) ** 2
        self.head = nn.Sequential(
            *_hidden(flat, scaled(4096), not as_text),
            *_hidden(scaled(4096), scaled(1000), not as_text),
            nn.Linear(scaled(1000), outputs),
        )

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(images))
        return out


def _scaled(width: float, count: int) -> int:
    return max(1, round(count * width))


def _hidden(inputs: int, outputs: int, norm: bool) -> list[nn.Module]:
    normed: list[nn.Module] = [nn.BatchNorm1d(outputs)] if norm else []
    return [nn.Linear(inputs, outputs), nn.ReLU(), *normed, nn.Dropout(0.5)]


def _side(size: int) -> int:
    for _ in range(len(CHANNELS) // 2):
        size = (size - 4) // 2
    return size


def build(channels: int, size: int, outputs: int, width: float = 1.0) -> Fiyero:
    """fiyero as in the notebook; 218 631 872 parameters for (1, 224, 136).

    Raises:
        TooSmallError: below 76 pixels nothing is left after the last pool.
    """
    if size < LEAST:
        raise TooSmallError("fiyero", size, LEAST)
    return Fiyero(channels, size, outputs, width, as_text=False)


def build_text(channels: int, size: int, outputs: int, width: float = 1.0) -> Fiyero:
    """fiyero as in the article's text; 218 619 824 parameters for (1, 224, 136).

    Raises:
        TooSmallError: below 76 pixels nothing is left after the last pool.
    """
    if size < LEAST:
        raise TooSmallError("fiyero-text", size, LEAST)
    return Fiyero(channels, size, outputs, width, as_text=True)
