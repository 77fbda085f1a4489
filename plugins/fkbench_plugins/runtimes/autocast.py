"""Half precision by autocast: convolutions and matrix products in bfloat16 or float16, the rest as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkbench.specs import RuntimeSpec
from fkbench_plugins.runtimes.eager import prepare_channels_last

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor, nn


def prepare_bf16(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """Channels last, under bfloat16 autocast."""
    import torch

    return _autocast(net, torch.device(device), torch.bfloat16)


def prepare_fp16(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """Channels last, under float16 autocast."""
    import torch

    return _autocast(net, torch.device(device), torch.float16)


def _autocast(net: nn.Module, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    import torch

    ready = prepare_channels_last(net, device)

    def run(images: Tensor) -> Tensor:
        with torch.autocast(device.type, dtype):
            return ready(images).float()

    return run


SPECS = (
    RuntimeSpec(
        name="bf16",
        summary="bfloat16 autocast, channels last; pays on GPUs, and on processors with AMX or AVX512-BF16",
        needs=("torch",),
        precision="bf16",
        prepare="fkbench_plugins.runtimes.autocast:prepare_bf16",
    ),
    RuntimeSpec(
        name="fp16",
        summary="float16 autocast, channels last; pays on GPUs, and on processors with AMX-FP16 or AVX512-FP16",
        needs=("torch",),
        precision="fp16",
        prepare="fkbench_plugins.runtimes.autocast:prepare_fp16",
    ),
)
