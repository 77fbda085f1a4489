"""A run that was cut off goes on exactly: weights, optimiser state and history in one safetensors file.

Random streams need no state: each epoch's are seeded by its number (see `fkbench.train.streams`).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fkbench.errors import FkbenchError
from fkbench.records.files import scratch_for

Weights = dict[str, Tensor]


@dataclass
class Progress:
    """State of training after a whole number of epochs.

    Attributes:
        epoch: epochs done.
        seconds: seconds in training steps so far; a share of them where several seeds were trained at once.
        history: one row per epoch, the columns of `history.csv`.
        best: weights of the best epoch, on the net's device (None before the first).
        best_rmse: its validation rmse; best_epoch: counted from 1.
        together: how many trainings shared the device at most, this one among them.
    """

    epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best: Weights | None = None
    best_rmse: float = float("inf")
    best_epoch: int = 0
    together: int = 1


def save_checkpoint(
    path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer, progress: Progress, identity: str
) -> None:
    """Write the state, whole or not at all."""
    tensors: Weights = {f"net.{name}": value.detach() for name, value in net.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in (progress.best or {}).items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    page = {
        "identity": identity,
        "epoch": progress.epoch,
        "seconds": progress.seconds,
        "history": progress.history,
        "best_rmse": progress.best_rmse,
        "best_epoch": progress.best_epoch,
        "together": progress.together,
    }
    scratch = scratch_for(path)
    try:
        contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        save_file(contiguous, scratch, {"progress": json.dumps(page)})
        os.replace(scratch, path)
    except (OSError, SafetensorError) as error:
        raise FkbenchError(
            f"The checkpoint '{path}' cannot be written: {error}.",
            "Free disk space there, or choose another --runs folder.",
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def identity_of(path: Path) -> str:
    """Which run and which code wrote a checkpoint; empty where it cannot be read."""
    return str(_stated(path, "identity", ""))


def epochs_in(path: Path) -> int:
    """How many epochs a checkpoint holds; 0 where it cannot be read."""
    epochs = _stated(path, "epoch", 0)
    return epochs if isinstance(epochs, int) else 0


def _stated(path: Path, name: str, otherwise: Any) -> Any:
    try:
        with safe_open(path, "pt") as file:
            return json.loads((file.metadata() or {})["progress"])[name]
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return otherwise


def load_checkpoint(path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer) -> Progress:
    """Put weights and optimiser state back, and return how far training had come.

    Raises:
        FkbenchError: the file is damaged or belongs to another net.
    """
    try:
        with safe_open(path, "pt") as file:
            page: dict[str, Any] = json.loads((file.metadata() or {})["progress"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        net.load_state_dict(_under("net.", tensors))
        _restore(optimiser, _under("optimiser.", tensors))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FkbenchError(
            f"The checkpoint '{path}' cannot be used: {first}.", "Delete it, or run again with --force."
        ) from error
    best, together = _under("best.", tensors) or None, page.get("together", 1)
    return Progress(
        page["epoch"], page["seconds"], page["history"], best, page["best_rmse"], page["best_epoch"], together
    )


def _under(prefix: str, tensors: Weights) -> Weights:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore(optimiser: torch.optim.Optimizer, tensors: Weights) -> None:
    whole = optimiser.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    whole["state"] = state
    optimiser.load_state_dict(whole)
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            _lay_alike(parameter, optimiser.state[parameter])


def _lay_alike(parameter: Tensor, state: dict[str, Tensor]) -> None:
    """Moments in memory as their weights are: fused optimisers walk through both side by side, whatever the strides.

    A file holds them contiguous, and weights in channels last would meet the moments of others.
    """
    for name, value in state.items():
        if value.shape == parameter.shape and value.stride() != parameter.stride():
            state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
