"""Nets compiled by PyTorch's own compiler: when they are first called, or ahead of time into a library."""

from __future__ import annotations

import copy
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.specs import RuntimeSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

SHAPES = 64
"""Programs that one net may have: one for each batch size and precision. Beyond it, PyTorch executes layer by layer."""


def probe() -> str | None:
    """Whether a C++ compiler is here, or Triton, which generates code for GPUs; neither is executed."""
    named = os.environ.get("CXX", "").split()
    known = [*named[:1], "g++", "clang++", "c++", *(["cl"] if sys.platform == "win32" else [])]
    if any(shutil.which(name) for name in known) or (find_spec("triton") is not None and _driver()):
        return None
    return "needs a C++ compiler (g++ or clang++)"


def _driver() -> bool:
    from fkbench_plugins.runtimes.cuda_graph import probe as lacking

    return lacking() is None


def prepare(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """A copy that is compiled at the first call with each batch size, its weights folded in as constants."""
    import torch
    from torch._dynamo import config

    ready: nn.Module = copy.deepcopy(net).eval().to(device, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    compiled = torch.compile(ready, dynamic=False, options={"freezing": True})

    def run(images: Tensor) -> Tensor:
        with torch.inference_mode(), config.patch(recompile_limit=SHAPES, accumulated_recompile_limit=4 * SHAPES):
            out: Tensor = compiled(images)
        return out

    return run


def prepare_ahead(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """A copy exported and compiled into a library at the first call, for batches of any size."""
    import torch

    ready: nn.Module = copy.deepcopy(net).eval().to(device, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    loaded: list[Callable[[Tensor], Tensor]] = []

    def run(images: Tensor) -> Tensor:
        with torch.inference_mode():
            if not loaded:
                loaded.append(_library(ready, images))
            return loaded[0](images)

    return run


def _library(net: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
    import torch
    from torch._inductor import aoti_compile_and_package, aoti_load_package

    from fkbench.export import exported_program

    with torch.autocast(images.device.type, enabled=False), tempfile.TemporaryDirectory() as folder:
        program = exported_program(net, images)
        package = aoti_compile_and_package(
            program, package_path=str(Path(folder) / "net.pt2"), inductor_configs={"freezing": True}
        )
        library: Callable[[Tensor], Tensor] = aoti_load_package(package)
    return library


SPECS = (
    RuntimeSpec(
        name="compile",
        summary="torch.compile: one program for each batch size, weights folded in",
        needs=("torch",),
        probe="fkbench_plugins.runtimes.compiled:probe",
        prepare="fkbench_plugins.runtimes.compiled:prepare",
        each_size=True,
    ),
    RuntimeSpec(
        name="aot-inductor",
        summary="torch.export and AOTInductor: one library for all batch sizes, compiled ahead of time",
        needs=("torch",),
        probe="fkbench_plugins.runtimes.compiled:probe",
        precision="fp32",
        prepare="fkbench_plugins.runtimes.compiled:prepare_ahead",
    ),
)
