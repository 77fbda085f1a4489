"""He's initialisation for layers that a net left at PyTorch's default.

PyTorch draws the weights of Conv2d and Linear uniformly in ±1/√fan_in (Kaiming's rule with a = √5, kept for
compatibility). Without batch norm that shrinks what tells one picture from another by about √6 a layer, and a plain net
spends its first epochs at the mean shape: dfk needs some ten thousand images before it looks at the picture at all.
He's rule (He et al. 2015, "Delving deep into rectifiers") keeps the size of the signal. Layers that the net initialised
itself are left alone; they are told by their weights, which do not fit PyTorch's bound.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

OUTPUT_SHARE = 0.1
"""Size of the output layer's weights, so that the first predictions lie near the mean shape."""


def initialise(net: nn.Module, mean_target: Tensor) -> list[str]:
    """Give default layers He's weights and zero biases, and start the output layer at the mean target.

    Args:
        net: with fresh weights; draws come from torch's global generator.
        mean_target: (outputs,) mean of the encoded training points.

    Returns:
        Names of the layers that were changed.
    """
    layers = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    changed = []
    with torch.no_grad():
        for name, layer in layers:
            if has_default_weights(layer):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    layer.bias.zero_()
                changed.append(name)
        if layers and layers[-1][0] in changed:
            _centre_output(layers[-1][1], mean_target)
    return changed


def _centre_output(layer: nn.Module, mean_target: Tensor) -> None:
    if isinstance(layer, nn.Linear) and layer.bias is not None and layer.bias.shape == mean_target.shape:
        layer.weight.mul_(OUTPUT_SHARE)
        layer.bias.copy_(mean_target)


def has_default_weights(layer: nn.Conv2d | nn.Linear) -> bool:
    """Whether the weights are a draw from PyTorch's default: uniform in ±1/√fan_in, which they fill."""
    weight = layer.weight.detach()
    bound = 1 / math.sqrt(weight[0].numel())
    largest = float(weight.abs().max())
    count = weight.numel()
    fills = bound * (1 - 12 / count) <= largest <= bound * (1 + 1e-5)  # n draws leave a gap above 12/n once in e¹²
    # The deviation of n uniform draws scatters by 0.45/√n of itself.
    spread = float(weight.std(correction=0)) / (bound / math.sqrt(3))
    return fills and abs(spread - 1) < 0.01 + 2.0 / math.sqrt(count)
