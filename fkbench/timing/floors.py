"""The least time that a net can take on a device: its operations over the peak, its bytes over the bandwidth.

Neither can be reached; the distance from the larger says how much is left to gain, and from which side. What is counted
and what is left out stands in `docs/timing.md`. Peaks are measured by `fkbench.timing.peaks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fkbench.timing.macs import count_macs, evaluating
from fkbench.timing.peaks import Peak
from fkbench.words import counted

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
"""Of a number, by precision."""


@dataclass(frozen=True)
class NetSize:
    """What of a net makes its floors. Numbers are floating-point values; of one picture where nothing else is said.

    Attributes:
        macs: multiply-accumulates.
        weights: numbers that the net holds (parameters and statistics), whatever the batch.
        picture: numbers that it takes.
        results: numbers that its operations put out one after the other, the output included; views and indices not.
        output: numbers that it gives.
    """

    macs: int
    weights: int
    picture: int
    results: int
    output: int


@dataclass(frozen=True)
class Work:
    """What has to be done for one batch.

    Attributes:
        operations: multiplications and additions.
        read, written: bytes, the least; where every layer writes its result to memory and the next one reads it:
        layers_read, layers_written.
    """

    operations: int
    read: int
    written: int
    layers_read: int
    layers_written: int


@dataclass(frozen=True)
class Floors:
    """Seconds that this work takes at the least, by each reckoning.

    Attributes:
        operations_s: operations over the peak.
        bytes_s: the least bytes over the bandwidth.
        layers_s: bytes layer by layer over the bandwidth; a floor of what executes layer by layer alone.
    """

    operations_s: float
    bytes_s: float
    layers_s: float

    @property
    def larger(self) -> str:
        """Which of the two floors is the larger: `operations` or `bytes`."""
        return "operations" if self.operations_s >= self.bytes_s else "bytes"

    @property
    def seconds(self) -> float:
        """The larger of the two."""
        return max(self.operations_s, self.bytes_s)


class _Results(TorchDispatchMode):
    """Counts the floating-point numbers that operations write to memory: no views, no indices."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        held = {storage(value) for value in tensors((args, kwargs))}
        for value, told in zip(out if isinstance(out, tuple | list) else (out,), func._schema.returns, strict=False):
            written = told.alias_info is not None and told.alias_info.is_write
            for tensor in tensors(value):
                if tensor.is_floating_point() and (written or storage(tensor) not in held):
                    self.numbers += tensor.numel()
        return out


def tensors(value: Any) -> list[Tensor]:
    """All tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for part in value for tensor in tensors(part)] if isinstance(value, tuple | list) else []


def storage(tensor: Tensor) -> int:
    """Tells two memories apart, also where nothing is allocated."""
    return int(tensor.untyped_storage()._cdata)


def size_of(net: nn.Module, input_shape: tuple[int, ...]) -> NetSize:
    """Count a net, executing it with zeros.

    Args:
        net: maps (1, *input_shape) floats to its output; left in the mode that it was in.
        input_shape: (C, R, R).
    """
    macs = count_macs(net, input_shape)
    with evaluating(net) as device:
        picture = torch.zeros((1, *input_shape), device=device)
        with _Results() as results:
            output = net(picture)
    held = {id(value): value for value in (*net.parameters(), *net.buffers()) if value.is_floating_point()}
    return NetSize(
        macs=macs, weights=sum(value.numel() for value in held.values()), picture=picture.numel(),
        results=results.numbers, output=sum(tensor.numel() for tensor in tensors(output)),
    )  # fmt: skip


def inference(size: NetSize, batch: int, precision: str) -> Work:
    """The work of a batch from uint8 pictures to the net's output.

    Least bytes: weights and uint8 pictures read once, the output written once. Layer by layer: the picture as numbers
    and every result besides, written once and read once. Numbers have the size of the precision.
    """
    each = BYTES[precision]
    read = each * size.weights + batch * size.picture
    between = each * batch * (size.picture + size.results)
    return Work(2 * size.macs * batch, read, each * batch * size.output, read + between, between)


def training(size: NetSize, batch: int, precision: str, state_bytes: int) -> Work:
    """The work of a training step, its gradients and its optimiser.

    Three times the operations: forward, gradients of results, gradients of weights. Least bytes: uint8 pictures read
    once; weights, their gradients (both in float32) and the optimiser's state read once and written once. Layer by
    layer: every result besides is written, read by the next layer and read in the backward pass, its gradient written
    and read; of the picture as numbers there is no gradient.

    Args:
        state_bytes: that the optimiser keeps between steps, see `state_bytes`.
    """
    each, held = BYTES[precision], 2 * BYTES["fp32"] * size.weights + state_bytes
    read, written = batch * size.picture + held, held
    picture, results = each * batch * size.picture, each * batch * size.results
    return Work(
        operations=3 * 2 * size.macs * batch, read=read, written=written,
        layers_read=read + 2 * picture + 3 * results, layers_written=written + picture + 2 * results,
    )  # fmt: skip


def state_bytes(optimiser: torch.optim.Optimizer) -> int:
    """Bytes that an optimiser keeps between steps, once it has made one."""
    return sum(tensor.nbytes for tensor in tensors(dict(optimiser.state)) if tensor.numel() > 1)


def floors(work: Work, peak: Peak) -> Floors:
    """The floors of this work on a device with these peaks."""

    def seconds(read: int, written: int) -> float:
        """Reading alone has a bandwidth of its own: the harder of the two bounds holds."""
        return max(read / peak.read_per_s, (read + written) / peak.moved_per_s)

    return Floors(
        operations_s=work.operations / peak.operations_per_s,
        bytes_s=seconds(work.read, work.written),
        layers_s=seconds(work.layers_read, work.layers_written),
    )


def floors_page(work: Work, peak: Peak, batch: int, measured_s: float) -> dict[str, Any]:
    """Floors beside a measured time of the same batch, as JSON values (ms, bytes).

    Returns:
        `larger` names the larger floor, and the measured time is `times` as long as it.
    """
    found = floors(work, peak)
    return {
        "batch": batch,
        "operations": work.operations,
        "bytes": work.read + work.written,
        "layers_bytes": work.layers_read + work.layers_written,
        "operations_ms": 1000.0 * found.operations_s,
        "bytes_ms": 1000.0 * found.bytes_s,
        "layers_ms": 1000.0 * found.layers_s,
        "measured_ms": 1000.0 * measured_s,
        "larger": found.larger,
        "times": measured_s / found.seconds,
    }


def floors_line(page: Mapping[str, Any]) -> str:
    """What `floors_page` says, in a line."""
    return (
        f"floors at batch {page['batch']}: operations {page['operations_ms']:.3g} ms, bytes {page['bytes_ms']:.3g} ms "
        f"(layer by layer {page['layers_ms']:.3g} ms); measured {page['measured_ms']:.3g} ms, "
        f"{page['times']:.2f} × {page['larger']}"
    )


def peak_line(peak: Mapping[str, Any]) -> str:
    """What `peak_page` says, in a line."""
    return (
        f"peaks at {peak['precision']}, {counted(peak['threads'], 'thread')}: "
        f"{peak['operations_per_s'] / 1e9:.4g} billion operations/s, memory {peak['read_per_s'] / 1e9:.3g} GB/s read, "
        f"{peak['moved_per_s'] / 1e9:.3g} GB/s read and written"
    )


def peak_page(peak: Peak) -> dict[str, Any]:
    """Peaks as JSON values (operations and bytes per second)."""
    return dict(vars(peak))
