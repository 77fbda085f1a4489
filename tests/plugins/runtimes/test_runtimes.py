"""What the conformance kit cannot see of the built-in runtimes: precision, layout, why one is not available."""

from __future__ import annotations

import ctypes
import shutil
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from fkbench_plugins.runtimes import compiled, cuda_graph
from torch import nn

from fkbench.registry import load_registry
from fkbench.specs import RuntimeSpec, resolve
from fkbench.testing.runtimes import small_net

CPU = torch.device("cpu")
SPECS = {spec.name: spec for spec in load_registry().all(RuntimeSpec)}


class Spy(nn.Module):
    """Notes in which precision and layout its convolution works."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.seen: list[tuple[torch.dtype, bool]] = []

    def forward(self, images):
        out = self.conv(images)
        self.seen.append((out.dtype, out.is_contiguous(memory_format=torch.channels_last)))
        return out.mean((2, 3))

    def __deepcopy__(self, memo):
        twin = Spy()
        twin.load_state_dict(self.state_dict())
        twin.seen = self.seen
        return twin


@pytest.mark.parametrize(
    ("name", "dtype", "last"),
    [("eager", torch.float32, False), ("channels-last", torch.float32, True), ("bf16", torch.bfloat16, True),
     ("fp16", torch.float16, True)],
)  # fmt: skip
def test_layout_and_precision_are_those_of_the_name(name, dtype, last):
    net = Spy().to(memory_format=torch.channels_last if name == "eager" else torch.contiguous_format)
    with torch.inference_mode():
        out = resolve(SPECS[name].prepare)(net, CPU)(torch.rand(2, 3, 8, 8))
    assert net.seen == [(dtype, last)]
    assert out.dtype == torch.float32


def test_runtimes_that_change_precision_say_so():
    stated = {name: spec.precision for name, spec in SPECS.items()}
    assert stated == {
        "eager": "", "channels-last": "", "compile": "", "cuda-graph": "",
        "bf16": "bf16", "fp16": "fp16", "onnxruntime": "fp32", "aot-inductor": "fp32",
    }  # fmt: skip


def test_without_a_compiler_what_compiles_is_not_available(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(compiled, "_driver", lambda: False)
    for name in ("compile", "aot-inductor"):
        assert "C++ compiler" in str(SPECS[name].unavailable())
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/mine" if name == "mine" else None)
    monkeypatch.setenv("CXX", "mine -m64")
    assert SPECS["compile"].unavailable() is None


def test_without_a_driver_cuda_graphs_are_not_available_and_with_one_they_are(monkeypatch):
    def missing(name):
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert "NVIDIA" in str(SPECS["cuda-graph"].unavailable())
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    assert SPECS["cuda-graph"].unavailable() is None


def test_cuda_graphs_refuse_the_cpu():
    with pytest.raises(ValueError, match="CUDA"):
        cuda_graph.prepare(small_net(), CPU)


def test_a_graph_is_captured_once_for_each_shape_and_precision_and_its_answers_are_copies(monkeypatch):
    """On a stand-in for a GPU whose graph is a Python function, so that the order of things can be seen without one."""
    log: list[str] = []
    net = small_net()
    stand_in_for_cuda(monkeypatch, log)
    monkeypatch.setattr(cuda_graph.copy, "deepcopy", lambda given: SimpleNamespace(
        eval=lambda: SimpleNamespace(to=lambda *args, **options: lambda images: (log.append("net"), net(images))[1])
    ))  # fmt: skip
    run = cuda_graph.prepare(net, "cuda")
    images = torch.rand(4, 1, 32, 32)
    first = run(images)
    # Warm-up on a side stream comes before the capture, and the capture before the replay.
    assert log == ["side", *["net"] * cuda_graph.WARM_UP, "capture", "net", "replay"]
    kept = first.clone()
    run(1 - images)
    assert torch.equal(first, kept)
    assert log.count("capture") == 1
    run(images[:2])
    assert log.count("capture") == 2


def stand_in_for_cuda(monkeypatch, log):
    @contextmanager
    def noting(what):
        log.append(what)
        yield

    class Graph:
        def replay(self):
            log.append("replay")

    class Stream:
        def wait_stream(self, other):
            pass

    cuda = torch.cuda
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "Stream", lambda device: Stream())
    monkeypatch.setattr(cuda, "current_stream", lambda device: Stream())
    monkeypatch.setattr(cuda, "stream", lambda stream: noting("side"))
    monkeypatch.setattr(cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(cuda, "graph", lambda graph: noting("capture"))
