"""Fitting a model on the training part: a net through the engine, any other predictor by its own `fit`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from fkbench.datasets.samples import FloatArray, IntArray
from fkbench.datasets.views import Views, apply_affine, invert_affine
from fkbench.errors import FkbenchError, NoRoomError, RunFailedError
from fkbench.records import write_arrays
from fkbench.runner.inputs import Inputs
from fkbench.specs import ModelSpec, Recipe, resolve
from fkbench.train.checkpoint import Progress, Weights
from fkbench.train.codecs import Codec, make_codec
from fkbench.train.engine import Listener, Trainer, evaluate, start_weights
from fkbench.train.optimisation import Budget, budget_of
from fkbench.train.predictors import NetPredictor, Predictor
from fkbench.train.resident import Resident, Rows
from fkbench.train.stages import expand, pool_parts, rows_after
from fkbench.train.streams import generator, stream_seed

CHECKPOINT = "checkpoint.safetensors"
Parts = tuple[Rows, Resident | None]
"""What is trained on, and what is validated on where something is."""


@dataclass
class Fitted:
    """A model ready to predict, and what fitting it took.

    Attributes:
        predictor: takes views, gives points.
        net: the net with the weights that are scored; None for other predictors.
        history: rows of `history.csv`.
        seconds: in training steps; images: images seen in them.
        best_epoch: epoch of the weights that are scored, counted from 1; 0 for the last.
        together: how many seeds were trained at once, this one among them: `seconds` is a share.
    """

    predictor: Predictor
    net: nn.Module | None = None
    codec: Codec | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    images: int = 0
    epochs: int = 0
    best_epoch: int = 0
    together: int = 1


def training_rows(inputs: Inputs, recipe: Recipe | None) -> IntArray:
    """Indices that the recipe trains on: the training part, and the validation part where an article uses it too."""
    if recipe is not None and recipe.train_on == "train+val":
        return np.sort(np.concatenate([inputs.split.train, inputs.split.val]))
    return inputs.split.train


def out_of_memory(error: BaseException) -> bool:
    """Whether this is the end of the memory of a device. On the CPU torch says so in words alone."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def build_net(model: ModelSpec, settings: dict[str, Any], outputs: int, seed: int) -> nn.Module:
    """A net with fresh weights from the stream `init` of the seed, on the CPU.

    Raises:
        NoRoomError: it does not fit into memory.
        RunFailedError: the plugin's code raises, or its output has another shape than the codec asks for.
    """
    channels, size = model.input
    torch.manual_seed(stream_seed(seed, "init"))
    try:
        net = resolve(model.build)(channels=channels, size=size, outputs=outputs, **model.keywords(settings))
        net.eval()
        with torch.inference_mode():
            shape = tuple(net(torch.zeros(2, channels, size, size)).shape)
    except FkbenchError:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise NoRoomError(
                f"The net '{model.name}' for {channels}×{size}×{size} does not fit into memory.",
                f"`fkbench show {model.name}` counts its parameters.",
            ) from error
        raise RunFailedError(
            f"The net '{model.name}' cannot be built for {channels}×{size}×{size}: {type(error).__name__}: {error}.",
            f"`fkbench show {model.name}` or --debug shows where.",
        ) from error
    if shape != (2, outputs):
        raise RunFailedError(
            f"The net '{model.name}' gives {shape} for 2 pictures, but (2, {outputs}) is needed.",
            "Its last layer must have `outputs` outputs.",
        )
    assert isinstance(net, nn.Module)
    return net


def make_trainer(
    model: ModelSpec,
    recipe: Recipe,
    inputs: Inputs,
    *,
    settings: dict[str, Any],
    seed: int,
    precision: str,
    identity: str,
    device: torch.device,
    start: Path | None,
    layout: torch.memory_format = torch.channels_last,
    parts: Parts | None = None,
) -> Trainer:
    """A trainer of a net, from `start` (a checkpoint) where given.

    Args:
        layout: of its weights and pictures in memory.
        parts: what it trains on and validates on, as `training_parts` gives it; None: made for it.
    """
    channels, size = model.input
    codec = make_codec(recipe.codec, size)
    net = build_net(model, settings, codec.outputs(len(inputs.scheme.points)), seed)
    train, val = parts or training_parts(inputs, recipe, size, channels, device, seed)
    start_weights(net, codec, recipe, train, seed)
    net = net.to(device, memory_format=layout)  # type: ignore[call-overload]
    trainer = Trainer(
        net, codec, recipe, train, val, size=size, flip_order=inputs.scheme.flip_order(), seed=seed,
        precision=precision, identity=identity,
    )  # fmt: skip
    if start is not None:
        trainer.resume(start)
    return trainer


def fit_net(trainer: Trainer, folder: Path, listener: Listener) -> Fitted:
    """Train to the end, and leave `best` and `last` weights in `folder`."""
    net, recipe = trainer.net, trainer.recipe
    progress = trainer.fit(listener, folder / CHECKPOINT)
    _save_weights(net, progress, folder)
    if recipe.selection == "best" and progress.best is not None:
        net.load_state_dict(progress.best)
    images = images_seen(trainer.budget, progress.epoch)
    predictor = NetPredictor(net, trainer.codec, trainer.device, trainer.precision, recipe.normalise)
    fitted = Fitted(predictor, net, trainer.codec, progress.history, progress.seconds, images)
    fitted.epochs, fitted.best_epoch, fitted.together = progress.epoch, progress.best_epoch, progress.together
    return fitted


