"""From what was measured to the `timing` part of a record: medians, quartiles, percentiles, size, validity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from fkbench.timing.control import DRIFT_LIMIT, Control, drift
from fkbench.timing.inputs import ByteViews
from fkbench.timing.macs import count_macs, count_parameters
from fkbench.timing.measure import percentiles_ms, spread
from fkbench.timing.memory import MIB, peak_memory
from fkbench.timing.subject import Subject, Takes
from fkbench.timing.warming import Warm


def best_batch(takes: Takes) -> int:
    """The size of batch with the most images per second."""
    return max(takes.resident, key=lambda size: spread(takes.resident[size]).median)


def speeds(takes: Takes, subject: Subject, warm: Warm) -> dict[str, Any]:
    """Latency and throughput; the latter at the best size of batch, and at all of them where several were timed."""
    best = best_batch(takes)
    resident, resident_iqr = _rate(takes.resident[best])
    whole, whole_iqr = _rate(takes.end_to_end[best]) if subject.copies else (resident, resident_iqr)
    moved = "pictures in and points out" if subject.copies else "none: the device is the host"
    found = {
        "batch": best,
        "infer_images_per_s": resident, "infer_images_per_s_iqr": resident_iqr,
        "end_to_end_images_per_s": whole, "end_to_end_images_per_s_iqr": whole_iqr,
        "repetitions": len(takes.resident[best]),
        "latency_ms": percentiles_ms(takes.latency), "latency_calls": len(takes.latency),
        "copies": {"infer_images_per_s": "none", "end_to_end_images_per_s": moved, "latency_ms": moved},
        "clock": {"latency_ms": "host, one sync per call", "infer_images_per_s": f"{subject.clock.name}, one sync per "
                  "repetition"},
        "input_mib": subject.resident.nbytes / MIB, "input_exceeds_cache": subject.resident.exceeds_cache,
        "first_call_s": warm.first_s[1],
    }  # fmt: skip
    if len(takes.resident) > 1 or warm.left_out:
        found["sweep"] = [_row(takes, size, warm) for size in sorted(takes.resident)]
        found["left_out"] = {str(size): why for size, why in warm.left_out.items()}
    return found


def _row(takes: Takes, size: int, warm: Warm) -> dict[str, Any]:
    resident, resident_iqr = _rate(takes.resident[size])
    whole, whole_iqr = _rate(takes.end_to_end[size]) if size in takes.end_to_end else (resident, resident_iqr)
    return {
        "batch": size,
        "infer_images_per_s": resident, "infer_images_per_s_iqr": resident_iqr,
        "end_to_end_images_per_s": whole, "end_to_end_images_per_s_iqr": whole_iqr,
        "first_call_s": warm.first_s[size],
    }  # fmt: skip


def _rate(rates: Sequence[float]) -> tuple[float, list[float]]:
    """Median and quartiles."""
    found = spread(rates)
    return found.median, [found.low, found.high]


def memory(subject: Subject, batch: int, net: nn.Module | None) -> dict[str, Any]:
    """Peak memory of one batch, with the weights of the net."""
    call = subject.on_device(batch)
    mib, measure = peak_memory(lambda: call(0), subject.device)
    if net is not None:
        mib += sum(tensor.nbytes for tensor in net.state_dict().values()) / MIB
        measure = f"weights, and {measure}"
    return {"peak_memory_mib": mib, "peak_memory_of": f"one batch of {batch}: {measure}"}


def counted(net: nn.Module | None, views: ByteViews) -> dict[str, Any]:
    """Parameters and multiply-accumulates of the net for one of these views."""
    if net is None:
        return {}
    return {"parameters": count_parameters(net), "macs": count_macs(net, tuple(int(n) for n in views.shape[1:]))}


def validity(control: Control, attempts: int) -> dict[str, Any]:
    """Whether the control drifted too far for the numbers to count."""
    drifted = drift(control.blocks)
    void = drifted > DRIFT_LIMIT
    reason = f"the control net drifted by {drifted:.1%}, more than {DRIFT_LIMIT:.0%}: the machine was not quiet"
    return {
        "control": {"blocks_ms": list(control.blocks), "drift": drifted, "limit": DRIFT_LIMIT, "attempts": attempts},
        "void": void,
        "void_reason": reason if void else None,
    }
