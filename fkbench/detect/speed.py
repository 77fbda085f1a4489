"""Milliseconds of a detector per picture, under the rules of the timing contract (docs/timing.md).

One picture at a time, real frames of their own sizes, more of them than the cache holds; untimed calls first; the
host's clock; at least 1000 calls unless the time runs out, and what was done is said; the control net in turns with
the measurement, a session in which it drifts by more than 5 % is void. The call is `OpenDetector.find`: from the
uint8 picture to checked boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import torch

from fkbench.datasets.samples import Frames
from fkbench.timing.clock import Clock
from fkbench.timing.conditions import Watch, conditions
from fkbench.timing.control import DRIFT_LIMIT, Control, drift
from fkbench.timing.measure import measure_latency, percentiles_ms
from fkbench.timing.plan import FULL, QUICK, Plan
from fkbench.timing.session import TIMING_VERSION

BUDGET_S = 20.0
"""Seconds for the calls of one session: detectors are slower than nets on crops."""


def time_per_picture(
    call: Callable[[Any], object], frames: Frames, rows: Sequence[int], *, quick: bool = False, plan: Plan | None = None
) -> dict[str, Any]:
    """Time a call on one picture after the other.

    Args:
        call: the work on one picture (H, W, C).
        frames: where the pictures come from.
        rows: which of them, in turns.
        quick: a short session, marked.

    Returns:
        `ms` (p50, p90, p99), `pictures_per_s` (calls over their time), `calls`, `control`, `void` and the conditions.
    """
    plan = plan or (QUICK if quick else FULL)
    budget = BUDGET_S if plan is FULL else plan.latency_s
    pictures = [frames[int(row)] for row in rows]
    watch, clock = Watch(), Clock()

    def turn(number: int) -> object:
        return call(pictures[number % len(pictures)])

    control = Control.on(torch.device("cpu"), clock)
    control.warm_up(plan.warm_up_s)
    measure_latency(turn, clock=clock, calls=30, budget_s=plan.warm_up_s, least=2)
    taken, attempts = _session(turn, control, clock, plan, budget), 1
    while drift(control.blocks) > DRIFT_LIMIT and attempts < plan.attempts:
        taken, attempts = _session(turn, control, clock, plan, budget), attempts + 1
    drifted = drift(control.blocks)
    return {
        "version": TIMING_VERSION, "quick": plan is not FULL, "ms": percentiles_ms(taken), "calls": len(taken),
        "pictures_per_s": len(taken) / sum(taken), "pictures": len(pictures),
        "control": {"blocks_ms": list(control.blocks), "drift": drifted, "limit": DRIFT_LIMIT, "attempts": attempts},
        "void": drifted > DRIFT_LIMIT, "opencv_threads": cv2.getNumThreads(),
        **watch.seen(), **conditions(torch.device("cpu")),
    }  # fmt: skip


def _session(turn: Callable[[int], object], control: Control, clock: Clock, plan: Plan, budget: float) -> list[float]:
    """Seconds of each call, in rounds between blocks of the control."""
    control.blocks.clear()
    taken: list[float] = []
    calls = -(-plan.calls // plan.rounds)
    for number in range(plan.rounds):
        control.measure(plan.control_s)
        measure_latency(turn, clock=clock, calls=2, first=number)  # settles after the change of work; not kept
        share = budget / plan.rounds
        taken += measure_latency(turn, clock=clock, calls=calls, budget_s=share, least=4, first=number * calls)
    control.measure(plan.control_s)
    return taken
