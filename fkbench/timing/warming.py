"""Before anything is timed: first calls, warm-up, and the batches that fit. All of it works on noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from fkbench.timing.inputs import noise_like
from fkbench.timing.plan import Plan
from fkbench.timing.subject import Subject


@dataclass
class Warm:
    """What the warm-up found.

    Attributes:
        batches: sizes that are timed, rising.
        first_s: seconds of the first call with each size of batch: compiling, planning and set-up.
        left_out: sizes that are not timed, and why.
    """

    batches: list[int] = field(default_factory=list)
    first_s: dict[int, float] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)


def first_call(subject: Subject, size: int = 1) -> float:
    """Seconds of a call on noise, to its end."""
    noise = noise_like(subject.resident.views, size)
    subject.clock.sync()
    before = subject.clock.now()
    subject.run(noise)
    subject.clock.sync()
    return subject.clock.now() - before


def warm_up(subject: Subject, batch: int, sweep: Sequence[int], plan: Plan) -> Warm:
    """Make every size of batch that is timed known to the model.

    Args:
        batch: the one size that is wanted; it is approached from 1 by doubling, and made smaller where it takes too
            long or does not fit. Not used with a sweep.
        sweep: sizes that are wanted; those that take too long or do not fit are left out.
    """
    warm = Warm(first_s={1: first_call(subject)})
    began = subject.clock.now()
    if sweep:
        _grow_through(subject, sorted(set(sweep)), plan, warm)
    else:
        _double(subject, batch, plan, warm)
    while subject.clock.now() - began < plan.warm_up_s:
        first_call(subject)
    return warm


def _double(subject: Subject, batch: int, plan: Plan, warm: Warm) -> None:
    size, used = 1, 1
    while True:
        try:
            took = first_call(subject, size)
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            break
        used = size
        if size >= batch or 2 * took > plan.slowest_batch_s:
            break
        size = min(2 * size, batch)
    warm.batches = [used]


def _grow_through(subject: Subject, sizes: Sequence[int], plan: Plan, warm: Warm) -> None:
    reason = ""
    for size in sizes:
        if reason:
            warm.left_out[size] = reason
            continue
        try:
            first = first_call(subject, size)
            took = first_call(subject, size)
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            warm.left_out[size] = reason = "does not fit into memory"
            continue
        if size > 1:
            warm.first_s[size] = first
        if took > plan.slowest_sweep_s and warm.batches:
            warm.left_out[size] = f"a batch takes {took:.1f} s"
            reason = "larger than one that takes too long"
        else:
            warm.batches.append(size)
