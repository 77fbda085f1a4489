"""What a board says of itself and of baselines without runs of their own: from records that are believed."""

from __future__ import annotations

import pytest

from fkbench.boards import build
from fkbench.boards.text import render_index


def the_row(boards, model):
    (row,) = [row for board in boards for row in board.rows if row.model == model]
    return row


def test_baselines_of_which_only_disbelieved_rows_speak_are_not_believed(runs):
    for record in runs.add_seeds("net", 2.0, baseline={"copier": {"rmse": 3.0}}):
        record.metrics["rmse"] = 0.5  # which its errors per image contradict
    (board,) = build(runs.records, runs.errors_of)
    copier = the_row([board], "copier")
    assert (copier.rmse, copier.believed, board.reference) == (3.0, False, "")


def test_baselines_that_have_no_run_of_their_own_are_taken_from_the_records(runs):
    runs.add_seeds("net", 2.0, baseline={"mean": {"rmse": 4.0, "mae": 3.0}, "copier": {"rmse": 3.0}})
    runs.add("mean", 4.0, model__role="baseline", model__deterministic=True)
    (board,) = build(runs.records, runs.errors_of)
    copier = the_row([board], "copier")
    assert (copier.role, copier.rmse, copier.rank) == ("baseline", 3.0, None)
    assert copier.reasons == ("no run of its own: scored beside net",)
    assert the_row([board], "mean").rank == 2
    assert board.best.model == "net"
    net = the_row([board], "net")
    assert board.reference == "mean"
    assert net.baseline_share == pytest.approx(net.rmse / the_row([board], "mean").rmse, rel=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"model__role": "entry"},
        {"protocol__overrides": {"lr": 1}},
        {"flags": ["stale"]},
        {"model__deterministic": False},
        {"status": "failed", "metrics": {}, "timing": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_models_are_measured_against_baselines_that_hold_before_those_only_spoken_of(runs, change):
    base = {"model__role": "baseline", "model__deterministic": True}
    runs.add_seeds("net", 2.0, baseline={"super": {"rmse": 0.01}, "copier": {"rmse": 3.0}})
    runs.add("cheap", 0.05, **(base | change))
    (board,) = build(runs.records, runs.errors_of)
    assert board.reference == "super"  # where no baseline was run, the records' word is all there is
    runs.add("mean", 4.0, **base)
    (board,) = build(runs.records, runs.errors_of)
    assert board.reference == "mean"


def test_a_board_that_is_not_ranked_has_a_reference_too(runs):
    runs.add_seeds("net", 2.0, protocol__ranked=False, baseline={"super": {"rmse": 0.01}})
    runs.add("mean", 4.0, model__role="baseline", model__deterministic=True, protocol__ranked=False)
    (board,) = build(runs.records, runs.errors_of)
    assert (board.reference, board.best.model) == ("mean", "net")


def test_a_baseline_that_is_only_spoken_of_is_never_the_best(runs):
    runs.add("net", status="failed", metrics={}, timing=None, baseline={"super": {"rmse": 0.01}})
    (board,) = build(runs.records, runs.errors_of)
    assert board.best is None


def test_the_best_of_a_board_says_with_whom_it_shares_its_rank_or_that_it_has_none(runs):
    runs.add("short", 1.0)
    (board,) = build(runs.records, runs.errors_of)
    assert (board.best.model, board.best_note) == ("short", "not ranked")
    notes = []
    for name in ("a", "b|", "c"):
        runs.add_seeds(name, 2.0)
        (board,) = build(runs.records, runs.errors_of)
        notes.append(board.best_note)
    assert (board.best.model, notes) == ("a", ["", "tied with b|", "tied with 2 others"])
    runs.records = [record for record in runs.records if record.model.name != "c"]
    (board,) = build(runs.records, runs.errors_of)
    assert "| a, tied with b\\| |" in render_index([board])


def test_the_record_of_a_failed_run_tells_nothing_of_the_board(runs):
    """Anyone can write one, and there is nothing in it to check."""
    runs.add_seeds("net", 2.0, baseline={"copier": {"rmse": 3.0}})
    before = (board,) = build(runs.records, runs.errors_of)
    lie = {"copier": {"rmse": 0.5, "made up": 1.0}, "oracle": {"rmse": 0.01}}
    dataset = {"dataset__counts": {"test": 1}, "dataset__official": {"labels": False, "pixels": False}}
    runs.add("liar", status="failed", metrics={}, timing=None, baseline=lie, flags=["leaky"], **dataset)
    (after,) = build(runs.records, runs.errors_of)
    assert (after.test_images, after.notes) == (board.test_images, board.notes)
    assert [row for row in after.rows if row.model != "liar"] == [*before[0].rows]


def test_a_board_of_failed_runs_alone_says_what_they_say(runs):
    runs.add("net", status="failed", metrics={}, timing=None, flags=["leaky"], dataset__counts={"test": 7})
    (board,) = build(runs.records, runs.errors_of)
    assert board.test_images == 7
    assert board.notes[0].startswith("Leaky split")


def test_records_that_contradict_each_other_on_a_baseline_are_not_believed(runs):
    runs.add_seeds("net", 2.0, baseline={"copier": {"rmse": 3.0}})
    runs.add_seeds("few", 2.1, count=2, baseline={"copier": {"rmse": 0.2}})
    (board,) = build(runs.records, runs.errors_of)
    copier = the_row([board], "copier")
    assert (copier.rmse, copier.believed, board.reference) == (3.0, False, "")  # what most of them say, and no more
    assert copier.reasons == ("no run of its own: scored beside net; others state another score of it",)


def test_the_last_digits_of_another_machine_are_no_contradiction(runs):
    runs.add_seeds("net", 2.0, baseline={"copier": {"rmse": 3.0}})
    runs.add_seeds("other", 2.1, baseline={"copier": {"rmse": 3.00001}})
    (board,) = build(runs.records, runs.errors_of)
    copier = the_row([board], "copier")
    assert (copier.believed, board.reference, copier.trust) == (True, "copier", "self-reported")


def test_a_model_that_did_not_finish_is_not_said_to_need_one_seed(runs):
    runs.add("net", status="failed", metrics={}, timing=None, model__deterministic=True)
    assert the_row(build(runs.records, runs.errors_of), "net").marks == ()
