"""The plainest runtimes: the net as PyTorch executes it, layer by layer, in either layout of its tensors."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from fkbench.specs import RuntimeSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor, nn


def prepare(net: nn.Module, device: torch.device | str) -> nn.Module:
    """A copy in evaluation mode on the device, its weights in PyTorch's default layout (channels first)."""
    import torch

    return copy.deepcopy(net).eval().to(device, memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


def prepare_channels_last(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """A copy whose convolutions, and the pictures that it is given, have channels last in memory."""
    import torch

    last = torch.channels_last
    ready: nn.Module = copy.deepcopy(net).eval().to(device, memory_format=last)  # type: ignore[call-overload]

    def run(images: Tensor) -> Tensor:
        out: Tensor = ready(images.contiguous(memory_format=last))
        return out

    return run


SPECS = (
    RuntimeSpec(
        name="eager",
        summary="PyTorch, layer by layer: nothing compiled",
        needs=("torch",),
        prepare="fkbench_plugins.runtimes.eager:prepare",
    ),
    RuntimeSpec(
        name="channels-last",
        summary="eager with channels last in memory, as nets are trained and as `run` itself times them",
        needs=("torch",),
        prepare="fkbench_plugins.runtimes.eager:prepare_channels_last",
    ),
)
