"""One model under one runtime: prepared, compared with float32, and timed by the contract."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from fkbench.errors import FkbenchError
from fkbench.runtimes.deviation import answers, deviation, looked_at
from fkbench.runtimes.predicting import failed_to_run
from fkbench.runtimes.subjects import Timed
from fkbench.specs import RuntimeSpec, resolve
from fkbench.timing import time_model

OWN = "own"
"""In place of a runtime's name, for predictors that are no nets: they bring their own code."""
SWEEPS = {"cpu": (1, 8, 32, 128), "cuda": (1, 8, 32, 128, 512, 2048, 8192)}
"""Sizes of batch by type of device, where none are asked for."""


def time_runtime(timed: Timed, spec: RuntimeSpec | None, sweep: Sequence[int] = (), *, quick: bool) -> dict[str, Any]:
    """Time a model under a runtime.

    Args:
        spec: None for a predictor that is no net.
        sweep: sizes of batch; empty: those of the type of device.
        quick: a short session, not the contract's.

    Returns:
        The `timing` part of a record, see `docs/timing.md`, with `runtime`, `prepare_s` and, of a net, `deviation`.

    Raises:
        RunFailedError: the runtime cannot execute this net; why.
    """
    sizes = tuple(sweep) or SWEEPS.get(timed.device.type, SWEEPS["cpu"])
    pictures = timed.pictures()
    if spec is None or timed.net is None:
        found = time_model(timed.predictor.predict, pictures, device="cpu", sweep=sizes, quick=quick)
        return {"runtime": OWN, "prepare_s": 0.0, **found}
    try:
        return _of_net(timed, spec, sizes, torch.from_numpy(pictures), quick)
    except FkbenchError:
        raise
    except Exception as error:  # compilers and exporters fail in ways of their own
        raise failed_to_run(spec, timed.model.name, error) from error


def _of_net(timed: Timed, spec: RuntimeSpec, sizes: tuple[int, ...], pictures: Any, quick: bool) -> dict[str, Any]:
    assert timed.net is not None
    net, rows = timed.net.eval(), looked_at(timed)
    # The answer in float32 comes first: a runtime may change switches of the whole process.
    expected = answers(timed, timed.forward(net, "fp32"), rows)
    before = time.perf_counter()
    ready = resolve(spec.prepare)(net, timed.device)
    prepare_s = time.perf_counter() - before
    precision = spec.precision or timed.precision
    forward = timed.forward(ready, "fp32" if spec.precision else precision)
    found = time_model(forward, pictures, device=timed.device, precision=precision, sweep=sizes, quick=quick, net=net)
    off = deviation(timed, forward, rows, expected)
    return {"runtime": spec.name, "prepare_s": prepare_s, **found, "deviation": off}
