"""The Python interface says the same as the command line, again and again in one process."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest
from torch import nn

import fkbench


@fkbench.model("apinet", input=(1, 24))
def apinet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))


def test_run_load_and_leaderboard(tmp_path):
    folders = {"data": tmp_path / "data", "runs": tmp_path / "runs"}
    settings = {"dataset": {"count": 60}, "protocol": {"images_seen": 64, "batch": 16}}
    for _ in range(2):
        (record,) = fkbench.run(model=apinet, dataset="synthetic15", protocol="smoke", settings=settings, **folders)
    assert record.status == "done"
    assert record.reused
    frame = fkbench.leaderboard(runs=tmp_path / "runs")
    assert {"apinet", "mean-shape"} <= set(frame["model"])
    (baseline,) = fkbench.run(model="mean-shape", dataset="synthetic15", protocol="smoke",
                              settings={"dataset": {"count": 60}}, **folders)  # fmt: skip
    loaded = fkbench.load(baseline.path)
    assert loaded.predict([np.zeros((96, 96), np.uint8)]).shape == (1, 15, 2)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(fkbench.FkbenchError, match="not a model"):
        fkbench.run(model=42, dataset="synthetic15", data=tmp_path, runs=tmp_path)  # type: ignore[arg-type]


def test_no_package_hides_a_public_function():
    modules = {info.name for info in pkgutil.iter_modules(fkbench.__path__)}
    assert modules & set(fkbench.__all__) == set()
    for name in fkbench.__all__:
        assert getattr(fkbench, name) is not None
    with pytest.raises(AttributeError):
        importlib.import_module("fkbench").nothing  # noqa: B018
