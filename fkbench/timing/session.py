"""One timing session: latency and throughput in turns with the control net, everything from uint8 to points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fkbench.timing.clock import Clock, clock_for
from fkbench.timing.conditions import Watch, conditions
from fkbench.timing.control import DRIFT_LIMIT, Control, drift
from fkbench.timing.inputs import ByteViews, input_pool
from fkbench.timing.measure import Call, measure_latency, measure_throughput
from fkbench.timing.plan import FULL, QUICK, Plan
from fkbench.timing.results import best_batch, counted, memory, speeds, validity
from fkbench.timing.subject import Forward, Subject, Takes
from fkbench.timing.warming import warm_up

TIMING_VERSION = 1
DTYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def time_model(
    forward: Forward,
    views: ByteViews,
    *,
    device: torch.device | str,
    precision: str = "fp32",
    batch: int = 128,
    sweep: Sequence[int] = (),
    quick: bool = False,
    net: nn.Module | None = None,
    plan: Plan | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Time a trained model from uint8 views to points, as `docs/timing.md` says.

    Args:
        forward: (B, C, R, R) uint8 → (B, K, 2) points in pixels of the views: conversion, net and decoding. Tensors in
            and out for nets, arrays for predictors that are none (those stay on the host).
        views: (N, C, R, R) uint8 real pictures: tensor or array, as `forward` takes them.
        device: where `forward` computes.
        precision: `fp32`, `bf16` or `fp16`: that of the scores; autocast is set here.
        batch: pictures in a throughput batch; made smaller where one would take too long or not fit.
        sweep: sizes of batch that are all timed, in place of `batch`; the best one is the result.
        quick: a short session for `smoke` runs and tests; its numbers are marked and not the contract's.
        net: to count parameters and MACs of; None: left out.
        plan: lengths other than the default's.
        clock: of the device; tests give their own.

    Returns:
        The `timing` part of a record, as JSON values (images/s, ms, MiB, s).

    Raises:
        ValueError: no views, an unknown precision, or a size of batch below 1.
    """
    _check(views, precision, [batch, *sweep])
    place, watch, plan = torch.device(device), Watch(), plan or (QUICK if quick else FULL)
    subject = _subject(forward, views, place, clock or clock_for(place), DTYPES[precision], max(sweep, default=batch))
    how = {"version": TIMING_VERSION, "quick": quick, "precision": precision}
    return {**how, **_timed(subject, views, net, batch, sweep, plan), **watch.seen(), **conditions(place)}


def _check(views: ByteViews, precision: str, batches: Sequence[int]) -> None:
    if len(views) == 0 or precision not in DTYPES or min(batches) < 1:
        raise ValueError(f"timing needs views, batches of 1 or more, and a precision out of {', '.join(DTYPES)}")


def _subject(
    forward: Forward, views: ByteViews, device: torch.device, clock: Clock, dtype: torch.dtype | None, batch: int
) -> Subject:
    host = input_pool(views, batch, device)
    resident = host
    if device.type != "cpu" and isinstance(views, torch.Tensor):
        resident = input_pool(views, batch, device, on=device)
    return Subject(forward, device, clock, host, resident, dtype)


def _timed(
    subject: Subject, views: ByteViews, net: nn.Module | None, batch: int, sweep: Sequence[int], plan: Plan
) -> dict[str, Any]:
    """All that is measured of a subject: speeds, memory, the size of its net, and whether the control vouches for it.

    Raises:
        ValueError: not even the smallest of the batches can be timed.
    """
    warm = warm_up(subject, batch, sweep, plan)
    if not warm.batches:
        raise ValueError(f"not even a batch of {min(sweep)} {next(iter(warm.left_out.values()))}")
    control = Control.on(subject.device, subject.clock)
    control.warm_up(plan.warm_up_s)
    takes, attempts = _attempts(subject, control, warm.batches, plan)
    return {
        "batch_asked": max(sweep, default=batch),
        **speeds(takes, subject, warm),
        **memory(subject, best_batch(takes), net),
        **counted(net, views),
        **validity(control, attempts),
    }


def _attempts(subject: Subject, control: Control, batches: Sequence[int], plan: Plan) -> tuple[Takes, int]:
    """The first session that is not void, or the last one; and how many there were."""
    for attempt in range(1, plan.attempts):
        takes = _session(subject, control, batches, plan, until=DRIFT_LIMIT)
        if drift(control.blocks) <= DRIFT_LIMIT:
            return takes, attempt
    return _session(subject, control, batches, plan), plan.attempts


def _session(subject: Subject, control: Control, batches: Sequence[int], plan: Plan, until: float = math.inf) -> Takes:
    """Rounds of control, latency and throughput, with a last control block at the end; given up at a drift `until`."""
    control.blocks.clear()
    takes = Takes(resident={size: [] for size in batches})
    if subject.copies:
        takes.end_to_end = {size: [] for size in batches}
    calls = -(-plan.calls // plan.rounds)
    single = subject.end_to_end(1)
    length = {size: _batches(subject.on_device(size), subject.clock, plan) for size in batches}
    for turn in range(plan.rounds):
        control.measure(plan.control_s)
        if drift(control.blocks) > until:
            return takes
        measure_latency(single, clock=subject.clock, calls=3)  # settles after the change of work; not kept
        budget, first = plan.latency_s / plan.rounds, turn * calls
        takes.latency += measure_latency(
            single, clock=subject.clock, calls=calls, budget_s=budget, least=4, first=first
        )
        for size in batches:
            _repeat(subject, takes, size, length[size], turn, plan)
    control.measure(plan.control_s)
    return takes


def _repeat(subject: Subject, takes: Takes, size: int, batches: int, turn: int, plan: Plan) -> None:
    """One round's repetitions of throughput with one size of batch."""
    repetitions = -(-plan.repetitions // plan.rounds)
    how = {"images": size, "batches": batches, "repetitions": repetitions, "first": turn * batches * repetitions}
    resident, whole = subject.on_device(size), subject.end_to_end(size)
    takes.resident[size] += measure_throughput(resident, clock=subject.clock, **how)
    if subject.copies:
        takes.end_to_end[size] += measure_throughput(whole, clock=subject.clock, **how)


def _batches(call: Call, clock: Clock, plan: Plan) -> int:
    """Batches in a repetition so that it lasts as planned."""
    taken = min(measure_latency(call, clock=clock, calls=3, budget_s=plan.repetition_s, least=1))
    return max(1, round(plan.repetition_s / max(taken, 1e-6)))
