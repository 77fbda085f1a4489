"""A model that takes any input: plan, views, codec and record see the one that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fkbench.errors import FkbenchError
from fkbench.runner.loading import load_run
from fkbench.runner.plan import find_model
from fkbench.runner.provenance import probe, source_digest

SIZED = """
import fkbench
from torch import nn

@fkbench.model("sized", input=(1, 32), reduced={"width": 2}, settings={
    "input_channels": fkbench.Setting(1, "channels", choices=(1, 3)), "input_size": fkbench.Setting(32, "side"),
    "width": fkbench.Setting(8, "channels of the net"), "start": fkbench.Setting("afresh", "weights", fresh=True)})
def sized(channels: int, size: int, outputs: int, width: int, start: str = "afresh") -> nn.Module:
    if start == "downloaded" and ALLOWED == "no":
        raise OSError("no network")
    return nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(width * (size // 2) ** 2, outputs))

ALLOWED = "yes"
"""


@pytest.fixture
def sized(bench):
    bench.file.write_text(SIZED)
    return bench


def test_a_run_sees_the_input_that_was_asked_for(sized):
    (record,) = sized.run(settings={"model": {"input_size": "24", "input_channels": "3", "start": "downloaded"}})
    assert (record.model.settings["input_size"], record.model.settings["input_channels"]) == (24, 3)
    assert record.model.parameters == (3 * 9 + 1) * 8 + (8 * 12 * 12 + 1) * 30
    assert set(record.protocol.overrides) >= {"model.input_size", "model.input_channels", "model.start"}
    # Predicting needs no download: the weights are those of the run.
    sized.file.write_text(SIZED.replace('ALLOWED = "yes"', 'ALLOWED = "no"'))
    registry = sized.registry()
    find_model(registry, str(sized.file))
    loaded = load_run(record, registry, torch.device("cpu"))
    assert loaded.model.input == (3, 24)
    points = loaded.predict([np.full((60, 60, 3), 90, np.uint8)])
    assert points.shape == (1, 15, 2)
    assert np.isfinite(points).all()


def test_another_input_is_another_run(sized):
    keys = {sized.run(settings={"model": {"input_size": size}})[0].key for size in ("32", "24")}
    assert len(keys) == 2


def test_an_impossible_input_is_refused(sized):
    with pytest.raises(FkbenchError, match=r"cannot see pictures of 1×0×0"):
        sized.run(settings={"model": {"input_size": "0"}})


def test_the_probe_of_a_large_net_computes_at_reduced_settings_and_knows_the_full_shapes(sized):
    spec = find_model(sized.registry(), str(sized.file))
    small, large = probe(spec, {"width": 8}, 30), probe(spec, {"width": 16}, 30)
    assert small["shapes"] != large["shapes"]
    assert (small["forward"], small["loss"]) == (large["forward"], large["loss"])
    assert probe(spec, {"width": 8, "start": "downloaded"}, 30) == small


def test_a_digest_covers_the_packages_that_a_net_needs(sized, monkeypatch):
    from dataclasses import replace

    from fkbench.runner import provenance

    spec = replace(find_model(sized.registry(), str(sized.file)), needs=("torch",))
    before = source_digest(spec)
    monkeypatch.setattr(provenance, "_version", lambda package: "another")
    assert source_digest(spec) != before
