"""Clocks: the host's, and a device's own where it has a queue that runs behind the host's back."""

from __future__ import annotations

import time
from typing import Any

import torch


class Clock:
    """The host's clock, for devices on which a call returns when its work is done.

    Attributes:
        name: how repetitions are timed, as recorded.
    """

    name = "host"

    def now(self) -> float:
        """Host time, s."""
        return time.perf_counter()

    def sync(self) -> None:
        """Wait until the device has done everything that was asked of it."""

    def start(self) -> Any:
        """Mark the beginning of a repetition."""
        return self.now()

    def seconds(self, mark: Any) -> float:
        """Seconds since the mark, with exactly one sync."""
        self.sync()
        elapsed: float = self.now() - mark
        return elapsed


class ProcessorClock(Clock):
    """Processor time of all threads of this process: waiting for others does not enter, as on a machine in use."""

    name = "processor time"

    def now(self) -> float:
        """Processor time, s."""
        return time.process_time()


class CudaClock(Clock):
    """Events in the device's own queue, so that the host's work between launches is not counted twice."""

    name = "device events"

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def sync(self) -> None:
        torch.cuda.synchronize(self.device)

    def start(self) -> Any:
        return self._event()

    def seconds(self, mark: Any) -> float:
        end = self._event()
        self.sync()
        return float(mark.elapsed_time(end)) / 1000.0

    def _event(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event


def clock_for(device: torch.device) -> Clock:
    """The clock of a device."""
    return CudaClock(device) if device.type == "cuda" else Clock()
