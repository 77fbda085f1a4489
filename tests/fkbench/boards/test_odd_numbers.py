"""Records with numbers that are absent, null or out of all proportion still make a board."""

from __future__ import annotations

import io
import json
import math

import pytest
from rich.console import Console

from fkbench.boards import build, print_board, render_csv, render_index, render_json, render_markdown, to_frame

ODD = {
    "interval null": {"rmse": 2.0, "rmse_ci": None},
    "ends null": {"rmse": 2.0, "rmse_ci": [None, None]},
    "one end": {"rmse": 2.0, "rmse_ci": [None, 3.0]},
    "short": {"rmse": 2.0, "rmse_ci": [1.0]},
    "text": {"rmse": 2.0, "rmse_ci": ["a", "b"]},
    "truth values": {"rmse": 2.0, "rmse_ci": [True, False]},
    "whole numbers": {"rmse": 2, "rmse_ci": [1, 3]},
    "a number": {"rmse": 2.0, "rmse_ci": 3.0},
    "pages": {"rmse": {"x": 1}, "rmse_ci": {"low": 1}},
    "rmse null": {"rmse": None, "rmse_ci": None, "mae": None, "auc@8": None},
    "rmse zero": {"rmse": 0.0, "rmse_ci": [0.0, 0.0]},
    "rmse below zero": {"rmse": -1.0},
    "rmse tiny": {"rmse": 5e-324, "rmse_ci": [0.0, 5e-324]},
    "huge": {"rmse": 1.7e308, "rmse_ci": [1.7e308, 1.7e308], "mae": 1.7e308, "nme@inter_ocular": 1.7e308},
    "nothing": {},
}


def show(boards):
    for board in boards:
        print_board(board, Console(width=300, file=io.StringIO()))
        json.loads(render_json(board))
    to_frame(boards)
    return [render(board) for board in boards for render in (render_markdown, render_csv)] + [render_index(boards)]


@pytest.mark.parametrize("files", [True, False], ids=["with errors", "without"])
@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("name", ODD)
def test_odd_metrics_make_a_board(runs, name, seeds, files):
    runs.add_seeds("net", 2.0)
    runs.add_seeds("odd", 2.1, count=seeds, metrics=ODD[name], baseline={"copier": ODD[name]})
    runs.add("mean", 4.0, model__role="baseline", model__deterministic=True, metrics=ODD[name])
    if not files:
        runs.errors.clear()
    boards = build(runs.records, runs.errors_of)
    assert {row.model for row in boards[0].rows} == {"net", "odd", "mean", "copier"}
    show(boards)
    for row in boards[0].rows:
        assert row.rmse is None or math.isfinite(row.rmse)
        assert row.rmse_ci is None or all(type(end) is float for end in row.rmse_ci)


@pytest.mark.parametrize(
    "timing",
    [
        {"version": 1, "latency_ms": None, "infer_images_per_s": None},
        {"version": 1, "latency_ms": {"p50": None}, "void": None, "quick": None, "latency_calls": None},
        {"version": 1, "latency_ms": {"p50": 1.0}, "latency_calls": "many", "void": [], "quick": {}},
        {"version": 1, "infer_images_per_s": 1.7e308, "train_s": 0.0, "latency_calls": True},
    ],
)
def test_odd_timings_make_a_board(runs, timing):
    runs.add_seeds("net", 2.0)
    runs.add_seeds("odd", 2.1, timing=timing)
    pages = show(build(runs.records, runs.errors_of))
    assert all("net" in page and "odd" in page for page in pages[:2])


@pytest.mark.parametrize("images", [1, 2])
def test_parts_too_small_for_an_interval_make_a_board(runs, images):
    runs.add_seeds("a", 2.0, images=images)
    runs.add_seeds("b", 3.0, images=images)
    (board,) = build(runs.records, runs.errors_of)
    assert [row.rmse_ci for row in board.rows] == [None, None]
    show([board])
