"""Finished runs as predictors, and points of other programs."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from fkbench.errors import FkbenchError
from fkbench.records import read_predictions
from fkbench.runner.loading import load_run
from fkbench.runner.outcome import predict_test, score_points
from fkbench.runner.overrides import apply_overrides, recipe_settings
from fkbench.runner.recorded import recorded_recipe
from fkbench.runner.requests import Runner
from fkbench.runner.rescore import in_test_order, read_points_csv
from fkbench.specs import Recipe


def test_a_loaded_run_predicts_what_it_was_scored_on(bench):
    record = bench.run()[0]
    registry = bench.registry()
    request = bench.request(registry)
    inputs = Runner(registry, bench.data, bench.runs).open(request)
    loaded = load_run(record, registry, torch.device("cpu"))
    recorded = read_predictions(Path(record.path) / "predictions.safetensors")[1]
    np.testing.assert_allclose(predict_test(loaded.predictor, loaded.model, inputs, None), recorded, atol=1e-3)
    pictures = [inputs.samples.frames[int(i)] for i in inputs.split.test]
    np.testing.assert_allclose(loaded.predict(pictures), recorded, atol=1e-3)
    assert score_points(recorded, inputs, registry).metrics["rmse"] == pytest.approx(record.metric("rmse"), rel=1e-5)


@pytest.mark.parametrize("name", ["mean-shape", "nearest", "pca-ridge"])
def test_predictors_come_back_from_their_arrays(bench, name):
    record = bench.run(model=name, settings={"protocol": {}})[0]
    registry = bench.registry()
    inputs = Runner(registry, bench.data, bench.runs).open(bench.request(registry))
    loaded = load_run(record, registry, torch.device("cpu"))
    recorded = read_predictions(Path(record.path) / "predictions.safetensors")[1]
    np.testing.assert_allclose(predict_test(loaded.predictor, loaded.model, inputs, None), recorded, atol=1e-3)


def test_predicting_pictures_of_any_size_and_colour_and_no_truth_without_labels(bench):
    loaded = load_run(bench.run()[0], _with_model(bench), torch.device("cpu"))
    pictures = [np.zeros((50, 80), np.uint8), np.zeros((300, 200, 3), np.uint8)]
    assert loaded.predict(pictures).shape == (2, 15, 2)
    with pytest.raises(FkbenchError, match="labels"):
        loaded.predict(pictures, "truth")
    # no faces there: the whole frames, seen once
    np.testing.assert_array_equal(loaded.predict(pictures, "haar"), loaded.predict(pictures))


def _with_model(bench):
    registry = bench.registry()
    bench.request(registry)
    return registry


def test_a_run_of_an_unregistered_model_says_how_to_give_it(bench):
    record = bench.run()[0]
    with pytest.raises(FkbenchError, match="--plugin") as caught:
        load_run(record, bench.registry(), torch.device("cpu"))
    assert "tinynet.py" in caught.value.remedy


def test_points_of_another_program_are_scored_in_the_test_order(bench, tmp_path):
    registry = bench.registry()
    inputs = Runner(registry, bench.data, bench.runs).open(bench.request(registry))
    rows = list(reversed(inputs.split.test.tolist()))
    file = tmp_path / "points.csv"
    shifted = [(inputs.samples.ids[i], inputs.samples.points[i] + [3, 4]) for i in rows]
    lines = [name + "," + ",".join(f"{v:.4f}" for v in points.reshape(-1)) for name, points in shifted]
    file.write_text("id,x0,y0\n" + "\n".join(lines) + "\n")
    points = in_test_order(read_points_csv(file, 15), inputs, file)
    metrics = score_points(points, inputs, registry).metrics
    assert metrics["rmse"] == pytest.approx((12.5) ** 0.5, abs=1e-3)
    assert (metrics["rmse_x"], metrics["rmse_y"]) == (pytest.approx(3, abs=1e-3), pytest.approx(4, abs=1e-3))
    file.write_text("\n".join(lines[1:]))
    with pytest.raises(FkbenchError, match="lacks 1 of the 16"):
        in_test_order(read_points_csv(file, 15), inputs, file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,1,2,3", "row 1: 3 numbers"),
        ("id,x0,y0,x1,y1\na,1,2,3,four", "row 2: 'four'"),
        ("a,1,2,3,nan", "row 1: a coordinate is not finite"),
        ("a,1,2,3,4\na,1,2,3,4", "row 2: the id 'a'"),
        ("", "no predictions"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, message):
    file = tmp_path / "points.csv"
    file.write_text(text)
    with pytest.raises(FkbenchError, match=message):
        read_points_csv(file, 2)


def test_a_recipe_survives_its_record():
    recipe = apply_overrides(
        Recipe(epochs=3), {"lr": "3e-4", "augmentation.flip": "0.5", "codec.loss": "mse", "precision.cpu": "bf16"}
    )
    assert recorded_recipe(json.loads(json.dumps(asdict(recipe)))) == recipe
    assert recipe_settings(recipe)["augmentation.flip"] == 0.5
    with pytest.raises(FkbenchError, match="unknown setting"):
        recorded_recipe({**asdict(recipe), "later": 1})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"codec": None}, "codec"),
        ({"codec": "canonical"}, "codec"),
        ({"codec": {"kind": "canonical", "later": 1}}, "unknown setting 'codec.later'"),
        ({"stages": [{"gain": 3}]}, "stages.0.gain"),
        ({"stages": [{"gain": [1, 1], "later": 1}]}, "unknown setting 'stages.0.later'"),
        ({"stages": 7}, "stages"),
        ({"geometry": {"rescale": "wide"}}, "geometry.rescale"),
        ({"precision": "fp32"}, "precision"),
    ],
)
def test_a_recipe_of_others_that_is_none_is_refused_by_name(change, said):
    with pytest.raises(FkbenchError, match=re.escape(said)) as caught:
        recorded_recipe({**asdict(Recipe()), **change})
    assert caught.value.remedy


def test_a_recipe_without_its_codec_is_refused():
    page = asdict(Recipe())
    del page["codec"]
    with pytest.raises(FkbenchError, match="no codec"):
        recorded_recipe(page)


def test_epochs_replace_a_budget_in_images():
    assert apply_overrides(Recipe(images_seen=1000), {"epochs": 5}).images_seen == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 5, "images_seen": "100"}, "stated twice"),
        ({"stages": "1"}, "list of parts"),
        ({"lr": None}, "'None' is not a number"),
        ({"lr": [1e-3]}, "is not a number"),
        ({"lr": 10**400}, "is not a number"),
        ({"batch": None}, "'None' is not a whole number"),
        ({"optimiser": None}, "optimiser 'None'"),
        ({"precision.cpu": ["bf16"]}, "is not a precision"),
    ],
)
def test_settings_that_cannot_be_are_said(changes, message):
    with pytest.raises(FkbenchError, match=message):
        apply_overrides(Recipe(epochs=3), changes)
