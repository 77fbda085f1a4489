"""The plainest runtime: the net as PyTorch executes it, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkbench.specs import RuntimeSpec

if TYPE_CHECKING:
    import torch
    from torch import nn


def prepare(net: nn.Module, device: torch.device | str) -> nn.Module:
    """The net itself in evaluation mode, its weights on the device."""
    return net.eval().to(device)


SPEC = RuntimeSpec(
    name="eager",
    summary="PyTorch, layer by layer: nothing compiled",
    needs=("torch",),
    prepare="fkbench_plugins.runtimes.eager:prepare",
)
