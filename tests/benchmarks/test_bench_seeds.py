"""A whole training of dfk by its article's recipe and by the uniform one: one seed, and five seeds at once.

The targets, on an H200: 200 epochs over 2140 pictures at batch 32 in 3 s, the uniform recipe in 2 s, and five seeds at
once in no more than twice the time of one. On a processor a sliver of each is trained, and five seeds take five times
as long as one: nothing there is idle. Seconds are those of whole trainings, validation among them, after a first one
that warms up; capture is a part of each, as it is of each run.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fkbench.protocols import PROTOCOLS
from fkbench.registry import load_registry
from fkbench.runner.device import make_repeatable, precision_of
from fkbench.schemes import FACE15
from fkbench.specs import ModelSpec, Recipe, resolve
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Trainer
from fkbench.train.resident import Resident
from fkbench.train.together import Replica, fit_together

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TRAIN, VAL = (2140, 214) if DEVICE.type == "cuda" else (64, 16)
SEEDS, ROUNDS = 5, 3


def rows(count: int) -> Resident:
    source = torch.Generator().manual_seed(count)
    images = torch.randint(0, 256, (count, 1, 96, 96), dtype=torch.uint8, generator=source).to(DEVICE)
    points = (torch.rand(count, 15, 2, generator=source) * 96).to(DEVICE)
    valid = torch.ones(count, 15, dtype=torch.bool, device=DEVICE)
    return Resident(images, points, valid, torch.ones(count, 2, device=DEVICE))


def recipe_of(name: str) -> Recipe:
    spec = load_registry().get(ModelSpec, "dfk")
    recipe = spec.recipes["article"] if name == "article" else PROTOCOLS["uniform"].recipe
    assert recipe is not None
    return recipe if DEVICE.type == "cuda" else replace(recipe, images_seen=TRAIN, batch=32)


def trainer(recipe: Recipe, train: Resident, val: Resident, seed: int) -> Trainer:
    torch.manual_seed(seed)
    spec = load_registry().get(ModelSpec, "dfk")
    net = resolve(spec.build)(1, 96, 30).to(DEVICE, memory_format=torch.channels_last)
    codec, precision = make_codec(recipe.codec, 96), precision_of(recipe, DEVICE)
    flips = FACE15.flip_order()
    return Trainer(net, codec, recipe, train, val, size=96, flip_order=flips, seed=seed, precision=precision)


def seconds_of(recipe: Recipe, parts: tuple[Resident, Resident], count: int, folder: Path) -> float:
    """Whole trainings of so many seeds at once, the building of the nets apart."""
    replicas = [Replica(trainer(recipe, *parts, seed), folder / str(seed)) for seed in range(count)]
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    fit_together(replicas)
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


@pytest.mark.parametrize("name", ["article", "uniform"])
def test_five_seeds_at_once_against_one(benchmark, tmp_path, name):
    keep_freed_memory()
    make_repeatable()
    recipe, parts = recipe_of(name), (rows(TRAIN), rows(VAL))
    taken: dict[int, list[float]] = {1: [], SEEDS: []}
    for turn in range(ROUNDS + 1):
        for count in (1, SEEDS) if turn % 2 else (SEEDS, 1):
            spent = seconds_of(recipe, parts, count, tmp_path)
            if turn:  # the first turn warms up
                taken[count].append(spent)
    benchmark.pedantic(lambda: seconds_of(recipe, parts, 1, tmp_path), rounds=1)
    one, five = (statistics.median(taken[count]) for count in (1, SEEDS))
    epochs = trainer(recipe, *parts, 0).budget.epochs
    benchmark.extra_info.update({"one_s": one, "five_s": five, "ratio": five / one, "epochs": epochs})
    print(
        f"\n{name} on {DEVICE}, {epochs} epochs of {TRAIN} pictures: one seed {one:.2f} s, "
        f"{SEEDS} at once {five:.2f} s, {five / one:.2f} times one (medians of {ROUNDS})"
    )
    assert len(taken[1]) == len(taken[SEEDS]) == ROUNDS
