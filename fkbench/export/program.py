"""A net as a program apart from its Python code: `torch.export` for batches of any size, and ONNX made from it."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from fkbench.errors import RunFailedError

INPUT, OUTPUT = "images", "outputs"
"""Names in an ONNX file."""
LARGEST_BATCH = 2**16


def exported_program(net: nn.Module, images: Tensor) -> ExportedProgram:
    """The net as `torch.export` sees it.

    Args:
        net: in evaluation mode.
        images: (N, C, R, R) float32 on its device, of which only the shape without N counts.

    Returns:
        A program that takes (N, C, R, R) for N from 1 to 65536.

    Raises:
        RunFailedError: the net's code cannot be exported, or only for one N.
    """
    # Two pictures: a batch of one would be taken for a constant.
    example = torch.zeros((2, *images.shape[1:]), dtype=torch.float32, device=images.device)
    batch = Dim("batch", min=1, max=LARGEST_BATCH)
    try:
        with _quiet(), torch.no_grad():
            return torch.export.export(net.eval(), (example,), dynamic_shapes=({0: batch},))
    except Exception as error:
        raise _failed("torch.export", error) from error


def onnx_bytes(net: nn.Module, images: Tensor) -> bytes:
    """The net as an ONNX model with input `images` and output `outputs`, weights inside.

    Args:
        net: in evaluation mode, on the CPU.
        images: as for `exported_program`.

    Raises:
        RunFailedError: an operation of the net has no form in ONNX, or the model is larger than a file may be (2 GB).
    """
    program = exported_program(net, images)
    names: dict[str, Any] = {"input_names": [INPUT], "output_names": [OUTPUT]}
    try:
        with _quiet(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
            made = torch.onnx.export(program, (), dynamo=True, verbose=False, **names)
            assert made is not None
            path = Path(folder) / "net.onnx"
            made.save(path)
            return path.read_bytes()
    except Exception as error:
        raise _failed("ONNX", error) from error


def _failed(what: str, error: Exception) -> RunFailedError:
    text = " ".join(str(error).split())[:300]
    return RunFailedError(
        f"The net cannot be exported ({what}): {type(error).__name__}: {text}",
        "Control flow that depends on values and operations unknown there cannot be; --debug shows where.",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters' notes on their own inside are not for people who export a net."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
