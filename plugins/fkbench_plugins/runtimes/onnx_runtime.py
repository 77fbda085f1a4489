"""ONNX Runtime: the net exported to ONNX and executed by another program."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fkbench.specs import RuntimeSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def prepare(net: nn.Module, device: torch.device | str) -> Callable[[Tensor], Tensor]:
    """A copy exported at the first call, for batches of any size, in float32.

    Raises:
        ValueError: a CUDA device, and ONNX Runtime was built without CUDA (`onnxruntime-gpu` is with it).
    """
    import onnxruntime
    import torch

    place = torch.device(device)
    if place.type == "cuda" and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ValueError("this ONNX Runtime knows no CUDA: install onnxruntime-gpu in place of onnxruntime")
    ready = copy.deepcopy(net).eval().cpu()
    loaded: list[Callable[[Tensor], Tensor]] = []

    def run(images: Tensor) -> Tensor:
        if not loaded:
            loaded.append(_session(ready, images, place))
        return loaded[0](images)

    return run


def _session(net: nn.Module, images: Tensor, device: torch.device) -> Callable[[Tensor], Tensor]:
    import torch

    from fkbench.export import onnx_bytes
    from fkbench.export.onnx_files import open_session

    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        model = onnx_bytes(net, images.cpu().float())
    session = open_session(model, device)
    return _on_cpu(session) if device.type == "cpu" else _on_cuda(session, device)


def _on_cpu(session: Any) -> Callable[[Tensor], Tensor]:
    import torch

    name = session.get_inputs()[0].name

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: images.detach().contiguous().numpy()})[0])

    return run


def _on_cuda(session: Any, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Pictures and answers stay on the device, and the host does not wait for them."""
    import numpy as np
    import onnxruntime
    import torch

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    name, answer = session.get_inputs()[0].name, session.get_outputs()[0]
    index = device.index if device.index is not None else torch.cuda.current_device()

    def run(images: Tensor) -> Tensor:
        pictures = images.detach().float().contiguous()
        out = torch.empty((len(pictures), *answer.shape[1:]), device=pictures.device)
        binding = session.io_binding()
        binding.bind_input(name, "cuda", index, np.float32, tuple(pictures.shape), pictures.data_ptr())
        binding.bind_output(answer.name, "cuda", index, np.float32, tuple(out.shape), out.data_ptr())
        session.run_with_iobinding(binding, options)
        return out

    return run


SPEC = RuntimeSpec(
    name="onnxruntime",
    summary="ONNX Runtime, the net exported to ONNX",
    needs=("torch", "onnx", "onnxscript", "onnxruntime"),
    install="fkbench[onnx]",
    precision="fp32",
    prepare="fkbench_plugins.runtimes.onnx_runtime:prepare",
)
