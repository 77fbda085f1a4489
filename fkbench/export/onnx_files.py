"""ONNX models in ONNX Runtime, an extra: `pip install 'fkbench[onnx]'`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def open_session(model: bytes | Path, device: torch.device) -> Any:
    """An `onnxruntime.InferenceSession` on the device, with as many threads as PyTorch uses.

    Args:
        model: content of a file, or its path.
        device: CPU or CUDA; on CUDA it works in PyTorch's current stream, so that nobody needs to wait.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=_providers(device))


def _providers(device: torch.device) -> list[Any]:
    if device.type != "cuda":
        return ["CPUExecutionProvider"]
    index = device.index if device.index is not None else torch.cuda.current_device()
    stream = torch.cuda.current_stream(device).cuda_stream
    cuda = {"device_id": index, "user_compute_stream": str(stream), "use_tf32": "0"}
    return [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
