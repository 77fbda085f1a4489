"""Runs by articles' own geometry, stages made before training, and validation inside the augmented pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fkbench.datasets.samples import Frames
from fkbench.errors import FkbenchError
from fkbench.records import read_history, read_predictions
from fkbench.registry import load_registry
from fkbench.runner.loading import load_run
from fkbench.runner.outcome import predict_test
from fkbench.runner.requests import Runner
from fkbench.train import engine

STAGED = '''
import fkbench
from torch import nn
from fkbench.specs import Stage

@fkbench.model("stagednet", input=(1, 32), recipes={"article": fkbench.Recipe(
    codec=fkbench.CodecSpec("affine", 0.0, 1.0, "smooth_l1"), lr=1e-3, batch=32, epochs=3, selection="last",
    stages=(Stage(gain=(0.6, 1.5), blur_p=0.8, blur=(0.0, 2.0)), Stage(rotation=15, scale=(0.8, 1.2)),
            Stage(mirror=True)),
    pool_split=0.1, schedule="plateau", train_on="train+val", native_loss=True)})
def stagednet(channels: int, size: int, outputs: int) -> nn.Module:
    """A small net."""
    return nn.Sequential(nn.Conv2d(channels, 8, 3, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, outputs))
'''


@pytest.mark.parametrize("geometry", [{"kind": "rescale_crop", "rescale": "40"}, {"kind": "resize"}])
def test_a_run_by_an_articles_geometry_comes_back_as_it_was_scored(bench, geometry):
    import torch

    changes = {f"geometry.{name}": value for name, value in geometry.items()}
    record = bench.run(protocol="article", settings={"protocol": changes})[0]
    assert record.status == "done"
    registry = load_registry([bench.file])
    loaded = load_run(record, registry, torch.device("cpu"))
    inputs = Runner(registry, bench.data, bench.runs).open(bench.request(registry, protocol="article"))
    ids, kept = read_predictions(Path(record.path) / "predictions.safetensors")
    np.testing.assert_allclose(predict_test(loaded.predictor, loaded.model, inputs, loaded.geometry), kept, atol=1e-2)
    row = inputs.split.test[0]
    picture = inputs.samples.frames[int(row)]
    assert ids[0] == inputs.samples.ids[row]
    points, _ = loaded.predict_frames(Frames.pack([picture]), None)
    np.testing.assert_allclose(points[0], kept[0], atol=1e-2)


def test_a_crop_needs_a_frame_that_holds_it(bench):
    changes = {"geometry.kind": "rescale_crop", "geometry.rescale": "20"}
    with pytest.raises(FkbenchError, match="A crop of 32 pixels exceeds"):
        bench.run(protocol="article", settings={"protocol": changes})


def test_a_pool_of_copies_validates_inside_itself_and_says_that_it_leaks(bench):
    bench.file.write_text(STAGED)
    record = bench.run(protocol="article", settings={"protocol": {}})[0]
    assert "native-leaky" in record.flags
    rows = read_history(Path(record.path) / "history.csv")
    counts = record.dataset.counts
    pool = 8 * (counts["train"] + counts["val"])
    assert record.timing.train_images == 3 * (pool - -(-pool // 10))
    losses = [row["val_loss"] for row in rows]
    assert record.metrics["native_val_loss"] == pytest.approx(losses[-1], rel=1e-5)
    assert record.metrics["native_val_loss_best"] == pytest.approx(min(losses), rel=1e-5)
    assert record.metrics["native_loss"] > 0


def test_a_pool_of_canvases_with_a_margin_is_validated_on_their_middle(bench):
    """Canvases have a margin for augmentation; what is validated has none."""
    import torch

    from fkbench.runner.fit import training_parts
    from fkbench.runner.overrides import apply_overrides
    from fkbench.specs import Recipe

    registry = load_registry()
    inputs = Runner(registry, bench.data, bench.runs).open(bench.request(registry))
    inputs.spec = replace(inputs.spec, margin=0.25)
    recipe = apply_overrides(Recipe(epochs=1), {"pool_split": "0.2"})
    train, held = training_parts(inputs, recipe, 32, 1, torch.device("cpu"), 0)
    assert train.pad > 0
    assert (held.pad, held.images.shape[-1]) == (0, 32)
    everything, none = training_parts(inputs, Recipe(epochs=1, train_on="train+val"), 32, 1, torch.device("cpu"), 0)
    assert none is None
    assert len(train) + len(held) == len(inputs.split.train)
    gap = (held.points[0] - (everything.points - everything.pad)).abs().amax(dim=(1, 2)).min()
    assert float(gap) < 1e-4  # one of the rows, in pixels of the middle


def test_a_plateau_needs_a_validation(bench):
    with pytest.raises(FkbenchError, match="goes by the validation loss"):
        bench.run(protocol="article", settings={"protocol": {"schedule": "plateau"}})


@pytest.mark.parametrize("staged", [False, True])
def test_runs_by_article_recipes_go_on_exactly(bench, monkeypatch, staged):
    """Stages, the pool, the plateau and random crops come from streams and the history alone."""
    settings = {"geometry.kind": "rescale_crop", "geometry.rescale": "40", "epochs": 3}
    if staged:
        bench.file.write_text(STAGED)
        settings = {"plateau_patience": "0", "min_lr": "1e-6"}
    whole = bench.run(protocol="article", settings={"protocol": settings})[0]
    weights, history = bench.weights(whole), read_history(Path(whole.path) / "history.csv")

    bench.runs.remove(Path(whole.path))
    monkeypatch.setattr(engine, "CHECKPOINT_EVERY_S", 0.0)
    registry = bench.registry()
    bench.interrupt_at(registry, 2)
    with pytest.raises(KeyboardInterrupt):
        bench.run(registry, protocol="article", settings={"protocol": settings})
    again = bench.run(protocol="article", settings={"protocol": settings})[0]
    assert "resumed" in bench.events
    assert bench.weights(again) == weights
    for one, two in zip(history, read_history(Path(again.path) / "history.csv"), strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == {k: v for k, v in two.items() if k != "seconds"}
