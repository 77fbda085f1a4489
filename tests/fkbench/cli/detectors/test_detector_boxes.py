"""Boxes of a detector in `run`, `score` and `predict`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fkbench.records import RunStore
from fkbench.registry import load_registry
from fkbench.runner.loading import load_run


def test_a_detector_in_the_loop_is_run_scored_and_put_on_a_board(bench, train, capsys):
    record = train()
    boxed = train("--box", "bright", "--set", "detector.preset=deep")
    assert boxed["box"] == "bright"
    assert boxed["box_settings"]["level"] == 150
    assert boxed["box_settings"]["correction"] == {"scale": 1.0, "dx": 0.0, "dy": 0.0}
    assert boxed["metrics"]["missed_faces"] > 0
    assert boxed["key"] != record["key"]
    assert boxed["timing"]["end_to_end"]["pictures_per_s"] > 0

    assert bench.call("score", boxed["key"], "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["metrics"]["rmse"] == pytest.approx(boxed["metrics"]["rmse"], rel=1e-4)

    assert bench.call("score", record["key"], boxed["key"], "--box", "truth,bright", "--json") == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert [(score["subject"], score["box"]) for score in scores] == [
        (key, box) for key in (record["key"], boxed["key"]) for box in ("truth", "bright")
    ]
    assert scores[1]["metrics"]["missed_faces"] == boxed["metrics"]["missed_faces"]
    assert scores[1]["end_to_end"]["ms"]["p50"] > 0
    assert list(Path(bench.folder, record["path"]).glob("boxed-bright-*.json"))
    truth, bright = scores[:2]
    assert bright["extra_rmse"] == pytest.approx(bright["metrics"]["rmse"] - truth["metrics"]["rmse"], rel=1e-3)
    assert bright["extra_rmse_ci"][0] < bright["extra_rmse"] < bright["extra_rmse_ci"][1]
    assert "extra_rmse" not in truth
    board = ["score", record["key"], boxed["key"], "--box", "truth,bright,truth", "--out", bench.folder / "board"]
    assert bench.call(*board) == 0
    said = capsys.readouterr().out
    for word in (record["key"][:8], boxed["key"][:8], "bright", f"{bright['extra_rmse']:+.3f}", "img/s"):
        assert word in said
    rows = bench.rows("board/models-by-boxes.csv")
    assert [(row["run"], row["trained_on"], row["box"]) for row in rows] == [
        (run["key"], run["box"], box) for run in (record, boxed) for box in ("truth", "bright")
    ]
    assert float(rows[1]["pictures_per_s"]) > 0
    assert rows[1]["box_settings"] == "level=100, preset=plain"


def test_a_run_on_whole_frames_is_brought_to_look_as_in_training_everywhere(bench, train, capsys):
    whole = train("--box", "frame")
    square = train()

    picture = bench.picture("one.png")
    faces = {}
    for record in (whole, square):
        assert bench.call("predict", record["key"], picture, "--detector", "bright", "--json") == 0
        ((faces[record["key"]],),) = [image["faces"] for image in json.loads(capsys.readouterr().out)["images"]]
    np.testing.assert_allclose(faces[square["key"]]["square"], [30, 20, 40, 40], atol=1e-3)
    assert abs(faces[whole["key"]]["square"][2] - 40) > 1
    assert faces[whole["key"]]["box"] == faces[square["key"]]["box"]
    out = bench.folder / "points.csv"
    assert bench.call("predict", whole["key"], "--part", "test", "--detector", "bright", "--out", out) == 0
    capsys.readouterr()
    assert bench.call("score", whole["key"], "--box", "bright", "--json") == 0
    scored = json.loads(capsys.readouterr().out)
    assert bench.call("score", out, "--dataset", "patches", "--box", "bright", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert scored["metrics"]["rmse"] == pytest.approx(again["metrics"]["rmse"], rel=1e-3)
    assert bench.call("score", out, "--dataset", "patches", "--box", "truth,bright") == 2
    assert "with any box" in capsys.readouterr().err


def test_scoring_with_a_detector_searches_the_test_part_alone_and_keeps_what_it_costs(bench, train, capsys):
    record = train()
    assert record["box"] == "truth"
    assert bench.call("score", record["key"], "--box", "bright", "--json") == 0
    alone = json.loads(capsys.readouterr().out)
    searched = [len(np.load(path)) for path in (bench.folder / "data" / "found").glob("*/counts.npy")]
    assert searched == [alone["dataset"]["images"]]

    assert bench.call("score", record["key"], "--box", "truth,bright", "--json") == 0
    _, beside = json.loads(capsys.readouterr().out)["scores"]
    (path,) = Path(bench.folder, record["path"]).glob("boxed-bright-*.json")
    kept = json.loads(path.read_text())
    assert kept["extra_rmse"] == pytest.approx(beside["extra_rmse"], rel=1e-4)
    assert kept["extra_rmse_ci"] == pytest.approx(beside["extra_rmse_ci"], rel=1e-3)
    # without truth among the boxes the run's own recorded errors tell it
    assert alone["extra_rmse"] == pytest.approx(beside["extra_rmse"], rel=1e-3)


def test_a_setting_that_no_box_has_is_a_mistake(bench, capsys):
    assert bench.call("score", "any", "--box", "truth,bright", "--set", "detector.levle=150") == 2
    error = capsys.readouterr().err
    assert "Unknown detector setting 'levle'" in error
    assert "level" in error


def test_a_preset_given_now_is_not_undone_by_the_runs_own_settings(bench, train, capsys):
    record = train("--box", "bright")
    assert record["box_settings"]["level"] == 100
    for words, level in (([], 100), (["preset=deep"], 150), (["preset=deep", "detector.level=120"], 120)):
        given = [word for each in words for word in ("--set", f"detector.{each.removeprefix('detector.')}")]
        assert bench.call("score", record["key"], *given, "--json") == 0
        assert json.loads(capsys.readouterr().out)["box_settings"]["settings"]["level"] == level


def test_a_run_on_a_detectors_boxes_predicts_by_the_same_detector(bench, train):
    record = train("--box", "bright", "--set", "detector.level=120")
    registry = load_registry([bench.folder / "plugin.py"])
    loaded = load_run(
        RunStore(bench.folder / "runs").find(record["key"]), registry, torch.device("cpu"), bench.folder / "data"
    )
    assert loaded.open_detector("bright").settings["level"] == 120
    assert loaded.open_detector("bright", {"level": "140"}).settings["level"] == 140
