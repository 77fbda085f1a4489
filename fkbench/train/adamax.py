"""Adamax in blocks that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

BLOCK = 1 << 16
"""Numbers of a block: five arrays of it are 1.3 MB, two cores' second-level caches."""


class BlockedAdamax(torch.optim.Optimizer):
    """Adamax (Kingma and Ba 2015, algorithm 2) with PyTorch's defaults, one pass over the weights instead of about ten.

    Each number goes through the operations of `torch.optim.Adamax` in their order, so the results are the same to the
    last bit; only the order in which memory is walked differs. Its state is named as there, so checkpoints fit both.

    Args:
        parameters: float32 parameters on a CPU.
        lr: rate; weight_decay: times the weights, added to their gradients.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, {"lr": lr, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": weight_decay})
        self._scratch = torch.empty(BLOCK)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; there is no closure to call."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_inf"] = torch.zeros_like(parameter)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        rate = group["lr"] / (1 - beta1 ** state["step"].item())
        flat = [_flat(tensor, parameter) for tensor in (parameter, grad, state["exp_avg"], state["exp_inf"])]
        for start in range(0, parameter.numel(), BLOCK):
            weight, slope, mean, peak = (values[start : start + BLOCK] for values in flat)
            room = self._scratch[: len(weight)]
            if group["weight_decay"]:
                slope = slope.add(weight, alpha=group["weight_decay"])
            mean.lerp_(slope, 1 - beta1)
            torch.abs(slope, out=room)
            torch.maximum(peak.mul_(beta2), room.add_(group["eps"]), out=peak)
            weight.addcdiv_(mean, peak, value=-rate)


def _flat(tensor: Tensor, like: Tensor) -> Tensor:
    """A view of all numbers in the order in which `like` lies in memory.

    A gradient may lie in another order than its weight: it is copied into it, which no large weight needs.
    """
    if tensor.stride() != like.stride():
        tensor = torch.empty_like(like).copy_(tensor)
    return tensor.detach().as_strided((like.numel(),), (1,))
