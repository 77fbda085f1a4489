"""The layers of a net in the order in which they are executed, with what each puts out, holds and computes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from fkbench.timing.macs import evaluating

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name: dotted path in the net.
        type: class name.
        detail: what the class was told, `1→16, k2 s1` for example.
        output: shape without the batch; None: it was not executed, or gives no single tensor.
        parameters: its own; 0 where a shared layer is executed again.
        macs: of its convolution or matrix product for one picture; those of other operations count in the net's total
            only (`count_macs`).
    """

    name: str
    type: str
    detail: str
    output: Shape | None
    parameters: int
    macs: int


def layer_table(net: nn.Module, input_shape: Shape) -> list[Layer]:
    """Every layer without children or with parameters of its own, executed once with zeros.

    Args:
        net: maps (1, *input_shape) floats to its output; left in the mode that it was in.
        input_shape: (C, R, R).
    """
    names = {module: name for name, module in net.named_modules() if _is_layer(module)}
    found: list[Layer] = []
    seen: set[int] = set()
    hooks = [module.register_forward_hook(partial(_note, found, seen, name)) for module, name in names.items()]
    try:
        with evaluating(net) as device:
            net(torch.zeros((1, *input_shape), device=device))
    finally:
        for hook in hooks:
            hook.remove()
    executed = {layer.name for layer in found}
    idle = [(name, module) for module, name in names.items() if name not in executed and _own(module)]
    for name, module in idle:
        found.append(Layer(name, type(module).__name__, _detail(module), None, _count(module, seen), 0))
    return found


def _is_layer(module: nn.Module) -> bool:
    return _own(module) or next(module.children(), None) is None


def _own(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _note(found: list[Layer], seen: set[int], name: str, module: nn.Module, inputs: Any, output: Any) -> None:
    shape = tuple(int(n) for n in output.shape[1:]) if isinstance(output, torch.Tensor) else None
    macs = _macs(module, inputs, output)
    found.append(Layer(name, type(module).__name__, _detail(module), shape, _count(module, seen), macs))


def _count(module: nn.Module, seen: set[int]) -> int:
    fresh = [p for p in module.parameters(recurse=False) if id(p) not in seen]
    seen.update(id(p) for p in fresh)
    return sum(p.numel() for p in fresh)


def _macs(module: nn.Module, inputs: Any, output: Any) -> int:
    if isinstance(module, nn.Linear):
        return int(output.numel()) * module.in_features
    if isinstance(module, nn.modules.conv._ConvNd):
        # A transposed convolution does the work of its forward twin: once per input element, not per output element.
        work, other = (inputs[0], module.out_channels) if module.transposed else (output, module.in_channels)
        return int(work.numel()) * (other // module.groups) * _product(module.kernel_size)
    return 0


def _product(sizes: Shape) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def _detail(module: nn.Module) -> str:
    if isinstance(module, nn.modules.conv._ConvNd):
        groups = f", {module.groups} groups" if module.groups > 1 else ""
        window = f"k{_short(module.kernel_size)} s{_short(module.stride)}"
        return f"{module.in_channels}→{module.out_channels}, {window}{groups}"
    if isinstance(module, nn.Linear):
        return f"{module.in_features}→{module.out_features}"
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return f"p {module.p:g}"
    if isinstance(module, nn.modules.pooling._MaxPoolNd | nn.AvgPool2d):
        return f"k{_short(module.kernel_size)} s{_short(module.stride)}"
    return ""


def _short(size: Any) -> str:
    sizes = tuple(size) if isinstance(size, tuple | list) else (size,)
    return str(sizes[0]) if len(set(sizes)) == 1 else "×".join(str(n) for n in sizes)


def grouped(layers: list[Layer], most: int) -> list[Layer]:
    """Neighbouring layers of one block taken together, as deep as `most` rows allow.

    A row takes the name of its block, its last output, and the sums of parameters and MACs.
    """
    depth = max((layer.name.count(".") + 1 for layer in layers), default=1)
    rows = layers
    while len(rows) > most and depth > 1:
        depth -= 1
        rows = _merged(layers, depth)
    return rows


def _merged(layers: list[Layer], depth: int) -> list[Layer]:
    rows: list[Layer] = []
    sizes: list[int] = []
    for layer in layers:
        block = ".".join(layer.name.split(".")[:depth])
        if rows and rows[-1].name == block:
            last = rows.pop()
            sizes[-1] += 1
            macs = last.macs + layer.macs
            total = last.parameters + layer.parameters
            rows.append(Layer(block, "block", f"{sizes[-1]} layers", layer.output or last.output, total, macs))
        else:
            rows.append(Layer(block, layer.type, layer.detail, layer.output, layer.parameters, layer.macs))
            sizes.append(1)
    return rows
