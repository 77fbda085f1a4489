"""Runs of an article recipe, and going on from a finished one to more epochs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fkbench.errors import FkbenchError
from fkbench.records import read_history


def test_an_article_recipe_trains_on_all_its_rows_and_can_be_extended(bench):
    protocol = {"protocol": {}}
    first = bench.run(protocol="article", settings=protocol)[0]
    rows = read_history(Path(first.path) / "history.csv")
    assert len(rows) == 2
    assert rows[0]["val_rmse"] is None
    assert not (Path(first.path) / "best.safetensors").exists()
    assert 0 < first.metrics["native_loss"] < 1e6
    assert "native_val_loss" not in first.metrics  # trained on train + val
    assert first.timing.train_images == 2 * 64
    longer = bench.run(protocol="article", settings=protocol, epochs=4, extend=first.key)[0]
    direct = bench.run(protocol="article", settings=protocol, epochs=4)[0]
    assert longer.parent == first.key
    assert longer.key != direct.key
    assert bench.weights(longer) == bench.weights(direct)


def test_extending_needs_a_run_that_keeps_its_state(bench):
    first = bench.run()[0]
    with pytest.raises(FkbenchError, match="cannot be extended"):
        bench.run(epochs=9, extend=first.key, settings={"protocol": {}})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"settings": {"protocol": {}, "dataset": {"count": "90"}}}, "data"),
        ({"seeds": (1,)}, "seed"),
        ({"settings": {"protocol": {"lr": "0.5"}}}, "recipe"),
        ({"epochs": 2}, "2 epochs already"),
        ({"protocol": "uniform"}, "keeps no state"),
    ],
)
def test_a_run_is_extended_only_by_what_would_have_come_that_way(bench, change, what):
    article = {"protocol": "article", "settings": {"protocol": {}}}
    first = bench.run(**article)[0]
    with pytest.raises(FkbenchError, match=what) as caught:
        bench.run(**{**article, "epochs": 4, "extend": first.key, **change})
    assert caught.value.exit_code == 2
