"""The engine: budgets, schedules, selection, repeatability and exact continuation."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.records.files import is_scratch
from fkbench.specs import Augmentation, Recipe
from fkbench.train import checkpoint
from fkbench.train.checkpoint import load_checkpoint
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Listener, Trainer, evaluate
from fkbench.train.optimisation import budget_of, learning_rate, make_optimiser, plateau_rate
from fkbench.train.predictors import NetPredictor
from fkbench.train.resident import Resident
from fkbench.train.streams import generator

SIZE = 16
RECIPE = Recipe(
    augmentation=Augmentation(flip=0.5, rotation=10, scale=0.1, shift=0.05, contrast=0.2, brightness=0.2, noise=0.02),
    lr=3e-3,
    schedule="cosine",
    warmup=0.1,
    batch=16,
    epochs=4,
    selection="best",
)


def rows(count: int, seed: int) -> Resident:
    """Pictures with one bright pixel block at the point to be found."""
    source = generator(seed, "rows")
    points = torch.randint(3, SIZE - 3, (count, 1, 2), generator=source).float()
    images = torch.zeros(count, 1, SIZE, SIZE, dtype=torch.uint8)
    for i, (x, y) in enumerate(points[:, 0].int().tolist()):
        images[i, 0, y - 1 : y + 2, x - 1 : x + 2] = 255
    return Resident(images, points, torch.ones(count, 1, dtype=torch.bool), torch.full((count, 2), 2.0))


def net() -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))


def trainer(recipe: Recipe = RECIPE, seed: int = 0, module: nn.Module | None = None) -> Trainer:
    codec = make_codec(recipe.codec, SIZE)
    return Trainer(module or net(), codec, recipe, rows(70, 1), rows(30, 2), size=SIZE, flip_order=[0], seed=seed)


def weights(run: Trainer) -> torch.Tensor:
    return torch.cat([value.flatten() for value in run.net.state_dict().values()])


def history(run: Trainer) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in run.progress.history]


def test_it_learns_and_reports_the_columns_of_history():
    run = trainer(replace(RECIPE, epochs=40))
    first = evaluate(run.net, run.codec, run.val_rows, "fp32")[1]
    progress = run.fit()
    assert list(progress.history[0]) == ["epoch", "lr", "train_loss", "val_loss", "val_rmse", "seconds"]
    assert progress.best_rmse < 0.6 * first
    assert progress.best_epoch == 1 + min(range(40), key=lambda i: progress.history[i]["val_rmse"])


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    one, two, other = trainer(), trainer(), trainer(seed=1)
    for run in (one, two, other):
        run.fit()
    assert torch.equal(weights(one), weights(two))
    assert history(one) == history(two)
    assert not torch.equal(weights(one), weights(other))


@pytest.mark.parametrize("optimiser", ["adamw", "adam", "adamax", "sgd"])
def test_a_run_that_was_cut_off_goes_on_exactly(tmp_path: Path, optimiser: str):
    recipe = replace(RECIPE, optimiser=optimiser)
    whole = trainer(recipe)
    whole.fit()

    class CutOffError(Exception):
        pass

    def cut(row):
        if row["epoch"] == 2:
            raise CutOffError

    first = trainer(recipe)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(CutOffError):
        first.fit(Listener(epoch=cut))
    first.save(path)
    torch.manual_seed(999)  # whatever else happens in between
    second = trainer(recipe)
    second.resume(path)
    assert second.progress.epoch == 2
    second.fit()
    assert torch.equal(weights(whole), weights(second))
    assert history(whole) == history(second)
    assert whole.progress.best_rmse == second.progress.best_rmse
    for name, value in whole.progress.best.items():
        assert torch.equal(value, second.progress.best[name])


@pytest.mark.parametrize("optimiser", ["adamw", "adam", "adamax", "sgd"])
def test_a_net_in_channels_last_goes_on_exactly_too(tmp_path: Path, optimiser: str):
    """Fused optimisers walk through memory as it lies: moments must lie as the weights do."""

    def convolutions() -> nn.Module:
        torch.manual_seed(3)
        layers = (nn.Conv2d(1, 6, 3, 2), nn.ReLU(), nn.Conv2d(6, 8, 3, 2), nn.Flatten(), nn.Linear(72, 2))
        return nn.Sequential(*layers).to(memory_format=torch.channels_last)

    recipe = replace(RECIPE, optimiser=optimiser)
    whole = trainer(recipe, module=convolutions())
    whole.fit()
    path = tmp_path / "checkpoint.safetensors"
    first = trainer(recipe, module=convolutions())
    first.fit(Listener(epoch=lambda row: first.save(path) if row["epoch"] == 2 else None))
    second = trainer(recipe, module=convolutions())
    second.resume(path)
    assert second.progress.epoch == 2
    second.fit()
    assert history(whole) == history(second)
    assert torch.equal(weights(whole), weights(second))


def test_a_damaged_or_foreign_checkpoint_is_one_clear_error(tmp_path: Path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(FkbenchError, match=r"checkpoint\.safetensors"):
        trainer().resume(path)
    run = trainer()
    run.fit(checkpoint=path)
    other = nn.Linear(3, 4)
    with pytest.raises(FkbenchError, match="cannot be used"):
        load_checkpoint(path, other, make_optimiser(RECIPE, other.parameters()))


def test_divergence_is_a_failed_run():
    with pytest.raises(RunFailedError, match="diverged"):
        trainer(replace(RECIPE, lr=1e30, optimiser="sgd", schedule="constant")).fit()


def test_without_validation_the_columns_stay_empty():
    recipe = replace(RECIPE, selection="last", epochs=1)
    run = Trainer(net(), make_codec(recipe.codec, SIZE), recipe, rows(20, 1), None, size=SIZE, flip_order=[0], seed=0)
    row = run.fit().history[0]
    assert math.isnan(row["val_loss"])
    assert math.isnan(row["val_rmse"])
    assert run.progress.best is None


def test_validation_rmse_is_in_the_scoring_frame_and_ignores_missing_points():
    class Constant(nn.Module):
        def forward(self, images):
            return torch.zeros(len(images), 4)

    codec = make_codec(RECIPE.codec, SIZE)  # zero is the middle, 7.5
    points = torch.tensor([[[7.5, 10.5], [0.0, 0.0]]])
    data = Resident(
        torch.zeros(1, 1, SIZE, SIZE, dtype=torch.uint8),
        points,
        torch.tensor([[True, False]]),
        torch.tensor([[2.0, 2.0]]),
    )
    assert evaluate(Constant(), codec, data, "fp32")[1] == pytest.approx(math.sqrt((0 + 36) / 2))


def test_budgets():
    by_images = budget_of(replace(RECIPE, images_seen=1000, batch=64, drop_last=True), 200)
    assert (by_images.steps_per_epoch, by_images.steps, by_images.epochs) == (3, 16, 6)
    assert [by_images.steps_in(e) for e in range(6)] == [3, 3, 3, 3, 3, 1]
    by_epochs = budget_of(Recipe(batch=32, epochs=200), 2140)
    assert (by_epochs.steps_per_epoch, by_epochs.steps) == (67, 13400)  # the article of dfk: 67 steps an epoch
    assert [budget_of(Recipe(batch=16, epochs=1), count).steps for count in (48, 49, 50)] == [3, 3, 4]  # never one row
    assert budget_of(replace(RECIPE, batch=128), 10).batch == 10


def test_schedules():
    cosine = replace(RECIPE, lr=1.0, warmup=0.1)
    rates = [learning_rate(cosine, step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[99] < 1e-3
    assert learning_rate(replace(cosine, schedule="constant"), 99, 100) == 1.0


def test_plateau_is_pytorchs_rule():
    recipe = replace(RECIPE, schedule="plateau", lr=1e-2, plateau_factor=0.1, plateau_patience=2, min_lr=1e-4)
    losses = [1.0, 0.9, 0.9, 0.95, 0.9, 0.89, 0.89, 0.89, 0.89, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
    weight = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=2, min_lr=1e-4)
    for seen, loss in enumerate(losses, start=1):
        scheduler.step(loss)
        assert plateau_rate(recipe, losses[:seen]) == pytest.approx(optimiser.param_groups[0]["lr"])
    assert optimiser.param_groups[0]["lr"] == pytest.approx(1e-4)


def test_a_half_written_checkpoint_is_a_hidden_scratch_file(tmp_path: Path, monkeypatch):
    """What a process leaves that is killed meanwhile is known as such."""
    seen = []
    monkeypatch.setattr(checkpoint.os, "replace", lambda scratch, path: seen.append(scratch))
    trainer().save(tmp_path / "checkpoint.safetensors")
    assert is_scratch(seen[0])
    assert seen[0].name.startswith(".")


@pytest.mark.parametrize("count", [0, 1, 5])
def test_any_number_of_pictures_can_be_predicted(count):
    module = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 6))
    predictor = NetPredictor(module, make_codec(RECIPE.codec, SIZE), torch.device("cpu"), "fp32", batch=2)
    points = predictor.predict(np.zeros((count, 1, SIZE, SIZE), np.uint8))
    assert (points.shape, points.dtype) == ((count, 3, 2), np.float32)
