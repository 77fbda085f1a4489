"""What the errors per image say of a row: they are not there, give another score, or are of other images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.boards import build, entries_of
from fkbench.boards.text import render_index
from fkbench.records import write_arrays, write_errors
from fkbench.site.measures import measure
from fkbench.site.pareto import dots_of


def test_without_errors_per_image_there_is_a_score_but_no_rank(runs):
    records = runs.add_seeds("net", 2.0)
    del runs.errors[records[1].key]
    (reason,) = runs.reasons()
    assert reason.startswith("no errors per image for seed 1")
    (board,) = build(runs.records, runs.errors_of)
    expected = np.sqrt(np.mean([record.metric("rmse") ** 2 for record in records]))
    assert board.rows[0].rmse == pytest.approx(expected, rel=1e-5)
    assert board.rows[0].rmse_ci is None


def test_errors_that_do_not_give_the_recorded_rmse_are_not_believed(runs):
    records = runs.add_seeds("net", 2.0)
    errors = runs.errors[records[0].key]
    runs.errors[records[0].key] = replace(errors, sum_sq=errors.sum_sq * 0.5)
    (reason,) = runs.reasons()
    assert reason.startswith("the errors per image of seed 0 do not give its rmse: ")


def test_a_row_that_its_errors_contradict_is_last_and_nothing_is_measured_against_it(runs):
    runs.add("fixed", 3.0, model__role="baseline", model__deterministic=True)
    runs.add("forged", 3.2, model__role="baseline", model__deterministic=True, metrics={"rmse": 0.5, "rmse_ci": [3, 4]})
    runs.add("broken", status="failed", reason="a crash", metrics={}, timing=None)
    (board,) = build(runs.records, runs.errors_of)
    forged = board.rows[-1]
    assert [row.model for row in board.rows] == ["fixed", "broken", "forged"]
    assert (forged.trust, forged.baseline_share, forged.rmse_ci) == ("check failed", None, None)
    assert (board.best.model, board.reference) == ("fixed", "fixed")
    assert "| fixed | 3." in render_index([board])
    dots = dots_of(measure(board, entries_of(runs.records), runs.errors_of))
    assert [dot.found.row.model for dot in dots] == ["fixed"]


def test_without_errors_per_image_no_row_is_the_best(runs):
    runs.add("alone", 0.1, model__deterministic=True)
    runs.errors.clear()
    (board,) = build(runs.records, runs.errors_of)
    assert (board.best, board.rows[0].trust) == (None, "self-reported")
    assert "| – | – |" in render_index([board])


def test_other_images_than_the_rest_of_the_board_are_not_ranked_among_them(runs):
    runs.add_seeds("a", 1.0)
    runs.add_seeds("b", 2.0)
    runs.add_seeds("net", 0.5, images=30)
    assert runs.reasons() == ("scored on other images than the rest of the board",)
    assert runs.ranks() == {"a": "1", "b": "2", "net": ""}


def test_many_rows_of_few_images_do_not_drive_out_the_baselines(runs):
    runs.add_seeds("a", 1.0)
    runs.add("mean", 4.0, model__role="baseline", model__deterministic=True)
    for name in ("w", "x", "y", "z"):
        runs.add_seeds(name, 0.5, images=30)
    assert runs.ranks() == {"a": "1", "mean": "2", "w": "", "x": "", "y": "", "z": ""}
    (board,) = build([record for record in runs.records if record.model.name in "ax"], runs.errors_of)
    assert {row.model: row.rank_label for row in board.rows} == {"a": "1", "x": ""}  # one each: the more images


@pytest.mark.parametrize("factor", [1e40, 1e110, 1e160])
def test_a_row_out_of_all_proportion_leaves_the_others_their_ranks(runs, factor):
    runs.add_seeds("best", 1.0)
    runs.add_seeds("next", 2.0)
    odd = runs.add("odd", model__deterministic=True)
    errors = runs.errors[odd.key]
    runs.errors[odd.key] = replace(errors, sum_sq=errors.sum_sq * factor)
    runs.records[-1] = odd.model_copy(update={"metrics": {"rmse": float(f"{odd.metric('rmse') * factor**0.5:.6g}")}})
    found = runs.ranks()
    assert found == {"best": "1", "next": "2", "odd": "3" if factor < 1e100 else ""}
    if factor > 1e100:
        assert "not finite, or above" in " ".join(runs.reasons("odd"))


def test_seeds_about_different_images_are_no_row_to_rank(runs):
    runs.add_seeds("net", 2.0, count=2)
    runs.add("net", seed=2, images=30)
    (reason,) = runs.reasons()
    assert "not about the same images" in reason


def test_by_default_the_errors_are_those_in_the_records_folder(runs, tmp_path):
    for record in runs.add_seeds("net", 2.0):
        folder = tmp_path / record.key
        folder.mkdir()
        write_errors(folder / "errors.safetensors", runs.errors_of(record))
    records = [record.model_copy(update={"path": str(tmp_path / record.key)}) for record in runs.records]
    (board,) = build(records)
    assert board.rows[0].rank == 1
    write_arrays(tmp_path / records[0].key / "errors.safetensors", {"sum_sq": np.zeros(3)})
    (board,) = build(records)
    assert board.rows[0].reasons == ("no errors per image for seed 0: errors.safetensors cannot be read",)
    (tmp_path / records[0].key / "errors.safetensors").unlink()
    (board,) = build(records)
    assert board.rows[0].reasons == ("no errors per image for seed 0: errors.safetensors is not there",)
