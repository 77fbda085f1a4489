"""Terminal, Markdown, CSV, JSON, data frame: what they hold, and that names of strangers do nothing in them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from fkbench.boards import (
    Trust,
    build,
    print_board,
    render_csv,
    render_index,
    render_json,
    render_latex,
    render_markdown,
    to_frame,
    write_boards,
)
from fkbench.boards.terminal import fitting
from fkbench.boards.text import csv_cell, markdown_text, visible

HOSTILE = [
    "../../etc/passwd",
    "a|b",
    "a\\|b",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "@someone",
    "`code`",
    "**bold** _it_ ~~no~~",
    "line\nbreak\r| x |",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "[red]rich[/red]",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "\t=1",
    "@SUM(1)",
]


def screen(width: int) -> Console:
    return Console(width=width, file=io.StringIO(), force_terminal=False)


def printed(board, width: int) -> str:
    console = screen(width)
    print_board(board, console)
    return console.file.getvalue()


@pytest.fixture
def board(many):
    return next(b for b in build(many.records, many.errors_of) if b.key.split == "honest")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown_has_a_line_per_row_with_rank_and_reason(board):
    lines = render_markdown(board).splitlines()
    table = [cells(line) for line in lines if line.startswith("|")]
    assert {len(line) for line in table} == {21}
    assert table[0][:4] == ["rank", "model", "rmse px", "95 % CI"]
    by_model = {line[1]: line for line in table[2:]}
    assert by_model["best (cpu)"][0] == "1="
    assert by_model["tuned"][0] == "–"
    assert by_model["tuned"][-1] == "settings changed: epochs=3, lr=0.1; 1 seed, 3 needed"
    assert by_model["flaky"][table[0].index("seeds")] == "3/4"


def test_csv_begins_with_model_and_rmse_and_numbers_are_the_rows(board):
    rows = list(csv.DictReader(io.StringIO(render_csv(board))))
    assert render_csv(board).startswith("model,rmse,rmse_ci_low,rmse_ci_high,mae,nme@inter_ocular,auc@8,fr@8,")
    assert [float(row["rmse"]) if row["rmse"] else None for row in rows] == [row.rmse for row in board.rows]
    first = rows[0]
    assert (first["rank"], first["tied"], first["parameters"], first["dataset"]) == ("1", "true", "8615920", "faces")
    assert rows[-1]["status"] == "failed"
    assert "\r" not in render_csv(board)


def test_json_has_sorted_keys_and_all_rows(board):
    text = render_json(board)
    page = json.loads(text)
    assert text != render_json(replace(board, pairs=()))
    assert len(page["pairs"]["rows"]) == 10
    pairs = page["pairs"] | {"rows": []}
    bare = json.dumps(page | {"pairs": pairs}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert render_json(replace(board, pairs=())) == bare
    assert [row["rank_label"] for row in page["rows"]] == ["1=", "1=", "2=", "2=", "4", "", "", "", ""]
    assert page["rows"][0]["rmse_ci"][0] < page["rows"][0]["rmse"]


def test_the_frame_has_the_columns_of_the_csv(board):
    frame = to_frame([board])
    assert list(frame.columns) == render_csv(board).splitlines()[0].split(",")
    assert frame["model"].tolist() == [row.model for row in board.rows]
    assert frame.loc[0, "rmse"] == board.rows[0].rmse


def test_metrics_of_plugins_get_a_column(runs):
    runs.add("net", metrics={"rmse": 1.0, "a_plugins": 3.0, "list": [1.0]})
    (board,) = build(runs.records, runs.errors_of)
    (row,) = csv.DictReader(io.StringIO(render_csv(board)))
    assert row["a_plugins"] == "3.0"
    assert "list" not in row


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 250])
def test_the_terminal_table_fits_and_always_has_rank_model_and_rmse(board, width):
    lines = printed(board, width).splitlines()
    assert max(len(line) for line in lines) <= max(width, 40)
    header = next(line for line in lines if line.startswith("rank"))
    assert "model" in header
    assert "rmse px" in header
    assert any(line.lstrip().startswith("1=") and "best (cpu)" in line for line in lines)


def test_more_columns_come_with_more_width(board):
    counts = [len(fitting(board.rows, width)) for width in (40, 80, 140, 300)]
    assert counts == sorted(counts)
    assert counts[0] < counts[1] < counts[2] < counts[3]


def test_the_terminal_says_why_rows_have_no_rank(board):
    text = " ".join(printed(board, 100).split())
    assert "tuned: settings changed: epochs=3, lr=0.1" in text
    assert "broken: seed 0 oom: out of memory" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_do_nothing_in_markdown(runs, name):
    runs.add(name, model__settings={name: name}, status="failed", reason=name)
    boards = build(runs.records, runs.errors_of)
    for text in (render_markdown(boards[0]), render_index(boards)):
        table = [line for line in text.splitlines() if line.startswith("|")]
        assert len({len(cells(line)) for line in table}) == 1, "a name has broken the table"
        assert not re.search(r"<(?!/?$)[a-z/!]", text), "HTML from a name"
        assert "javascript:" not in re.sub(r"\\\[.*?\\\]\(javascript:", "", text)
        assert not re.search(r"(?<!\\)\]\((?!faces)", text), "a link from a name"
        assert "://" not in text
        assert "@someone" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_start_no_formula_in_csv(runs, name):
    runs.add(name, status="failed", reason=name)
    text = render_csv(build(runs.records, runs.errors_of)[0])
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 2
    for cell in rows[1]:
        assert not cell.lstrip().startswith(("=", "+", "-", "@")), cell


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_do_nothing_in_the_terminal(runs, name):
    runs.add(name, status="failed", reason=name)
    text = printed(build(runs.records, runs.errors_of)[0], 100)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if name == "[red]rich[/red]":
        assert name in text


def test_hostile_names_write_files_inside_the_folder_only(runs, tmp_path):
    runs.add("net", dataset__name="../../../x", dataset__split="..", protocol__name="/etc", box="a\\b")
    out = tmp_path / "deep" / "out"
    write_boards(build(runs.records, runs.errors_of), out)
    assert {path.parent for path in tmp_path.rglob("*.*") if path.is_file()} == {out}


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (True, "true"), (3, "3"), (-1.5, "-1.5"), (1e-9, "1e-09"), ("-x", "'-x"), ("a,b", "a,b"), ("", "")],
)
def test_cells_of_a_csv(value, cell):
    assert csv_cell(value) == cell


def test_plain_names_stay_as_they_are():
    for name in ("dfk", "mean-shape", "net-1.5 (head=wide)", "café"):
        assert markdown_text(name) == name
        assert visible(name) == name


def test_files_are_written_and_written_again_with_the_same_bytes(many, tmp_path):
    boards = build(many.records, many.errors_of)
    paths = write_boards(boards, tmp_path)
    assert len(paths) == 3 * len(boards) + 1
    assert paths[-1].name == "index.md"
    before = {path: path.read_bytes() for path in paths}
    write_boards(build(many.records[::-1], many.errors_of), tmp_path)
    assert {path: path.read_bytes() for path in paths} == before
    assert not list(tmp_path.glob(".*"))
    for board in boards:
        assert f"({board.slug}.md)" in before[paths[-1]].decode()


def test_the_articles_own_loss_is_a_column_where_some_row_has_one(make_runs, board):
    assert "own loss" not in render_markdown(board)
    runs = make_runs()
    metrics = runs.add("plain").metrics
    runs.add("published", metrics={**metrics, "native_loss": 0.0325})
    native = build(runs.records, runs.errors_of)[0]
    table = [cells(line) for line in render_markdown(native).splitlines() if line.startswith("|")]
    place = table[0].index("own loss")
    assert {line[1]: line[place] for line in table[2:]} == {"plain": "–", "published": "0.0325"}
    assert "no two are comparable" in printed(native, 250)
    assert {row["model"]: row["metrics"].get("native_loss") for row in json.loads(render_json(native))["rows"]} == {
        "plain": None,
        "published": 0.0325,
    }


def test_pairs_name_rows_by_their_places_and_agree_with_the_ranks(board):
    page = json.loads(render_json(board))
    columns = page["pairs"]["columns"]
    for values in page["pairs"]["rows"]:
        pair = dict(zip(columns, values, strict=True))
        a, b = page["rows"][pair["a"]], page["rows"][pair["b"]]
        assert pair["rmse_difference"] == pytest.approx(a["rmse"] - b["rmse"], abs=1e-4)
        assert pair["p"] <= pair["p_holm"] <= 1
        if pair["better"] is not None:
            winner, loser = (a, b) if pair["better"] == pair["a"] else (b, a)
            assert winner["rank"] < loser["rank"]
    first, second = page["rows"][0], page["rows"][2]
    assert (first["rank"], second["rank"]) == (1, 2)
    assert any(set(v[:2]) == {0, 2} and v[-1] == 0 for v in page["pairs"]["rows"])


def test_a_metric_of_a_plugin_and_each_convention_become_columns(runs):
    extra = {"rmse": 2.0, "sharpness@x": 3.25, "rmse_by_convention": {"full": 1.5, "four": 2.5}}
    runs.add("net", 2.0, metrics=extra)
    board = build(runs.records, runs.errors_of)[0]
    table = [cells(line) for line in render_markdown(board).splitlines() if line.startswith("|")]
    row = dict(zip(table[0], table[2], strict=True))
    assert row["sharpness&#64;x"] == "3.2500"
    assert (row["rmse px, full"], row["rmse px, four"]) == ("1.5000", "2.5000")
    assert "sharpness@x" in render_csv(board).splitlines()[0]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_do_nothing_in_columns_and_latex(runs, name):
    runs.add(name, status="done", metrics={"rmse": 1.0, name: 2.0, "x" * 9000: 1.0}, reason=name)
    board = build(runs.records, runs.errors_of)[0]
    text = render_markdown(board)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(cells(line)) for line in table}) == 1
    assert max(map(len, table)) < 4000
    assert "\u202e" not in text + printed(board, 100) + render_latex(board)
    body = render_latex(board).split("midrule")[1]
    assert not re.search(r"(?<!\\)[$#_^~|<>]", body.replace(r"$\times$", ""))
    used = set(re.findall(r"\\([a-zA-Z]+)", body))
    shown = {"textbackslash", "textless", "textgreater", "textbar", "textasciigrave", "textasciitilde", "dag", "times"}
    assert used <= shown | {"bottomrule", "end", "par"}, used


def test_latex_has_a_line_per_row_and_says_why_rows_have_no_rank(board):
    text = render_latex(board)
    assert text.count(r" \\") == len(board.rows) + 1
    assert r"\begin{tabular}{rl" in text
    assert "tuned: settings changed: epochs=3, lr=0.1" in text


def test_a_leaky_board_carries_the_numbers_of_its_leak_report(runs):
    leaks = {"groups": {"both_sides": 12, "total": 20, "test_samples": 9, "test_share": 0.45}, "clips": "<script>"}
    runs.add("net", 2.0, flags=["leaky"], dataset__leaks=leaks)
    text = render_markdown(build(runs.records, runs.errors_of)[0])
    assert "12 of 20 groups (persons, duplicates), which concern 45.0% of the test images" in text
    assert "script" not in text


def test_a_failed_check_unranks_a_row_and_the_least_level_of_its_seeds_is_shown(runs):
    runs.add_seeds("net", 2.0)
    levels = {0: Trust("reproduced"), 1: Trust("arithmetic checked"), 2: Trust("predicted again")}
    row = build(runs.records, runs.errors_of, lambda record: levels[record.seed])[0].rows[0]
    assert (row.trust, row.rank) == ("arithmetic checked", 1)
    levels[2] = Trust("check failed", "rmse: 2 recorded, 3 computed")
    row = build(runs.records, runs.errors_of, lambda record: levels[record.seed])[0].rows[0]
    assert (row.trust, row.rank) == ("check failed", None)
    assert row.reasons == ("check of seed 2 failed: rmse: 2 recorded, 3 computed",)
