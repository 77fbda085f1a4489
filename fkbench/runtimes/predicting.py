"""A finished run that predicts through a runtime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.runner.loading import LoadedRun
from fkbench.runtimes.choosing import choose_runtimes
from fkbench.specs import RuntimeSpec, resolve
from fkbench.train.predictors import NetPredictor, Ready


def run_under(run: LoadedRun, name: str) -> LoadedRun:
    """The run with its net prepared by a runtime and called once; the run as it is where no name is given.

    Args:
        name: of one runtime. Its precision is that of the answers: they may differ from those the run was scored with.

    Raises:
        FkbenchError: the model is no net, or the runtime is unknown or not usable here.
        RunFailedError: it cannot execute this net; why.
    """
    if not name:
        return run
    if not isinstance(run.predictor, NetPredictor):
        raise FkbenchError(f"{run.model.name} is no net: no runtime executes it.", "Leave --runtime out.")
    specs, _ = choose_runtimes(run.registry, name, run.predictor.device.type)
    if len(specs) != 1 or specs[0].name != name:
        raise FkbenchError(f"--runtime '{name}' is not one runtime.", "`fkbench list runtimes` has their names.")
    return replace(run, predictor=prepared(run, run.predictor, specs[0]), runtime=name)


def prepared(run: LoadedRun, predictor: NetPredictor, spec: RuntimeSpec) -> NetPredictor:
    """The predictor under a runtime, after a first call with one picture."""
    channels, size = run.model.input
    precision = "fp32" if spec.precision else predictor.precision
    try:
        ready = resolve(spec.prepare)(predictor.net, predictor.device)
        under = predictor.under(in_few_sizes(ready) if spec.each_size else ready, precision)
        under.predict(np.zeros((1, channels, size, size), np.uint8))
    except FkbenchError:
        raise
    except Exception as error:  # compilers and exporters fail in ways of their own
        raise failed_to_run(spec, run.model.name, error) from error
    return under


def in_few_sizes(ready: Ready) -> Ready:
    """A prepared net that is given batches of 1, 2, 4, 8, … pictures alone, so that few sizes are ever prepared.

    Other batches are filled up with their last picture, and its further answers cut off.
    """

    def run(images: Tensor) -> Tensor:
        count = len(images)
        size = 1 << max(count - 1, 0).bit_length()
        if count in (0, size):
            return ready(images)
        rest = images[-1:].expand(size - count, *images.shape[1:])
        return ready(torch.cat([images, rest]))[:count]

    return run


def failed_to_run(spec: RuntimeSpec, model: str, error: Exception) -> RunFailedError:
    """Whatever a compiler or exporter raised, in one line."""
    text = " ".join(str(error).split())[:300]
    return RunFailedError(
        f"The runtime '{spec.name}' cannot execute {model}: {type(error).__name__}: {text}", "--debug shows where."
    )
