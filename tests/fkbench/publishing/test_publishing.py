"""A published folder: tables and pages made from its files alone, the same bytes anywhere, nothing ever dropped."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from published_folder import content, publish_all, tables

from fkbench.boards import build, write_board, write_index
from fkbench.boards.detections import side_boards
from fkbench.boards.output import write_texts
from fkbench.publishing import Scrubber, publish, rebuild
from fkbench.records import (
    ERRORS_FILE,
    PREDICTIONS_FILE,
    ResultStore,
    beside,
    read_errors,
    read_points,
)
from fkbench.site import write_leaderboards

BOARD = "faces-honest-fair-v1-whole-01234567"

LEADERBOARDS = Path(__file__).resolve().parents[3] / "leaderboards"


@pytest.fixture
def six(put):
    for seed in range(3):
        put("good", 1.0, seed)
        put("bad", 2.0, seed)
    put("broken", status="failed", reason="no file '/home/jane/x'", metrics={}, timing=None)


def test_pages_are_made_from_the_published_files_alone_and_are_the_same_bytes_again(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    before = content(tmp_path / "lb")
    pages = [name for name in before if name.startswith("pages/") and name.endswith(".html")]
    assert sorted(Path(name).name.split("-")[0] for name in pages) == ["bad", "good"]
    assert b"/home/jane" not in b"".join(before.values())
    shutil.rmtree(store.root)
    moved = tmp_path / "else where"
    shutil.copytree(tmp_path / "lb" / "results", moved / "results")
    rebuild(moved)
    assert content(moved) == before


@pytest.mark.slow
def test_several_processes_write_the_same_bytes(store, put, six, tmp_path):
    for seed in range(3):
        put("good", 1.0, seed, box="another")
    publish_all(store, tmp_path / "lb")
    shutil.copytree(tmp_path / "lb" / "results", tmp_path / "shared" / "results")
    rebuild(tmp_path / "shared", processes=2)
    assert content(tmp_path / "shared") == content(tmp_path / "lb")


def test_results_in_folders_of_other_names_make_the_same_boards(store, put, six, tmp_path):
    for seed in range(3):
        put("good", 1.0, seed, box="another")
    publish_all(store, tmp_path / "lb")
    together = tmp_path / "moved" / "results" / "together"
    together.mkdir(parents=True)
    for path in (tmp_path / "lb" / "results").glob("*/*"):
        shutil.copy(path, together)
    rebuild(tmp_path / "moved")
    assert tables(tmp_path / "moved") == tables(tmp_path / "lb")


def test_damaged_results_are_named_once_and_the_others_make_the_board(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    victim = sorted((tmp_path / "lb" / "results").glob("*/bad-*.json"))[0]
    victim.write_text("{")
    said = []
    made = rebuild(tmp_path / "lb", said.append)
    assert [victim.name in line for line in said] == [True]
    assert [row.rank for row in made.boards[0].rows if row.model == "good"] == [1]
    assert [len(row.seeds) for row in made.boards[0].rows if row.model == "bad"] == [2]


def test_tables_and_pages_of_a_board_that_is_gone_are_removed_and_other_files_stay(store, put, six, tmp_path):
    folder = tmp_path / "lb"
    for seed in range(3):
        put("good", 1.0, seed, box="another")
    publish_all(store, folder)
    mine = {"notes.md": b"mine", "mine.json": b'{"board": "other"}', "odd.json": b'["board"]'}
    for name, data in mine.items():
        (folder / name).write_bytes(data)
    gone = next(folder.glob("results/*another*"))
    assert any(gone.name in name for name in tables(folder))
    shutil.rmtree(gone)
    rebuild(folder)
    assert not [name for name in content(folder) if gone.name in name]
    assert {name: content(folder)[name] for name in mine} == mine
    assert f"{BOARD}.csv" in content(folder)


def test_a_published_result_has_four_files_and_reads_like_a_run(store, put, tmp_path):
    record = put("net", 2.0)
    done = publish_all(store, tmp_path / "lb")
    stem = f"results/{BOARD}/net-{record.key}"
    names = {f"{stem}{end}" for end in (".json", f".{ERRORS_FILE}", f".{PREDICTIONS_FILE}", ".history.csv")}
    assert {name for name in content(tmp_path / "lb") if name.startswith("results/")} == names
    assert [str(path) for path in done.written] == [str(tmp_path / "lb" / f"{stem}.json")]
    [found] = ResultStore(tmp_path / "lb").records()
    assert found.metrics == record.metrics
    assert ResultStore(tmp_path / "lb").find(record.key[:6]).path == found.path
    assert ResultStore(tmp_path / "lb").find_all("net@faces")[0].key == record.key
    assert ResultStore(tmp_path / "lb" / "results").find(found.path) == found
    np.testing.assert_array_equal(read_errors(beside(found, ERRORS_FILE)).sum_sq, _errors(record).sum_sq)
    ids, points = read_points(beside(found, PREDICTIONS_FILE))
    assert points.dtype == np.float16
    assert ids == _errors(record).ids


def _errors(record):
    return read_errors(beside(record, ERRORS_FILE))


def test_boards_of_runs_and_of_what_was_published_from_them_have_the_same_rows(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    own, published = build(store.records()), build(ResultStore(tmp_path / "lb").records())
    assert [[(r.model, r.rank, r.rmse, r.rmse_ci) for r in board.rows] for board in own] == [
        [(r.model, r.rank, r.rmse, r.rmse_ci) for r in board.rows] for board in published
    ]


def test_tables_are_the_same_bytes_in_any_order_and_folder(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    before = tables(tmp_path / "lb")
    assert {Path(name).suffix for name in before} == {".md", ".csv", ".json", ".html"}
    for seed in range(3):
        records = ResultStore(tmp_path / "lb").records()
        random.Random(seed).shuffle(records)
        write_leaderboards(records, tmp_path / f"again{seed}")
        assert tables(tmp_path / f"again{seed}") == before
    shutil.copytree(tmp_path / "lb" / "results", tmp_path / "else where" / "results")
    rebuild(tmp_path / "else where")
    assert tables(tmp_path / "else where") == before


def test_publishing_in_another_order_gives_the_same_files(store, six, tmp_path):
    records = store.records()
    for name, order in (("a", records), ("b", records[::-1])):
        publish(order, tmp_path / name, Scrubber())
        rebuild(tmp_path / name)
    assert content(tmp_path / "a") == content(tmp_path / "b")


@pytest.mark.skipif(not (LEADERBOARDS / "results").is_dir(), reason="nothing is published in this checkout yet")
def test_the_committed_tables_are_those_of_the_committed_results(tmp_path):
    """To mend: fkbench --runs leaderboards leaderboard --publish leaderboards."""
    records = ResultStore(LEADERBOARDS).records()
    sides = side_boards(records, LEADERBOARDS, pytest.fail)
    boards = build(records)
    made = [path for board in boards for path in write_board(board, tmp_path)]
    made += [path for side in sides for path in write_texts(side.files, side.slug, tmp_path)]
    for path in (*made, write_index(boards, tmp_path, sides)):
        assert (LEADERBOARDS / path.name).read_bytes() == path.read_bytes(), f"{path.name} is out of date"
    ours = {path.name for path in LEADERBOARDS.iterdir() if path.suffix in {".md", ".csv", ".json"}}
    assert ours == {path.name for path in tmp_path.iterdir()}
