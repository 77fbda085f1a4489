"""A fixed net that is timed between the measurements: when its own speed drifts, the machine was not quiet.

Its size, weights, input and batch are part of the timing version and never follow the model at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from fkbench.timing.clock import Clock
from fkbench.timing.measure import measure_latency

DRIFT_LIMIT = 0.05
BATCH, CHANNELS, SIDE = 32, 1, 96
BLOCK_CALLS = 400  # at most, in one block
BLOCK_LEAST = 8


def control_net(seed: int = 0) -> nn.Module:
    """A plain small CNN with fixed weights; the global random state stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(CHANNELS, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64 * 16, 30),
        )  # fmt: skip
    return net.eval()


@dataclass
class Control:
    """The control of one session.

    Attributes:
        net: on the device of the session.
        pictures: its fixed input there.
        clock: of the device.
        blocks: median milliseconds of each block so far.
    """

    net: nn.Module
    pictures: torch.Tensor
    clock: Clock
    blocks: list[float] = field(default_factory=list)

    @classmethod
    def on(cls, device: torch.device, clock: Clock) -> Control:
        generator = torch.Generator().manual_seed(0)
        pictures = torch.rand((BATCH, CHANNELS, SIDE, SIDE), generator=generator)
        return cls(control_net().to(device), pictures.to(device), clock)

    def warm_up(self, seconds: float) -> None:
        """Untimed calls, so that no block pays for first-time set-up."""
        measure_latency(self._call, clock=self.clock, calls=BLOCK_CALLS, budget_s=seconds)

    def measure(self, seconds: float) -> None:
        """Time one more block."""
        taken = measure_latency(self._call, clock=self.clock, calls=BLOCK_CALLS, budget_s=seconds, least=BLOCK_LEAST)
        self.blocks.append(1000.0 * float(np.median(taken)))

    def _call(self, _: int) -> object:
        with torch.inference_mode():
            return self.net(self.pictures)


def drift(blocks: Sequence[float]) -> float:
    """Greatest difference between two blocks, as a share of the median block."""
    return float((max(blocks) - min(blocks)) / np.median(blocks))
