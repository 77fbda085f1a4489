"""What stands together, what makes one row, and that the order of records changes nothing."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest

from fkbench.boards import build, render_csv, render_index, render_json, render_markdown
from fkbench.boards.latex import render_latex
from fkbench.boards.speed_cells import footnotes
from fkbench.boards.terminal import below
from fkbench.score import SeedSums, rmse


def the_row(boards, model):
    rows = [row for board in boards for row in board.rows if row.model == model]
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    "change",
    [
        {"dataset__name": "other"},
        {"dataset__fingerprint": "sha256:ffff"},
        {"dataset__split": "official"},
        {"dataset__split_version": 2},
        {"protocol__name": "quick"},
        {"protocol__version": 2},
        {"box": "found"},
        {"box_settings": {"margin": 2}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_comparable_stands_on_a_board_of_its_own(runs, change):
    runs.add_seeds("a", 1.0)
    runs.add_seeds("b", 1.0, **change)
    boards = build(runs.records, runs.errors_of)
    assert [[row.model for row in board.rows] for board in boards] in ([["a"], ["b"]], [["b"], ["a"]])
    assert len({board.slug.lower() for board in boards}) == 2


def test_the_seeds_of_one_plan_are_one_row_with_all_errors_together(runs):
    records = runs.add_seeds("net", 2.0)
    row = the_row(build(runs.records, runs.errors_of), "net")
    errors = [runs.errors_of(record) for record in records]
    together = math.sqrt(sum(e.sum_sq.sum() for e in errors) / sum(e.count.sum() for e in errors))
    assert row.seeds == (0, 1, 2)
    assert row.rmse == pytest.approx(together, rel=1e-5)
    assert row.rmse_ci[0] < row.rmse < row.rmse_ci[1]
    assert row.metrics["mae"] == pytest.approx(np.mean([r.metrics["mae"] for r in records]), rel=1e-5)
    assert row.speed.numbers["train_s"] == 42.0
    assert row.speed.numbers["latency_ms_p50"] == 1.26


@pytest.mark.parametrize(
    ("change", "variant"),
    [
        ({"model__settings": {"head": "wide"}}, {"head=wide", ""}),
        ({"protocol__recipe": {"lr": 0.5}}, None),
        ({"protocol__overrides": {"lr": 0.5}}, None),
        ({"device": {"type": "cuda", "name": "GPU"}}, {"cpu", "cuda"}),
        ({"device": {"type": "cpu", "name": "Other CPU"}}, {"cpu: Example CPU", "cpu: Other CPU"}),
        ({"model__source": "sha256:" + "2" * 64}, {"code=11111111", "code=22222222"}),
        ({"engine": 2}, {"engine=1", "engine=2"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_plan_device_or_code_is_another_row_that_says_so(runs, change, variant):
    runs.add_seeds("net", 2.0)
    runs.add_seeds("net", 2.0, **change)
    (board,) = build(runs.records, runs.errors_of)
    assert [row.seeds for row in board.rows] == [(0, 1, 2)] * 2
    assert len({row.label for row in board.rows}) == 2
    if variant is not None:
        assert {row.variant for row in board.rows} == variant


def test_changed_source_of_equal_behaviour_is_the_same_row(runs):
    runs.add("net", seed=0, probe={"loss": 0.5})
    runs.add("net", seed=1, probe={"loss": 0.5}, model__source="sha256:" + "2" * 64)
    runs.add("net", seed=2, probe={"loss": 0.5}, model__source="sha256:" + "2" * 64)
    assert the_row(build(runs.records, runs.errors_of), "net").seeds == (0, 1, 2)


def test_two_records_of_one_seed_count_once_whatever_their_order(runs):
    runs.add_seeds("net", 2.0)
    runs.add("net", seed=1, draw_as="again", created="2026-01-01T00:00:00Z", key="f" * 16)
    for records in (runs.records, runs.records[::-1]):
        row = the_row(build(records, runs.errors_of), "net")
        assert row.seeds == (0, 1, 2)
        assert "f" * 16 not in row.keys
        assert row.marks == ("1 more record of the same seeds set aside",)


def test_copies_of_one_record_are_one_record(runs):
    runs.add_seeds("net", 2.0)
    copies = [record.model_copy(update={"path": "elsewhere", "created": "later"}) for record in runs.records]
    row = the_row(build([*copies, *runs.records], runs.errors_of), "net")
    assert row.seeds == (0, 1, 2)
    assert row.marks == ()


def test_a_finished_record_goes_before_one_that_is_not(runs):
    runs.add("net", seed=0, key="f" * 16)
    runs.add("net", seed=0, key="0" * 16, status="timeout", metrics={}, timing=None)
    row = the_row(build(runs.records, runs.errors_of), "net")
    assert (row.seeds, row.failed) == ((0,), 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_records_does_not_change_a_byte(many, seed):
    def texts(records):
        boards = build(records, many.errors_of)
        renders = (render_markdown, render_csv, render_json)
        return [render(board) for board in boards for render in renders] + [render_index(boards)]

    shuffled = list(many.records)
    random.Random(seed).shuffle(shuffled)
    assert texts(shuffled) == texts(many.records)


def test_runs_that_failed_are_shown_with_the_reason(many):
    boards = build(many.records, many.errors_of)
    row = the_row(boards, "broken")
    assert (row.status, row.failed, row.rmse) == ("failed", 1, None)
    assert row.reasons == ("seed 0 oom: out of memory",)
    flaky = the_row(boards, "flaky")
    assert (flaky.status, flaky.seeds) == ("partly", (0, 1, 2))
    assert "seed 3 failed: the loss is NaN" in flaky.reasons
    assert {row.model for board in boards for row in board.rows} >= {record.model.name for record in many.records}


def test_speeds_of_another_device_or_timing_version_are_marked(runs):
    runs.add_seeds("a", 2.0)
    runs.add_seeds("b", 2.0)
    runs.add_seeds("c", 2.0, device={"type": "cuda", "name": "GPU"})
    runs.add_seeds("d", 2.0, timing={"version": 2, "train_s": 1.0})
    for i in range(3):  # many baselines on another device do not make it the board's
        runs.add(f"base{i}", 4.0, model__role="baseline", device={"type": "cpu", "name": "Small"})
    (board,) = build(runs.records, runs.errors_of)
    assert (board.speed_device, board.speed_version) == ("cpu: Example CPU", 1)
    comparable = {row.model: row.comparable_speed for row in board.rows}
    assert comparable == {"a": True, "b": True, "c": False, "d": False, "base0": False, "base1": False, "base2": False}
    assert "42.0 †" in render_markdown(board)
    explained = "measured on another device, with other threads or under another contract: not comparable"
    pages = (render_markdown(board), render_latex(board), "\n".join(below(board, ())))
    assert [page.count(explained) for page in pages] == [1, 1, 1]
    assert "† measured" in footnotes([row for row in board.rows if row.model == "c"])[0]  # as on the page of its runs
    assert not any("†" in line for line in footnotes([row for row in board.rows if row.model == "a"]))


def test_speeds_of_a_processor_with_other_threads_are_marked(runs):
    device = {"type": "cpu", "name": "Example CPU", "threads": 2}
    gpu = {"type": "cuda", "name": "GPU"}
    runs.add_seeds("a", 2.0, device=device)
    runs.add_seeds("b", 2.0, device=device)
    runs.add_seeds("one thread", 2.0, device=device | {"threads": 1})
    runs.add_seeds("not stated", 2.0, device=device | {"threads": None})
    for seed, threads in enumerate((2, 2, 4)):
        runs.add("both", 2.0, seed, device=device | {"threads": threads})
    (board,) = build(runs.records, runs.errors_of)
    assert {row.model: row.comparable_speed for row in board.rows} == {
        "a": True, "b": True, "one thread": False, "not stated": False, "both": False,
    }  # fmt: skip
    text = render_markdown(board)
    assert "Speed: cpu: Example CPU, 2 threads, timing contract v1." in text
    assert "with other threads" in text
    assert json.loads(render_json(board))["speed"]["threads"] == [2]
    for threads in (4, 16):  # of the host of a GPU: they decide little
        runs.add_seeds(f"gpu {threads}", 2.0, device=gpu | {"threads": threads}, dataset__split="other")
    (other,) = [board for board in build(runs.records, runs.errors_of) if board.key.split == "other"]
    assert all(row.comparable_speed for row in other.rows)


def test_leaky_and_unofficial_boards_say_so(runs):
    runs.add_seeds("net", 2.0, flags=["leaky"], dataset__official={"labels": False, "pixels": False})
    (board,) = build(runs.records, runs.errors_of)
    text = render_markdown(board)
    assert "Leaky split" in text
    assert "Labels are not the official ones" in text
    assert "Pixels are not the official ones" in text
    runs.records.clear()
    runs.add_seeds("net", 2.0, dataset__official={"labels": None, "pixels": True})
    (clean,) = build(runs.records, runs.errors_of)
    assert clean.notes == ()


def test_equal_slugs_are_told_apart_the_same_way_whatever_the_order(runs):
    runs.add("net", dataset__split="a/b")
    runs.add("net", dataset__split="a b")
    slugs = [board.slug for board in build(runs.records, runs.errors_of)]
    assert len(set(slugs)) == 2
    assert slugs[0] == "faces-a-b-fair-v1-whole-01234567"
    assert slugs[1].startswith(f"{slugs[0]}-")
    assert slugs == [board.slug for board in build(runs.records[::-1], runs.errors_of)]


@pytest.mark.parametrize("rest", ["0" * 8, "f" * 8])
def test_a_fingerprint_that_begins_alike_leaves_the_other_board_its_name(runs, rest):
    runs.add_seeds("net", 2.0)
    before = {board.key: board.slug for board in build(runs.records, runs.errors_of)}
    for split, records in (("honest", 1), ("HONEST", 2)):
        runs.add_seeds("late", 2.0, count=records, dataset__fingerprint=f"sha256:01234567{rest}", dataset__split=split)
    after = {board.key: board.slug for board in build(runs.records, runs.errors_of)}
    assert after.items() >= before.items()
    assert len({slug.lower() for slug in after.values()}) == len(after) == 3


def test_no_records_make_no_boards():
    assert build([]) == []


def test_the_made_up_errors_are_those_of_their_records(runs):
    record = runs.add("net")
    errors = runs.errors_of(record)
    assert rmse(errors) == pytest.approx(record.metric("rmse"), rel=1e-5)
    assert SeedSums.of([errors]).mse() == pytest.approx(record.metric("rmse") ** 2, rel=1e-5)
