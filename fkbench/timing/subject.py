"""What is timed: a model with its inputs, where they lie, and what a session measured of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch

from fkbench.timing.clock import Clock
from fkbench.timing.inputs import ByteViews, InputPool
from fkbench.timing.measure import Call

Forward = Callable[[Any], Any]
"""uint8 views (B, C, R, R) → points (B, K, 2) in pixels of the views, on the same side (device or host)."""


@dataclass
class Subject:
    """The model under test with its inputs.

    Attributes:
        forward: from views to points.
        device: where it computes.
        clock: of that device.
        host: pictures on the host.
        resident: the same on the device (on a CPU: the same object).
        dtype: of autocast; None: none.
    """

    forward: Forward
    device: torch.device
    clock: Clock
    host: InputPool
    resident: InputPool
    dtype: torch.dtype | None

    @property
    def copies(self) -> bool:
        """Whether pictures and points have to be copied between host and device."""
        return self.device.type != "cpu" and isinstance(self.host.views, torch.Tensor)

    def on_device(self, size: int) -> Call:
        """Batches that lie on the device, points left there."""
        return lambda i: self.run(self.resident.batch(i, size))

    def end_to_end(self, size: int) -> Call:
        """Batches that lie on the host, points brought back to it."""
        if not self.copies:
            return self.on_device(size)
        return lambda i: self.run(self.host.batch(i, size).to(self.device)).cpu()  # type: ignore[union-attr]

    def run(self, views: ByteViews) -> Any:
        with ExitStack() as stack:
            if isinstance(views, torch.Tensor):
                stack.enter_context(torch.inference_mode())
                if self.dtype is not None:
                    stack.enter_context(torch.autocast(self.device.type, self.dtype))
            return self.forward(views)


@dataclass
class Takes:
    """What a session measured: seconds per call; by size of batch, images per second of each repetition."""

    latency: list[float] = field(default_factory=list)
    resident: dict[int, list[float]] = field(default_factory=dict)
    end_to_end: dict[int, list[float]] = field(default_factory=dict)
