"""The control of a benchmark: the timing contract's fixed net, timed just before and just after."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from fkbench.timing.clock import Clock
from fkbench.timing.control import Control, drift

BLOCK_S = 0.15


def beside_control(benchmark: Any, work: Callable[[], object], *, rounds: int = 5) -> float:
    """Time `work` under pytest-benchmark between two blocks of the control; what they say goes into `extra_info`.

    Returns:
        Median seconds of `work`. `ratio` in `extra_info` is that over the control's median call: what is compared
        between two runs of the benchmarks.
    """
    control = Control.on(torch.device("cpu"), Clock())
    control.warm_up(BLOCK_S)
    control.measure(BLOCK_S)
    taken: list[float] = []

    def timed() -> None:
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)

    benchmark.pedantic(timed, rounds=rounds, warmup_rounds=1)
    control.measure(BLOCK_S)
    counted = taken[-rounds:]  # the warm-up stands before
    median = statistics.median(counted)
    benchmark.extra_info.update(
        control_ms=control.blocks,
        drift=drift(control.blocks),
        ratio=1000.0 * median / statistics.mean(control.blocks),
    )
    return median
