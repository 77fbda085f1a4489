"""Own data in runs: trained, scored, recorded, found again, on boards; as the Python interface and commands do it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import fkbench
from fkbench.boards import build, wanted_records
from fkbench.cli.main import build_app, command_of
from fkbench.errors import FkbenchError
from fkbench.runner import single, timing

CSV = 'format = "csv"\nlabels = "labels.csv"\npictures = "images"\ngroup = {column = "person"}\n'
TINY = """
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 32))
def tinynet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
                         nn.Linear(4 * 16, outputs))
"""


class Bench:
    """Runs on own data, below one folder. The mean shape is fitted in no time, and goes every way that a net goes."""

    def __init__(self, folder: Path) -> None:
        self.data, self.runs = folder / "data", folder / "runs"

    def run(self, dataset: Path | str, **changes):
        changes = {"model": "mean-shape", "protocol": "smoke", "device": "cpu", **changes}
        return fkbench.run(dataset=dataset, data=self.data, runs=self.runs, **changes)

    def call(self, *words: str):
        return CliRunner().invoke(
            build_app(command_of(words)), ["--data", str(self.data), "--runs", str(self.runs), *words]
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Speed is measured in no test here, and the mean shape draws no pictures."""
    monkeypatch.setattr(timing, "time_model", lambda *_, **__: {"version": 1, "parameters": 0})
    draw = single.draw_outcome
    monkeypatch.setattr(single, "draw_outcome", lambda *given: draw(*given) if given[2] else [])
    return Bench(tmp_path)


def test_a_run_by_file_is_recorded_reused_and_on_a_board_of_its_own(own, bench):
    own.csv()
    path = own.describe("name = 'mine'\n" + CSV)
    model = own.folder / "tinynet.py"
    model.write_text(TINY)
    settings = {"protocol": {"images_seen": "64", "batch": "16"}}
    (record,) = bench.run(path, model=str(model), settings=settings)
    assert (record.dataset.name, record.dataset.split, record.status) == ("mine", "grouped", "done")
    assert record.metrics["nme@inter_ocular"] is None  # the scheme has no such distance
    assert record.metric("nme@inter_pupil") > 0
    assert set(record.baseline) == {"mean-shape", "nearest", "pca-ridge"}
    assert "leaky" not in record.flags
    assert str(own.folder) not in (Path(record.path) / "record.json").read_text()
    (board,) = build(wanted_records(bench.runs, "mine"))
    assert {row.model for row in board.rows} == {"tinynet", "mean-shape", "nearest", "pca-ridge"}
    picture = str(own.folder / "images" / own.names[0])
    result = bench.call("--plugin", str(model), "predict", record.key, picture, "--json")
    assert len(json.loads(result.stdout)["images"][0]["points"]) == 5


def test_a_run_is_reused_by_file_and_by_name(own, bench):
    own.csv()
    path = own.describe("name = 'mine'\n" + CSV)
    first = bench.run(path)[0]
    assert not first.reused
    assert bench.run(str(path))[0].reused
    assert bench.run("mine")[0].reused  # known by name once it was used


def test_a_change_of_data_or_split_is_another_run(own, bench):
    own.csv()
    path = own.describe("name = 'mine'\n" + CSV)
    first = bench.run(path)[0]
    own.describe("name = 'mine'\n" + CSV.replace('column = "person"', "pattern = '^(.+)[.]'"))
    second = bench.run(path)[0]
    assert first.key != second.key
    assert first.dataset.fingerprint == second.dataset.fingerprint
    assert first.dataset.split_version != second.dataset.split_version
    own.points[0, 0] += 1
    own.csv()
    assert bench.run(path)[0].dataset.fingerprint != first.dataset.fingerprint
    assert len(build(wanted_records(bench.runs, "mine"))) == 3


def test_a_given_split_that_leaks_is_marked(own, bench):
    own.csv()
    text = CSV.replace('column = "person"', "pattern = '_(.)'") + "split = {column = 'part'}\n"
    assert "leaky" in bench.run(own.describe(text))[0].flags


def test_a_finished_run_predicts_and_is_scored_again(own, bench, tmp_path):
    own.csv()
    record = bench.run(own.describe("name = 'mine'\n" + CSV))[0]
    out = tmp_path / "points.csv"
    result = bench.call("predict", record.key, "--part", "test", "--out", str(out))
    assert result.exit_code == 0, result.output
    again = json.loads(bench.call("score", str(out), "--dataset", str(own.folder / "faces.toml"), "--json").stdout)
    assert again["metrics"]["rmse"] == pytest.approx(record.metric("rmse"), rel=1e-3)
    rescored = json.loads(bench.call("score", record.key, "--json").stdout)
    assert rescored["metrics"]["rmse"] == pytest.approx(record.metric("rmse"), rel=1e-3)


def test_a_run_whose_description_has_gone_says_what_to_give(own, bench, tmp_path):
    own.csv()
    path = own.describe("name = 'mine'\n" + CSV)
    record = bench.run(path)[0]
    moved = path.rename(own.folder / "moved.toml")
    picture = str(own.folder / "images" / own.names[0])
    gone = bench.call("predict", record.key, picture).exception
    assert isinstance(gone, FkbenchError)
    assert "which is gone" in gone.message
    assert "--plugin FILE.toml" in gone.remedy
    assert bench.call("--plugin", str(moved), "predict", record.key, picture).exit_code == 0
    elsewhere = bench.call("--data", str(tmp_path / "new"), "predict", record.key, picture).exception
    assert isinstance(elsewhere, FkbenchError)
    assert "The run's dataset 'mine' is not registered here" in elsewhere.message


def test_the_python_interface_loads_such_a_run(own, bench):
    own.csv()
    record = bench.run(own.describe("name = 'mine'\n" + CSV))[0]
    pictures = [cv2.imread(str(own.folder / "images" / name), cv2.IMREAD_COLOR_RGB) for name in own.names[:2]]
    loaded = fkbench.load(record.key, runs=bench.runs, data=bench.data)
    points = loaded.predict(pictures)
    assert loaded.scheme.points[0] == "left_eye"
    assert points.shape == (2, 5, 2)
    assert np.isfinite(points).all()


def test_runs_of_another_scheme_are_refused_by_its_points(own, bench):
    own.csv()
    record = bench.run(own.describe("name = 'mine'\n" + CSV))[0]
    scheme = '[scheme]\npoints = ["a", "b", "c"]\nflip_pairs = []\n'
    path = own.describe("name = 'other'\n" + CSV.replace("labels.csv", "three.csv"), scheme, "other.toml")
    rows = [f"{name},1,2,3,4,5,6,{who}" for name, who in zip(own.names, own.person, strict=True)]
    (own.folder / "three.csv").write_text("\n".join(["picture,x0,y0,x1,y1,x2,y2,person", *rows]))
    refused = bench.call("score", record.key, "--dataset", str(path)).exception
    assert isinstance(refused, FkbenchError)
    assert refused.message == "The run predicts mine-5, but other has other-3."


def test_pictures_of_one_size_as_crops_are_scored_in_their_own_pixels(own, bench):
    own.csv()
    record = bench.run(own.describe("crops = true\n" + CSV))[0]
    assert record.box == "frame"
    assert record.metric("rmse") == pytest.approx(record.metric("rmse_native"))
    with pytest.raises(FkbenchError, match="cannot use the box 'truth'"):
        bench.run(own.folder / "faces.toml", box="truth")
