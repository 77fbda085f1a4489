"""Size of a net: parameters and multiply-accumulate operations, counted and not measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def count_parameters(net: nn.Module) -> int:
    """Number of parameters, trained or not; shared ones once."""
    return sum(parameter.numel() for parameter in net.parameters())


def count_macs(net: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of one picture in convolutions and matrix products (half of torch's count of operations).

    Args:
        net: maps (1, *input_shape) floats to its output; left in the mode that it was in.
        input_shape: (C, R, R).
    """
    from torch.utils.flop_counter import FlopCounterMode

    with evaluating(net) as device, FlopCounterMode(display=False) as counter:
        net(torch.zeros((1, *input_shape), device=device))
    return int(counter.get_total_flops()) // 2


@contextmanager
def evaluating(net: nn.Module) -> Iterator[torch.device]:
    """A net in evaluation mode without gradients, every module's own mode restored afterwards; gives its device."""
    modes = {module: module.training for module in net.modules()}
    first = next(net.parameters(), None)
    try:
        net.eval()
        with torch.no_grad():
            yield first.device if first is not None else torch.device("cpu")
    finally:
        for module, mode in modes.items():
            module.training = mode
