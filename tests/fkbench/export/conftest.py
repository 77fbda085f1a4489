"""A finished run of a small net, and of a predictor that is no net, on few rendered faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fkbench
from fkbench.datasets.store import Store
from fkbench.records import RunRecord

SMALL = """
import fkbench
from torch import nn

@fkbench.model("smallnet", input=(1, 32))
def smallnet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
                         nn.Dropout(0.1), nn.Linear(64, outputs))
"""


class Place:
    """Folders with two finished runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.model = root / "smallnet.py"
        self.model.write_text(SMALL)
        self.net = self._run(str(self.model), {"images_seen": "64", "batch": "16"})
        self.mean = self._run("mean-shape", {})

    def _run(self, model: str, protocol: dict[str, Any]) -> RunRecord:
        settings = {"dataset": {"count": "60"}, "protocol": protocol}
        (record,) = fkbench.run(model, "synthetic15", protocol="smoke", device="cpu", settings=settings,
                                data=self.root / "data", runs=self.root / "runs")  # fmt: skip
        return record

    @property
    def store(self) -> Store:
        return Store(self.root / "data")

    def words(self, *words: str) -> list[str]:
        """A command line in these folders, with the local model known."""
        return [
            "--data", str(self.root / "data"), "--runs", str(self.root / "runs"), "--plugin", str(self.model), *words
        ]  # fmt: skip


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("timed"))