def training_parts(inputs: Inputs, recipe: Recipe, size: int, channels: int, device: torch.device, seed: int) -> Parts:
    """What the recipe trains on and what it validates on, on the device; None where it has no validation.

    Raises:
        FkbenchError: stages before training need views of one size; a pool is too small to be parted; a schedule
            needs a validation that is not there.
    """
    geometry = recipe.geometry
    train = inputs.training(size, channels, geometry, training_rows(inputs, recipe), device)
    if recipe.stages:
        if not isinstance(train, Resident):
            raise FkbenchError("Stages before training do not go with random crops.", "Use another geometry.")
        train = expand(train, recipe.stages, generator(seed, "stages"))
    if recipe.pool_split:
        if not isinstance(train, Resident):
            raise FkbenchError("protocol.pool_split does not go with random crops.", "Use another geometry.")
        kept, held = pool_parts(len(train), recipe.pool_split, generator(seed, "pool"))
        if not len(kept):
            raise FkbenchError(
                f"protocol.pool_split={recipe.pool_split} leaves none of {len(train)} rows for training.", "Set less."
            )
        return train.only(kept.to(device)), train.only(held.to(device)).without_margin()
    if recipe.train_on == "train" and len(inputs.split.val) > 0:
        return train, inputs.resident(inputs.eval_views(size, channels, geometry), inputs.split.val, device)
    if recipe.schedule == "plateau":
        raise FkbenchError(
            "The schedule 'plateau' goes by the validation loss, and this recipe has no validation.",
            "Set protocol.train_on=train, or another protocol.schedule.",
        )
    return train, None


def training_budget(inputs: Inputs, recipe: Recipe) -> Budget:
    """The budget of a recipe on these data, before anything is made of them."""
    return budget_of(recipe, rows_after(recipe, len(training_rows(inputs, recipe))))


def images_seen(budget: Budget, epochs: int) -> int:
    """Images in the first so many epochs of a budget; the last of all may be a part of one."""
    full = min(budget.steps_per_epoch * budget.batch, budget.images)
    last = min(budget.steps_in(epochs - 1) * budget.batch, budget.images)
    return full * (epochs - 1) + last


def _save_weights(net: nn.Module, progress: Progress, folder: Path) -> None:
    last = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    save_file(last, folder / "last.safetensors")
    if progress.best is not None:
        best: Weights = {name: value.cpu().contiguous() for name, value in progress.best.items()}
        save_file(best, folder / "best.safetensors")


def fit_predictor(model: ModelSpec, inputs: Inputs, settings: dict[str, Any], folder: Path) -> Fitted:
    """Fit a predictor that is no net on the training part, seen as the test part will be: same boxes, unaugmented."""
    channels, size = model.input
    views = inputs.eval_views(size, channels)
    predictor = make_predictor(model, settings)
    rows = training_rows(inputs, None)
    images = np.ascontiguousarray(views.images[rows])
    points, valid = view_points(inputs, views, rows), inputs.samples.valid[rows]
    started = time.perf_counter()
    predictor.fit(images, points, valid)
    seconds = time.perf_counter() - started
    write_arrays(folder / "last.safetensors", predictor.state())
    return Fitted(predictor, seconds=seconds, images=len(rows))


def make_predictor(model: ModelSpec, settings: dict[str, Any]) -> Any:
    """An unfitted predictor of a spec of kind `predictor`."""
    return resolve(model.build)(**model.keywords(settings))


def view_points(inputs: Inputs, views: Views, rows: IntArray) -> FloatArray:
    """True points of these rows in view pixels, (n, K, 2), NaN where missing."""
    return apply_affine(invert_affine(views.to_native[rows]), inputs.samples.points[rows])


def native_losses(fitted: Fitted, recipe: Recipe, inputs: Inputs, model: ModelSpec) -> dict[str, float]:
    """The article's own loss (the recipe's `codec.loss`, in units of its targets) beside our scores.

    Returns:
        `native_loss`: on the test part, mean over batches of 256 rows weighted by their number; and where the recipe
        validates, `native_val_loss` after the last epoch and `native_val_loss_best`: the flag `native-leaky` says
        where these two leak.
    """
    found: dict[str, float] = {}
    if isinstance(fitted.predictor, NetPredictor) and fitted.codec is not None and fitted.net is not None:
        channels, size = model.input
        views = inputs.eval_views(size, channels, recipe.geometry)
        predictor = fitted.predictor
        rows = inputs.resident(views, inputs.split.test, predictor.device)
        found["native_loss"], _ = evaluate(fitted.net, fitted.codec, rows, predictor.precision, recipe.normalise)
    losses = [row["val_loss"] for row in fitted.history if row["val_loss"] == row["val_loss"]]
    return found | ({"native_val_loss": losses[-1], "native_val_loss_best": min(losses)} if losses else {})
