"""Optimisers, schedules and budgets of a recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fkbench.specs import Recipe

PLATEAU_THRESHOLD = 1e-4


@dataclass(frozen=True)
class Budget:
    """How long a net is trained on `images` training rows.

    Attributes:
        batch: images per step; at most the number of rows.
        steps_per_epoch: steps in a full epoch.
        steps: steps in all; the last epoch may be a part of one.
    """

    images: int
    batch: int
    steps_per_epoch: int
    steps: int

    @property
    def epochs(self) -> int:
        return math.ceil(self.steps / self.steps_per_epoch)

    def steps_in(self, epoch: int) -> int:
        """Steps in epoch 0, 1, …"""
        return min(self.steps_per_epoch, self.steps - epoch * self.steps_per_epoch)


def budget_of(recipe: Recipe, images: int) -> Budget:
    """The budget of a recipe on so many training rows: by images seen where stated, else by epochs.

    A last batch of one row is left out: batch norm cannot be trained on one.
    """
    batch = min(recipe.batch, images)
    full, rest = divmod(images, batch)
    per_epoch = full if recipe.drop_last or rest <= 1 else full + 1
    steps = math.ceil(recipe.images_seen / batch) if recipe.images_seen else recipe.epochs * per_epoch
    return Budget(images, batch, per_epoch, max(steps, 1))


def learning_rate(recipe: Recipe, step: int, steps: int, val_losses: Sequence[float] = ()) -> float:
    """The rate for step 0 … steps − 1: linear warm-up, then a cosine to 0; constant; or lowered on plateaus.

    Args:
        val_losses: of the epochs so far, which `plateau` goes by.
    """
    if recipe.schedule == "constant":
        return recipe.lr
    if recipe.schedule == "plateau":
        return plateau_rate(recipe, val_losses)
    warmup = max(1, round(recipe.warmup * steps))
    if step < warmup:
        return recipe.lr * (step + 1) / warmup
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def plateau_rate(recipe: Recipe, val_losses: Sequence[float]) -> float:
    """The rate after these validation losses, by the rule of PyTorch's ReduceLROnPlateau with its defaults.

    A function of the history alone, so that a run that was cut off goes on with the same rate.
    """
    rate, best, waiting = recipe.lr, math.inf, 0
    for loss in val_losses:
        better = loss < best * (1 - PLATEAU_THRESHOLD)
        best, waiting = (loss, 0) if better else (best, waiting + 1)
        if waiting > recipe.plateau_patience:
            rate, waiting = max(rate * recipe.plateau_factor, min(recipe.min_lr, recipe.lr)), 0
    return rate


def make_optimiser(
    recipe: Recipe, parameters: Iterable[torch.nn.Parameter], device: torch.device | None = None
) -> torch.optim.Optimizer:
    """The recipe's optimiser with PyTorch's defaults for all that the recipe does not name.

    Adam and AdamW run fused: one pass over the weights instead of about ten, which on a CPU is a tenth of dfk's step.
    Adamax has no fused form in PyTorch; walking the weights in cache-sized blocks was tried, and was no faster.

    Args:
        device: of the parameters, the CPU by default. On CUDA the rates are tensors there and nothing is read back, so
            that a step can be captured.
    """
    chosen = list(parameters)
    captured = device is not None and device.type == "cuda"
    rate: Any = torch.tensor(recipe.lr, device=device) if captured else recipe.lr
    decay = recipe.weight_decay
    if recipe.optimiser in {"adam", "adamw"}:
        kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
        return kind(chosen, lr=rate, weight_decay=decay, fused=True, capturable=captured)
    if recipe.optimiser == "adamax":
        return torch.optim.Adamax(chosen, lr=rate, weight_decay=decay, capturable=captured)
    return torch.optim.SGD(chosen, lr=rate, weight_decay=decay, momentum=0.9)
