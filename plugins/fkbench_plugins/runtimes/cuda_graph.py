"""A net captured as a CUDA graph: the host launches one graph, not one kernel after the other."""

from __future__ import annotations

import copy
import ctypes
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fkbench.specs import RuntimeSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

WARM_UP = 3
"""Calls before a capture: what allocates or chooses kernels at the first call must not be captured."""


def probe() -> str | None:
    """Whether NVIDIA's driver is here; it is not asked for devices, which takes long."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "needs an NVIDIA GPU and its driver"
    return None


def prepare(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """A copy that is captured once for each shape of input; needs a net without control flow by value."""
    import torch

    place = torch.device(device)
    if place.type != "cuda" or not torch.cuda.is_available():
        raise ValueError("CUDA graphs need a CUDA device")
    ready: nn.Module = copy.deepcopy(net).eval().to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    graphs: dict[tuple[object, ...], Captured] = {}

    def run(images: Tensor) -> Tensor:
        # Another precision means other kernels: what was captured under one autocast does not serve the other.
        half = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else None
        key = (tuple(images.shape), images.dtype, half)
        with torch.inference_mode():
            if key not in graphs:
                graphs[key] = capture(ready, images, half)
            return graphs[key](images)

    return run


@dataclass(frozen=True)
class Captured:
    """A graph with the memory that it reads and writes."""

    graph: Any
    pictures: Tensor
    answer: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        self.pictures.copy_(images)
        self.graph.replay()
        return self.answer.clone()  # the next replay writes over it


def capture(net: nn.Module, images: Tensor, half: torch.dtype | None) -> Captured:
    """Capture a net for pictures of this shape, within the current inference mode."""
    import torch

    pictures = images.clone(memory_format=torch.channels_last)
    side = torch.cuda.Stream(images.device)
    side.wait_stream(torch.cuda.current_stream(images.device))
    with torch.cuda.stream(side), _precision(half):
        for _ in range(WARM_UP):
            net(pictures)
    torch.cuda.current_stream(images.device).wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(images.device), torch.cuda.graph(graph), _precision(half):
        answer = net(pictures)
    return Captured(graph, pictures, answer)


def _precision(half: torch.dtype | None) -> AbstractContextManager[object]:
    """The same autocast without its cache of cast weights, which would not outlive the capture."""
    import torch

    return torch.autocast("cuda", half, cache_enabled=False) if half is not None else nullcontext()


SPEC = RuntimeSpec(
    name="cuda-graph",
    summary="one CUDA graph for each batch size: no launch of single kernels; for small batches",
    needs=("torch",),
    probe="fkbench_plugins.runtimes.cuda_graph:probe",
    devices=("cuda",),
    prepare="fkbench_plugins.runtimes.cuda_graph:prepare",
    each_size=True,
)
