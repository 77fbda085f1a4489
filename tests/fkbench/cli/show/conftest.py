"""Plugins of every kind, and `fkbench show` with them alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fkbench.cli import show
from fkbench.cli.session import Session
from fkbench.datasets.samples import Frames, Official, Samples
from fkbench.datasets.splits import from_masks
from fkbench.errors import DataMissingError
from fkbench.registry import Registry
from fkbench.specs import (
    Card,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    Plugin,
    Recipe,
    RuntimeSpec,
    Setting,
    SplitSpec,
    Terms,
)


def tiny(channels, size, outputs, width=4):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(channels, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * (size - 2) ** 2, outputs)
    )


def needs_numbers(channels, size, outputs):
    """A net that cannot be built without numbers: its size follows from a value."""
    import torch
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, int(torch.tensor(outputs).item())))


def broken(channels, size, outputs):
    raise RuntimeError("no such layer")


def load(store, settings):
    rng = np.random.default_rng(0)
    points = rng.uniform(2, 90, (40, 15, 2)).astype(np.float32)
    points[:7, 3] = np.nan
    images = rng.integers(5, 250, (40, 96, 96), np.uint8)
    images[0, 0, 0], images[0, 0, 1] = 0, 255
    return Samples(
        ids=tuple(f"face{i}" for i in range(40)), frames=Frames.stack(images), points=points,
        group=tuple(f"person{i // 2}" for i in range(40)), fingerprint="sha256:abc", official=Official(True, False),
        convention=("full",) * 30 + ("four",) * 10,
    )  # fmt: skip


def parted(samples, name, fold):
    """`identity` keeps the two pictures of a person together, `random` parts every person."""
    place = np.arange(40) // 2 % 4 if name == "identity" else np.arange(40) % 4
    return from_masks(name, place < 2, place == 2, place == 3)


def absent(store, settings):
    raise DataMissingError("not imported")


SPECS = (
    ModelSpec(
        name="tiny", summary="a [small] net", build=tiny, input=(1, 8), settings={"width": Setting(4, "channels")},
        recipes={"article": Recipe(lr=0.25, epochs=3)}, card=Card(source="A paper", deviations=("other loss",)),
    ),
    ModelSpec(name="numbers", build=needs_numbers, input=(1, 8)),
    ModelSpec(name="broken", build=broken, input=(1, 8)),
    ModelSpec(name="lookup", kind="predictor", role="baseline", build=tiny),
    ModelSpec(name="elsewhere", build=tiny, needs=("no_such_package",)),
    ModelSpec(name="twice", build=tiny, input=(1, 8), settings={"width": Setting(4, "channels", limits=(1, 64))}),
    DatasetSpec(
        name="faces", scheme="face15", load=load, split=parted, terms=Terms("CC0", public=True),
        splits=(SplitSpec("identity", "by person"), SplitSpec("random", "by picture", leaky=True)),
        settings={"count": Setting(40, "how many", (40, 80))},
    ),
    DatasetSpec(name="gone", scheme="face15", load=absent, ways="Ask its owner."),
    MetricSpec(name="twice", compute=tiny, better="higher"),
    RuntimeSpec(name="plain", summary="as it is", prepare=tiny),
)  # fmt: skip


@pytest.fixture
def session(tmp_path: Path) -> Session:
    registry = Registry()
    registry.add(SPECS, Plugin("test", "1.0"))
    found = Session(data=tmp_path / "data")
    found.registry = registry
    return found


@pytest.fixture
def call(session, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    app = typer.Typer()

    @app.callback()
    def root(context: typer.Context) -> None:
        context.obj = session

    show.register(app)

    def invoke(*words):
        result = CliRunner().invoke(app, ["show", *map(str, words)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def answer():
    """What a call has answered, as JSON values."""

    def read(result):
        assert result.exit_code == 0
        return json.loads(result.stdout)

    return read
