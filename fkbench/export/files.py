"""A run's net written to a file, read back, and checked against the original on real pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.errors import FkbenchError, RunFailedError
from fkbench.export.metadata import KEY
from fkbench.export.program import exported_program, onnx_bytes
from fkbench.train.pictures import FLAT
from fkbench.train.predictors import NetPredictor

Run = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Compared:
    """How far a file's answers are from the original's, pixels of the net's input, on so many pictures."""

    pictures: int
    max_px: float
    rms_px: float


def write_file(predictor: NetPredictor, metadata: Mapping[str, Any], kind: str, path: Path) -> None:
    """Write the net, in float32, with its metadata.

    Raises:
        RunFailedError: the net cannot be exported.
        FkbenchError: the file cannot be written.
    """
    net = predictor.net.cpu().float().to(memory_format=torch.contiguous_format)
    example = torch.zeros(metadata["input"]["shape"][1:]).unsqueeze(0)
    text = json.dumps(metadata, ensure_ascii=False)
    if kind == "onnx":
        content = _described(onnx_bytes(net, example), metadata, text)
    else:
        buffer = io.BytesIO()  # PyTorch's own writer hides why a file cannot be written
        torch.export.save(exported_program(net, example), buffer, extra_files={f"{KEY}.json": text})
        content = buffer.getvalue()
    with writing(path):
        path.write_bytes(content)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises FkbenchError, naming the folder (the file is a scratch one), where the system cannot write."""
    try:
        yield
    except OSError as error:
        raise FkbenchError(
            f"Cannot write to '{path.parent}': {error.strerror or error}.", "Give --out FILE elsewhere."
        ) from error


def _described(model: bytes, metadata: Mapping[str, Any], text: str) -> bytes:
    import onnx

    found = onnx.load_from_string(model)
    found.doc_string = (
        f"{metadata['run']['model']}, trained on {metadata['run']['dataset']}. Input: {metadata['input']['meaning']}. "
        f"Output: {metadata['output']['meaning']}."
    )
    flat = {KEY: text, "points": ",".join(metadata["points"]), "normalise": metadata["input"]["normalise"]}
    for name, value in flat.items():
        entry = found.metadata_props.add()
        entry.key, entry.value = name, value
    content: bytes = found.SerializeToString()
    return content


def open_file(path: Path, kind: str) -> tuple[Run, dict[str, Any]]:
    """A file's net and what it says of itself: (N, C, R, R) float32 as it takes it → its outputs."""
    if kind == "onnx":
        from fkbench.export.onnx_files import open_session

        session = open_session(path, torch.device("cpu"))
        name = session.get_inputs()[0].name
        said = session.get_modelmeta().custom_metadata_map[KEY]
        return lambda images: session.run(None, {name: images})[0], json.loads(said)
    extra = {f"{KEY}.json": ""}
    net = torch.export.load(path, extra_files=extra).module()

    def run(images: FloatArray) -> FloatArray:
        with torch.inference_mode():
            found: FloatArray = net(torch.from_numpy(images)).numpy()
        return found

    return run, json.loads(extra[f"{KEY}.json"])


def points_of(run: Run, metadata: Mapping[str, Any], views: ByteArray) -> FloatArray:
    """(N, K, 2) pixels by the file alone: what another program would do with its metadata, NumPy and nothing else."""
    images = views.astype(np.float32) / np.float32(255)
    if metadata["input"]["normalise"] == "standard":
        axes = (1, 2, 3)
        images = (images - images.mean(axes, keepdims=True)) / (images.std(axes, keepdims=True) + np.float32(FLAT))
    output = run(np.ascontiguousarray(images))
    how = metadata["output"]
    found: FloatArray = output.reshape(len(output), -1, 2) * how["scale"] + how["offset"]
    return found


def compare(path: Path, kind: str, views: ByteArray, expected: FloatArray) -> Compared:
    """The file against the original's answers, all pictures at once and the first one alone.

    Args:
        views: (N, C, R, R) uint8, N ≥ 2.
        expected: (N, K, 2) of the original in float32, pixels of the views.

    Raises:
        RunFailedError: the file cannot be executed, or its answers are not finite.
    """
    try:
        run, metadata = open_file(path, kind)
        found = np.concatenate([points_of(run, metadata, views), points_of(run, metadata, views[:1])])
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        raise RunFailedError(f"The written file cannot be executed: {type(error).__name__}: {text}") from error
    off = found.astype(np.float64) - np.concatenate([expected, expected[:1]])
    if not np.isfinite(off).all():
        raise RunFailedError("The answers of the file or of the original are not finite.", "The run may have diverged.")
    return Compared(len(views), float(np.abs(off).max()), float(np.sqrt(np.square(off).mean())))
