"""One timing session: latency and throughput in turns with the control net, everything from uint8 to points."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from fkbench.timing.clock import Clock, clock_for
from fkbench.timing.conditions import Watch, conditions
from fkbench.timing.control import DRIFT_LIMIT, Control, drift
from fkbench.timing.inputs import ByteViews, InputPool, input_pool, noise_like
from fkbench.timing.macs import count_macs, count_parameters
from fkbench.timing.measure import Call, Spread, measure_latency, measure_throughput, percentiles_ms, spread
from fkbench.timing.memory import MIB, peak_memory
from fkbench.timing.plan import FULL, QUICK, Plan

TIMING_VERSION = 1
DTYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
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
    """What a session measured: seconds per call, images per second per repetition."""

    latency: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    end_to_end: list[float] = field(default_factory=list)


def time_model(
    forward: Forward,
    views: ByteViews,
    *,
    device: torch.device | str,
    precision: str = "fp32",
    batch: int = 128,
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
        quick: a short session for `smoke` runs and tests; its numbers are marked and not the contract's.
        net: to count parameters and MACs of; None: left out.
        plan: lengths other than the default's.
        clock: of the device; tests give their own.

    Returns:
        The `timing` part of a record, as JSON values (images/s, ms, MiB, s).

    Raises:
        ValueError: no views, or an unknown precision.
    """
    if len(views) == 0 or precision not in DTYPES:
        raise ValueError(f"timing needs views and a precision out of {', '.join(DTYPES)}")
    place, plan = torch.device(device), plan or (QUICK if quick else FULL)
    clock = clock or clock_for(place)
    watch = Watch()
    subject = _subject(forward, views, place, clock, DTYPES[precision], batch)
    first_call_s = _first_call(subject)
    used = _warm_up(subject, batch, plan)
    control = Control.on(place, clock)
    control.warm_up(plan.warm_up_s)
    takes, attempts = _attempts(subject, control, used, plan)
    return {
        "version": TIMING_VERSION, "quick": quick, "precision": precision, "batch": used, "batch_asked": batch,
        **_results(takes, subject), **_memory(subject, used, net), **_size(net, views), **_validity(control, attempts),
        "first_call_s": first_call_s, **watch.seen(), **conditions(place),
    }  # fmt: skip


def _subject(
    forward: Forward, views: ByteViews, device: torch.device, clock: Clock, dtype: torch.dtype | None, batch: int
) -> Subject:
    host = input_pool(views, batch, device)
    resident = host
    if device.type != "cpu" and isinstance(views, torch.Tensor):
        resident = input_pool(views, batch, device, on=device)
    return Subject(forward, device, clock, host, resident, dtype)


def _first_call(subject: Subject) -> float:
    """Seconds of the first call: compiling, planning and set-up, kept apart from what is timed."""
    before = subject.clock.now()
    subject.run(noise_like(subject.resident.views, 1))
    subject.clock.sync()
    return subject.clock.now() - before


def _warm_up(subject: Subject, batch: int, plan: Plan) -> int:
    """Untimed calls on noise with growing batches; gives the batch that fits memory and patience."""
    began, size, used = subject.clock.now(), 1, 1
    while True:
        try:
            before = subject.clock.now()
            subject.run(noise_like(subject.resident.views, size))
            subject.clock.sync()
            took = subject.clock.now() - before
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            break
        used = size
        if size >= batch or 2 * took > plan.slowest_batch_s:
            break
        size = min(2 * size, batch)
    single = noise_like(subject.resident.views, 1)
    while subject.clock.now() - began < plan.warm_up_s:
        subject.run(single)
        subject.clock.sync()
    return used


def _attempts(subject: Subject, control: Control, batch: int, plan: Plan) -> tuple[Takes, int]:
    """The first session that is not void, or the last one; and how many there were."""
    for attempt in range(1, plan.attempts):
        takes = _session(subject, control, batch, plan, until=DRIFT_LIMIT)
        if drift(control.blocks) <= DRIFT_LIMIT:
            return takes, attempt
    return _session(subject, control, batch, plan), plan.attempts


