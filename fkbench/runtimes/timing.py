"""One model under one runtime: prepared, compared with float32, and timed by the contract."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from fkbench.errors import FkbenchError
from fkbench.runtimes.deviation import answers, deviation, looked_at
from fkbench.runtimes.predicting import failed_to_run
from fkbench.runtimes.subjects import Timed
from fkbench.specs import RuntimeSpec, resolve
from fkbench.timing import time_model
from fkbench.timing.floors import floors_page, inference, peak_page, size_of
from fkbench.timing.peaks import Peak, Peaks

OWN = "own"
"""In place of a runtime's name, for predictors that are no nets: they bring their own code."""
SWEEPS = {"cpu": (1, 8, 32, 128), "cuda": (1, 8, 32, 128, 512, 2048, 8192)}
"""Sizes of batch by type of device, where none are asked for."""


def time_runtime(
    timed: Timed, spec: RuntimeSpec | None, sweep: Sequence[int] = (), *, quick: bool, peaks: Peaks | None = None
) -> dict[str, Any]:
    """Time a model under a runtime.

    Args:
        spec: None for a predictor that is no net.
        sweep: sizes of batch; empty: those of the type of device.
        quick: a short session, not the contract's.
        peaks: of the device; None: no floors are stated.

    Returns:
        The `timing` part of a record, see `docs/timing.md`, with `runtime`, `prepare_s`, `floors` (None without peaks
        or a net) and, of a net, `deviation`.

    Raises:
        RunFailedError: the runtime cannot execute this net; why.
    """
    sizes = tuple(sweep) or SWEEPS.get(timed.device.type, SWEEPS["cpu"])
    pictures = timed.pictures()
    if spec is None or timed.net is None:
        found = time_model(timed.predictor.predict, pictures, device="cpu", sweep=sizes, quick=quick)
        return {"runtime": OWN, "prepare_s": 0.0, **found, "floors": None}
    try:
        return _of_net(timed, spec, sizes, torch.from_numpy(pictures), quick, peaks)
    except FkbenchError:
        raise
    except Exception as error:  # compilers and exporters fail in ways of their own
        raise failed_to_run(spec, timed.model.name, error) from error


def _of_net(
    timed: Timed, spec: RuntimeSpec, sizes: tuple[int, ...], pictures: Any, quick: bool, peaks: Peaks | None
) -> dict[str, Any]:
    assert timed.net is not None
    net, rows = timed.net.eval(), looked_at(timed)
    precision = spec.precision or timed.precision
    # The peaks and the answer in float32 come first: a runtime may change switches of the whole process.
    peak = peaks.at(precision) if peaks is not None else None
    expected = answers(timed, timed.forward(net, "fp32"), rows)
    before = time.perf_counter()
    ready = resolve(spec.prepare)(net, timed.device)
    prepare_s = time.perf_counter() - before
    forward = timed.forward(ready, "fp32" if spec.precision else precision)
    found = time_model(forward, pictures, device=timed.device, precision=precision, sweep=sizes, quick=quick, net=net)
    off = deviation(timed, forward, rows, expected)
    least = floors_beside(found, net, tuple(pictures.shape[1:]), peak) if peak is not None else None
    return {"runtime": spec.name, "prepare_s": prepare_s, **found, "floors": least, "deviation": off}


def floors_beside(found: Mapping[str, Any], net: nn.Module, input_shape: tuple[int, ...], peak: Peak) -> dict[str, Any]:
    """The floors of one picture (beside the median latency) and of the best batch (beside its median rate).

    Args:
        found: the `timing` part of a record.
        input_shape: (C, R, R).
    """
    size, batch = size_of(net, input_shape), int(found["batch"])
    one, many = inference(size, 1, peak.precision), inference(size, batch, peak.precision)
    return {
        "peak": peak_page(peak),
        "latency": floors_page(one, peak, 1, found["latency_ms"]["p50"] / 1000.0),
        "throughput": floors_page(many, peak, batch, batch / found["infer_images_per_s"]),
    }
