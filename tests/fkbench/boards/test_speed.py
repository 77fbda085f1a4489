"""Void and quick timing sessions, and few latency calls: what tables show of them."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from rich.console import Console

from fkbench.boards import build, print_board, render_csv, render_json, render_markdown
from fkbench.boards.speed import LATENCY_CALLS
from fkbench.boards.terminal import fitting

DRIFT = "the control net drifted by 9.1%, more than 5%: the machine was not quiet"
SPEEDS = ("infer_images_per_s", "latency_ms_p50", "peak_memory_mib")


def timing(**more):
    return {"version": 1, "train_s": 40.0, "train_images_per_s": 3000.0, "infer_images_per_s": 472.0,
            "latency_ms": {"p50": 1.25}, "peak_memory_mib": 64.0, "latency_calls": 1000, "void": False,
            "quick": False, **more}  # fmt: skip


VOID = timing(void=True, void_reason=DRIFT, infer_images_per_s=918273.0)


def only_board(runs):
    (board,) = build(runs.records, runs.errors_of)
    return board


def markdown_cells(board, model):
    lines = [line for line in render_markdown(board).splitlines() if line.startswith("| ")]
    titles, *rows = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    return dict(zip(titles, next(row for row in rows if row[1] == model), strict=True))


def csv_row(board, model):
    return next(row for row in csv.DictReader(io.StringIO(render_csv(board))) if row["model"] == model)


def json_timing(board, model):
    return next(row for row in json.loads(render_json(board))["rows"] if row["model"] == model)["timing"]


def printed(board):
    console = Console(width=250, file=io.StringIO(), force_terminal=False)
    print_board(board, console)
    return console.file.getvalue()


def test_the_speeds_of_a_void_session_are_nowhere_and_the_reason_is(runs):
    runs.add_seeds("good", 2.0, timing=timing(infer_images_per_s=500.0))
    runs.add_seeds("shaken", 2.0, timing=VOID)
    board = only_board(runs)
    cells = markdown_cells(board, "shaken")
    assert (cells["infer img/s"], cells["p50 ms"]) == ("– ‡", "– ‡")
    assert (cells["train s"], cells["train img/s"]) == ("≤ 40.0", "≥ 3000")
    assert "≤ ≥ trained beside other work, alone it is faster: shaken." in render_markdown(board)
    for text in (render_markdown(board), printed(board)):
        assert f"‡ no speeds of shaken, the session is void: {DRIFT}" in text
    for text in (render_markdown(board), render_csv(board), render_json(board), printed(board)):
        assert "918273" not in text
    row = csv_row(board, "shaken")
    assert [row[name] for name in SPEEDS] == ["", "", ""]
    assert (row["timing"], row["comparable_speed"], row["train_s"]) == ("void", "false", "40.0")
    page = json_timing(board, "shaken")
    assert [page[name] for name in SPEEDS] == [None, None, None]
    assert (page["session"], page["comparable"], page["void_reason"]) == ("void", False, DRIFT)
    assert page["train_images_per_s"] == 3000.0
    assert (csv_row(board, "good")["timing"], csv_row(board, "good")["comparable_speed"]) == ("full", "true")


@pytest.mark.parametrize(("instead_of_void", "shown"), [(True, "≤ 40.0"), (False, "40.0")])
def test_a_session_that_was_repeated_does_not_make_the_training_undisturbed(runs, instead_of_void, shown):
    runs.add_seeds("net", 2.0, timing=timing(again={"created": "", "instead_of_void": instead_of_void}))
    board = only_board(runs)
    cells = markdown_cells(board, "net")
    assert (cells["infer img/s"], cells["train s"]) == ("472", shown)
    assert csv_row(board, "net")["train_disturbed"] == str(instead_of_void).lower()
    assert json_timing(board, "net")["train_disturbed"] is instead_of_void


def test_a_quick_session_is_marked_and_not_comparable(runs):
    runs.add_seeds("good", 2.0, timing=timing(infer_images_per_s=500.0))
    runs.add_seeds("hasty", 2.0, timing=timing(quick=True))
    board = only_board(runs)
    cells = markdown_cells(board, "hasty")
    assert (cells["infer img/s"], cells["p50 ms"], cells["train s"]) == (r"\~472", r"\~1.25", "40.0")
    assert markdown_cells(board, "good")["infer img/s"] == "500"
    assert "short session" in render_markdown(board)
    assert "~ from a short session" in printed(board)
    assert (csv_row(board, "hasty")["timing"], csv_row(board, "hasty")["comparable_speed"]) == ("quick", "false")
    assert json_timing(board, "hasty")["session"] == "quick"


def test_void_goes_before_quick(runs):
    runs.add("net", timing=VOID | {"quick": True})
    assert json_timing(only_board(runs), "net")["session"] == "void"


def test_a_seed_with_a_full_session_speaks_for_the_row(runs):
    runs.add("net", seed=0, timing=VOID | {"infer_images_per_s": 1.0})
    runs.add("net", seed=1, timing=timing(quick=True) | {"infer_images_per_s": 2.0})
    runs.add("net", seed=2, timing=timing(train_s=70.0))
    (row,) = only_board(runs).rows
    assert (row.speed.session, row.speed.numbers["infer_images_per_s"]) == ("full", 472.0)
    assert row.speed.numbers["train_s"] == 40.0
    assert row.comparable_speed


def test_few_latency_calls_have_a_footnote_at_the_latency(runs):
    runs.add("whole", timing=timing())
    runs.add("slow", seed=0, timing=timing(latency_calls=640))
    runs.add("slow", seed=1, timing=timing(latency_calls=700))
    board = only_board(runs)
    assert markdown_cells(board, "slow")["p50 ms"] == "1.25 §"
    assert markdown_cells(board, "slow")["infer img/s"] == "472"
    assert markdown_cells(board, "whole")["p50 ms"] == "1.25"
    for text in (render_markdown(board), printed(board)):
        assert "§ fewer than 1000 latency calls: slow 640" in text
    assert csv_row(board, "slow")["latency_calls"] == "640"


def test_seeds_trained_at_once_have_a_footnote_at_their_seconds(runs):
    runs.add("alone", timing=timing())
    runs.add("beside", seed=0, timing=timing(trained_at_once=5))
    runs.add("beside", seed=1, timing=VOID | {"trained_at_once": 2})
    runs.add("shaken", timing=VOID | {"trained_at_once": 3})
    board = only_board(runs)
    assert markdown_cells(board, "beside")["train s"] == "≤ 40.0 ¶"
    assert markdown_cells(board, "beside")["infer img/s"] == "472"
    assert markdown_cells(board, "alone")["train s"] == "40.0"
    for text in (render_markdown(board), printed(board)):
        (note,) = re.findall(r"¶ seconds of training are a share, of so many seeds trained at once: ([^.\n]*)", text)
        assert sorted(note.split(", ")) == ["beside 5", "shaken 3"]


def test_tables_for_programs_say_of_how_many_seeds_the_seconds_are_a_share(runs):
    runs.add("alone", timing=timing())
    runs.add("alone", timing=timing(), dataset__split="other")
    runs.add("beside", timing=timing(trained_at_once=5))
    shared, others = sorted(build(runs.records, runs.errors_of), key=lambda board: -len(board.rows))
    assert {model: csv_row(shared, model)["trained_at_once"] for model in ("alone", "beside")} == {
        "alone": "1", "beside": "5",
    }  # fmt: skip
    assert json_timing(shared, "beside")["trained_at_once"] == 5
    assert "trained_at_once" not in json_timing(shared, "alone")
    assert "trained_at_once" not in csv_row(others, "alone")


def test_boards_of_full_sessions_have_no_footnotes(runs):
    runs.add("net", timing=timing())
    text = render_markdown(only_board(runs))
    assert not set("‡§¶~†") & set(text)


def test_runs_without_a_session_have_no_kind(runs):
    runs.add("net", timing={"version": 1, "train_s": 3.0})
    runs.add("untimed", timing=None)
    board = only_board(runs)
    assert [json_timing(board, model)["session"] for model in ("net", "untimed")] == [None, None]
    assert csv_row(board, "net")["timing"] == ""


def test_the_terminal_has_no_column_of_void_speeds_alone(runs):
    runs.add("shaken", timing=VOID)
    board = only_board(runs)
    assert not {"infer img/s", "p50 ms"} & {column.title for column in fitting(board.rows, 300)}
    assert DRIFT in printed(board)


@pytest.mark.parametrize("reason", [None, 3, "<b>|x|</b>\x1b[31m"])
def test_the_reason_is_text_by_anyone(runs, reason):
    runs.add("net", timing=timing(void=True, void_reason=reason))
    board = only_board(runs)
    for text in (render_markdown(board), printed(board)):
        assert "the session is void" in text
        assert "\x1b" not in text
    assert "<b>" not in render_markdown(board)


def test_the_contract_has_as_many_calls_as_the_footnote_asks_for():
    from fkbench.timing.plan import CONTRACT_CALLS

    assert LATENCY_CALLS == CONTRACT_CALLS
