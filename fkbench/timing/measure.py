"""The two measurements: latency of single calls, and throughput of repetitions of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fkbench.timing.clock import Clock

Call = Callable[[int], object]
"""A unit of work; it is told how many came before it, so that it can take the next input."""


def measure_latency(
    call: Call, *, clock: Clock, calls: int = 1000, budget_s: float = float("inf"), least: int = 10, first: int = 0
) -> list[float]:
    """Seconds of each call on the host's clock, the device synchronised before and within each.

    Args:
        call: one picture from input to output.
        clock: of the device.
        calls: how many.
        budget_s: after this time no further call is made, once there are `least`.
        least: calls that are made in any case.
        first: number given to the first call.
    """
    taken: list[float] = []
    clock.sync()
    began = clock.now()
    for i in range(calls):
        before = clock.now()
        call(first + i)
        clock.sync()
        taken.append(clock.now() - before)
        if i + 1 >= least and clock.now() - began > budget_s:
            break
    return taken


def measure_throughput(
    call_on_batch: Call, *, clock: Clock, images: int, batches: int, repetitions: int, first: int = 0
) -> list[float]:
    """Images per second of each repetition: `batches` calls one behind the other, one sync at the end.

    Args:
        call_on_batch: one batch.
        clock: of the device.
        images: pictures in a batch.
        batches: calls in a repetition.
        repetitions: how many.
        first: number given to the first call.
    """
    rates: list[float] = []
    clock.sync()
    for repetition in range(repetitions):
        mark = clock.start()
        for i in range(batches):
            call_on_batch(first + repetition * batches + i)
        rates.append(images * batches / clock.seconds(mark))
    return rates


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of a list of measurements."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles, linear between neighbours."""
    low, median, high = (float(v) for v in np.percentile(values, [25, 50, 75]))
    return Spread(median, low, high)


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p90 and p99 in ms, linear between neighbours (99 % of calls are at most p99)."""
    found = np.percentile(np.asarray(seconds) * 1000.0, [50, 90, 99])
    return {name: float(value) for name, value in zip(("p50", "p90", "p99"), found, strict=True)}