def _session(subject: Subject, control: Control, batch: int, plan: Plan, until: float = math.inf) -> Takes:
    """Rounds of control, latency and throughput, with a last control block at the end; given up at a drift `until`."""
    control.blocks.clear()
    takes, clock = Takes(), subject.clock
    calls, repetitions = -(-plan.calls // plan.rounds), -(-plan.repetitions // plan.rounds)
    single, resident, whole = subject.end_to_end(1), subject.on_device(batch), subject.end_to_end(batch)
    batches = _batches(resident, clock, plan)
    for turn in range(plan.rounds):
        control.measure(plan.control_s)
        if drift(control.blocks) > until:
            return takes
        measure_latency(single, clock=clock, calls=3)  # settles after the change of work; not kept
        budget, first = plan.latency_s / plan.rounds, turn * calls
        takes.latency += measure_latency(single, clock=clock, calls=calls, budget_s=budget, least=4, first=first)
        how = {"images": batch, "batches": batches, "repetitions": repetitions, "first": turn * batches * repetitions}
        takes.resident += measure_throughput(resident, clock=clock, **how)
        if subject.copies:
            takes.end_to_end += measure_throughput(whole, clock=clock, **how)
    control.measure(plan.control_s)
    return takes


def _batches(call: Call, clock: Clock, plan: Plan) -> int:
    """Batches in a repetition so that it lasts as planned."""
    taken = min(measure_latency(call, clock=clock, calls=3, budget_s=plan.repetition_s, least=1))
    return max(1, round(plan.repetition_s / max(taken, 1e-6)))


def _results(takes: Takes, subject: Subject) -> dict[str, Any]:
    resident = spread(takes.resident)
    whole = spread(takes.end_to_end) if subject.copies else resident
    moved = "pictures in and points out" if subject.copies else "none: the device is the host"
    return {
        "infer_images_per_s": resident.median, "infer_images_per_s_iqr": _iqr(resident),
        "end_to_end_images_per_s": whole.median, "end_to_end_images_per_s_iqr": _iqr(whole),
        "repetitions": len(takes.resident),
        "latency_ms": percentiles_ms(takes.latency), "latency_calls": len(takes.latency),
        "copies": {"infer_images_per_s": "none", "end_to_end_images_per_s": moved, "latency_ms": moved},
        "clock": {"latency_ms": "host, one sync per call", "infer_images_per_s": f"{subject.clock.name}, one sync per "
                  "repetition"},
        "input_mib": subject.resident.nbytes / MIB, "input_exceeds_cache": subject.resident.exceeds_cache,
    }  # fmt: skip


def _iqr(found: Spread) -> list[float]:
    return [found.low, found.high]


def _memory(subject: Subject, batch: int, net: nn.Module | None) -> dict[str, Any]:
    call = subject.on_device(batch)
    mib, measure = peak_memory(lambda: call(0), subject.device)
    if net is not None:
        mib += sum(tensor.nbytes for tensor in net.state_dict().values()) / MIB
        measure = f"weights, and {measure}"
    return {"peak_memory_mib": mib, "peak_memory_of": f"one batch of {batch}: {measure}"}


def _size(net: nn.Module | None, views: ByteViews) -> dict[str, Any]:
    if net is None:
        return {}
    return {"parameters": count_parameters(net), "macs": count_macs(net, tuple(int(n) for n in views.shape[1:]))}


def _validity(control: Control, attempts: int) -> dict[str, Any]:
    drifted = drift(control.blocks)
    void = drifted > DRIFT_LIMIT
    reason = f"the control net drifted by {drifted:.1%}, more than {DRIFT_LIMIT:.0%}: the machine was not quiet"
    return {
        "control": {"blocks_ms": list(control.blocks), "drift": drifted, "limit": DRIFT_LIMIT, "attempts": attempts},
        "void": void,
        "void_reason": reason if void else None,
    }
