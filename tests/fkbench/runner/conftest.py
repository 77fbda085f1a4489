"""A small net in a file, and a runner for it on few rendered faces."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fkbench.hookspecs import hookimpl
from fkbench.records import RunRecord, RunStore
from fkbench.registry import Registry, load_module, load_registry
from fkbench.runner.plan import Request, find_model, find_protocol
from fkbench.runner.requests import Runner
from fkbench.specs import DatasetSpec, Plugin

TINY = """
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 32), recipes={"article": fkbench.Recipe(
    codec=fkbench.CodecSpec("affine", 16.0, 16.0, "mse"), lr=1e-3, batch=16, epochs=2, selection="last",
    train_on="train+val", native_loss=True)})
def tinynet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 8, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(6), nn.Flatten(),
                         nn.Dropout(0.1), nn.Linear(8 * 36, outputs))
"""


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the tests of a process share: the faces in it are rendered once."""
    return tmp_path_factory.mktemp("faces")


class Bench:
    """Runs the small net."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.file = folder / "tinynet.py"
        self.file.write_text(TINY)
        self.runs = RunStore(folder / "runs")
        self.data = data
        self.events: list[str] = []

    def registry(self) -> Registry:
        return load_registry()

    def request(self, registry: Registry, **changes: Any) -> Request:
        settings = {"dataset": {"count": "80"}, "protocol": {"images_seen": "160", "batch": "16"}}
        settings |= changes.pop("settings", {})
        model = changes.pop("model", str(self.file))
        return Request(
            model=find_model(registry, model),
            dataset=registry.get(DatasetSpec, changes.pop("dataset", "synthetic15")),
            protocol=find_protocol(changes.pop("protocol", "smoke")),
            settings=settings,
            device="cpu",
            **changes,
        )

    def run(self, registry: Registry | None = None, **changes: Any) -> list[RunRecord]:
        registry = registry or self.registry()
        self.events.clear()
        runner = Runner(registry, self.data, self.runs, event=lambda name, facts: self.events.append(name))
        return runner.run(self.request(registry, **changes))

    def interrupt_at(self, registry: Registry, epoch: int) -> None:
        """Ctrl-C after this epoch of runs through this registry."""

        def fkbench_epoch_done(plan: Any, row: Any) -> None:
            if row["epoch"] == epoch:
                raise KeyboardInterrupt

        load_module(registry, SimpleNamespace(fkbench_epoch_done=hookimpl(fkbench_epoch_done)), Plugin("interrupt"))

    def weights(self, record: RunRecord) -> bytes:
        return (Path(record.path) / "last.safetensors").read_bytes()


@pytest.fixture
def bench(tmp_path: Path, faces: Path) -> Bench:
    return Bench(tmp_path, faces)
