"""The device of a run, and the switches that make its results repeatable."""

from __future__ import annotations

import os
from typing import Any

import torch

from fkbench.errors import FkbenchError
from fkbench.specs import Recipe
from fkbench.words import counted


def choose_device(name: str) -> torch.device:
    """`auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:1`.

    Raises:
        FkbenchError: a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise FkbenchError(f"'{name}' is not a device.", "Use --device auto, cpu, cuda or cuda:1.") from error
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if not torch.cuda.is_available() or (device.index or 0) >= count:
            raise FkbenchError(
                f"There is no device '{name}' here: PyTorch sees {counted(count, 'GPU')}.",
                "Use --device cpu, or install a CUDA build of PyTorch and its driver.",
            )
    elif device.type != "cpu":
        raise FkbenchError(f"The device type '{device.type}' is not supported.", "Use --device auto, cpu or cuda.")
    return device


def make_repeatable() -> None:
    """Deterministic kernels, so that on one machine the same seed gives the same result."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32, in convolutions too
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling every fresh tensor would cost a pass over memory in each step, and nothing here reads unwritten memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def precision_of(recipe: Recipe | None, device: torch.device) -> str:
    """The precision at which a recipe trains and is scored on a device: `bf16` only where the GPU computes in it."""
    wanted = recipe.precision.get(device.type, "fp32") if recipe else "fp32"
    if wanted == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "fp32"
    return wanted


def describe_device(device: torch.device) -> dict[str, Any]:
    """Type, name and threads, as a record states them."""
    if device.type == "cuda":
        return {"type": "cuda", "name": torch.cuda.get_device_name(device), "threads": torch.get_num_threads()}
    from fkbench.records.environment import cpu_name

    return {"type": "cpu", "name": cpu_name(), "threads": torch.get_num_threads()}
