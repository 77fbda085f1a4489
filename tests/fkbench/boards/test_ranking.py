"""Who is ranked, with which rank, and what is said of those who are not."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from fkbench.boards import build, ranking
from fkbench.boards.text import render_markdown
from fkbench.protocols import PROTOCOLS
from fkbench.score import summary
from fkbench.specs import Protocol


def test_ranks_admit_ties(runs):
    runs.add_seeds("best", 1.0)
    runs.add_seeds("twin-a", 2.0)
    runs.add_seeds("twin-b", 2.0)
    runs.add_seeds("last", 4.0)
    assert runs.ranks() == {"best": "1", "twin-a": "2=", "twin-b": "2=", "last": "4"}


def test_models_that_the_data_cannot_separate_share_the_first_rank(runs):
    for name in ("a", "b", "c", "d"):
        runs.add_seeds(name, 2.0)
    assert set(runs.ranks().values()) == {"1="}


def test_a_better_model_on_two_devices_counts_once(runs):
    runs.add_seeds("best", 1.0)
    runs.add_seeds("best", 1.0, device={"type": "cuda", "name": "GPU"})
    runs.add_seeds("next", 2.0)
    assert runs.ranks() == {"best (cpu)": "1=", "best (cuda)": "1=", "next": "2"}


def test_rows_stand_by_rank_then_the_unranked_by_rmse_then_those_without_a_score(many):
    board = next(b for b in build(many.records, many.errors_of) if b.key.split == "honest")
    ranked = [row for row in board.rows if row.rank]
    rest = board.rows[len(ranked) :]
    assert [row.rank for row in ranked] == sorted(row.rank for row in ranked)
    assert [row.model for row in rest] == ["tuned", "flaky", "short", "broken"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"protocol__ranked": False}, "protocol fair v1 is not ranked"),
        ({"protocol__frozen": False}, "protocol fair v1 is not ranked (not frozen)"),
        ({"protocol__version": 0}, "protocol fair v0 is not ranked (not frozen)"),
        ({"protocol__overrides": {"lr": 0.5, "epochs": 3}}, "settings changed: epochs=3, lr=0.5"),
        ({"flags": ["collapsed"]}, "collapsed"),
        ({"flags": ["stale"]}, "stale: the model's code has changed since"),
        ({"flags": ["untrained"]}, "untrained"),
    ],
    ids=str,
)
def test_why_a_row_has_no_rank(runs, change, reason):
    runs.add_seeds("net", 2.0, **change)
    assert runs.reasons() == (reason,)


def test_three_seeds_are_needed_unless_there_is_no_randomness(runs):
    runs.add_seeds("net", 2.0, count=2)
    runs.add("fixed", 3.0, model__deterministic=True)
    assert runs.reasons() == ("2 seeds, 3 needed",)
    assert runs.ranks()["fixed"] == "1"


def copied(runs, source, model, seed, change):
    """Another seed whose errors per image are those of a record, but for a change of `sum_sq`."""
    errors = runs.errors[source.key]
    errors = replace(errors, sum_sq=change(errors.sum_sq.copy()))
    record = runs.add(model, seed=seed, metrics=dict(summary(errors)), model__deterministic=source.model.deterministic)
    runs.errors[record.key] = errors


def one_image(sums):
    sums[7] *= 1.001
    return sums


def some_images(sums):
    sums[: len(sums) // 3] *= 5
    return sums


@pytest.mark.parametrize(
    "change",
    [lambda sums: sums, one_image, some_images, lambda sums: sums * 1.001],
    ids=["to the last bit", "but for one image", "but for a third of them", "but for a thousandth"],
)
def test_seeds_that_predict_nearly_the_same_are_no_further_seeds(runs, change):
    runs.add_seeds("apart", 3.0, count=4)
    first = runs.add("net", 2.0, 0)
    runs.add("net", 2.0, 1)
    copied(runs, first, "net", 2, change)
    runs.add("net", 2.0, 3)
    copied(runs, runs.add("fixed", 4.0, model__role="baseline", model__deterministic=True), "fixed", 1, one_image)
    assert runs.reasons() == ("seeds 0, 2 predict nearly the same",)
    assert runs.ranks() == {"apart": "1", "fixed": "2", "net": ""}


def test_copies_are_found_in_a_row_of_very_many_seeds(runs):
    runs.add_seeds("net", 2.0, count=60)
    copied(runs, runs.records[17], "net", 60, one_image)
    copied(runs, runs.records[17], "net", 61, one_image)
    assert runs.reasons() == ("seeds 17, 60, 61 predict nearly the same",)


@pytest.mark.parametrize("key", ["0" * 16, "f" * 16])
def test_of_two_outcomes_of_one_seed_none_is_ranked(runs, key):
    runs.add_seeds("net", 2.0)
    runs.add("net", 2.0, seed=1, key="7" * 16, timing=None)  # a repeat: the same scores
    assert runs.ranks() == {"net": "1"}
    runs.add("net", 2.0, seed=1, key="8" * 16, flags=["stale"], draw_as="old")
    runs.add("net", seed=1, key="9" * 16, status="failed", metrics={}, timing=None)
    assert runs.ranks() == {"net": "1"}
    (board,) = build(runs.records, runs.errors_of)
    used = board.rows[0].keys[1]
    runs.add("net", 3.0, seed=1, key=key)
    (reason,) = runs.reasons()
    assert reason.startswith("seed 1 has several outcomes, under ")
    assert {used, key} <= set(reason.partition(", under ")[2].split(" and "))


def test_a_row_that_one_seed_is_enough_for_says_why(runs):
    runs.add("fixed", 3.0, model__deterministic=True)
    runs.add("mean", 4.0, model__role="baseline", model__deterministic=True)
    runs.add_seeds("net", 2.0)
    (board,) = build(runs.records, runs.errors_of)
    marks = {row.model: row.marks for row in board.rows}
    assert marks == {"fixed": ("one seed is enough: its record states no randomness",), "mean": (), "net": ()}
    assert marks["fixed"][0] in render_markdown(board)
    assert board.rows[1].rank_label == "2"


def test_one_record_cannot_say_for_all_seeds_that_there_is_no_randomness(runs):
    runs.add("net", 2.0, seed=0, model__deterministic=True)
    runs.add("net", 2.0, seed=1)
    assert runs.reasons() == ("2 seeds, 3 needed",)


def test_a_failed_seed_cannot_be_hidden_behind_three_good_ones(runs):
    runs.add_seeds("net", 2.0)
    for seed in (3, 4):
        runs.add("net", seed=seed, status="failed", reason="the loss is NaN", metrics={}, timing=None)
    assert runs.reasons() == ("seeds 3, 4 failed: the loss is NaN",)


def test_one_collapsed_seed_is_named(runs):
    runs.add_seeds("net", 2.0, count=2)
    runs.add("net", seed=2, flags=["collapsed"])
    assert runs.reasons() == ("collapsed (seed 2)",)


def test_a_protocol_of_ours_is_asked_itself_not_the_record(runs, monkeypatch):
    ours = Protocol("fair", 1, "a quick look", None, frozen=True, ranked=False)
    monkeypatch.setattr(ranking, "PROTOCOLS", {"fair": ours})
    runs.add_seeds("net", 2.0)  # its record says frozen and ranked
    assert runs.reasons() == ("protocol fair v1 is not ranked",)
    monkeypatch.setattr(ranking, "PROTOCOLS", {"fair": replace(ours, version=2)})
    assert runs.ranks() == {"net": "1"}  # of another version only the record knows


def test_no_protocol_of_ours_that_is_unranked_gets_a_rank(runs):
    for name, ours in PROTOCOLS.items():
        if not (ours.ranked and ours.frozen):
            runs.add_seeds("net", 2.0, protocol={"name": name, "version": ours.version, "frozen": True, "ranked": True})
    assert all(row.rank is None for board in build(runs.records, runs.errors_of) for row in board.rows)


def test_a_recipe_of_ours_must_be_the_one_that_is_stated(runs):
    ours = PROTOCOLS["uniform"]
    recipe = asdict(ours.recipe)
    page = {"name": "uniform", "version": ours.version, "frozen": True, "ranked": True}
    older = {name: value for name, value in recipe["augmentation"].items() if name != "sharpness"}
    runs.add_seeds("net", 2.0, protocol={**page, "recipe": {**recipe, "augmentation": older}})
    assert runs.ranks() == {"net": "1"}
    runs.add_seeds("short", 1.0, protocol={**page, "recipe": {**recipe, "images_seen": 9600}})
    assert runs.reasons("short") == ("not of the recipe of uniform v1",)
    runs.add_seeds("silent", 1.0, model__parameters=5, protocol={**page, "recipe": {}})
    assert runs.reasons("silent") == ("states no recipe of uniform v1",)


def test_an_unranked_row_does_not_move_the_others(runs):
    runs.add_seeds("best", 1.0)
    runs.add_seeds("next", 2.0)
    before = runs.ranks()
    runs.add("cheat", 0.1, protocol__overrides={"epochs": 9999})
    assert runs.ranks() == {**before, "cheat": ""}
