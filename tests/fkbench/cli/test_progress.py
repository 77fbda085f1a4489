"""The bar of a training stands where the training stands: at its end when that ends, also where it was cut off."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fkbench.cli.progress import RunDisplay
from fkbench.specs import Recipe
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Listener, Trainer
from fkbench.train.resident import Resident

COUNT, SIZE = 70, 8
RECIPE = Recipe(batch=16, images_seen=16 * 12, selection="last")
"""Five steps an epoch: the third and last has two."""
INPUTS: Any = SimpleNamespace(split=SimpleNamespace(train=np.arange(COUNT), val=np.arange(0)))


class CutOffError(Exception):
    """A training ends here."""


def train(display: RunDisplay, checkpoint: Path, stop_after: int | None = None) -> None:
    """Train as a run does, and tell the display."""
    blank = torch.zeros(COUNT, 1, SIZE, SIZE, dtype=torch.uint8)
    rows = Resident(blank, torch.ones(COUNT, 1, 2), torch.ones(COUNT, 1, dtype=torch.bool), torch.ones(COUNT, 2))
    net = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 2))
    trainer = Trainer(net, make_codec(RECIPE.codec, SIZE), RECIPE, rows, None, size=SIZE, flip_order=[0], seed=0)
    display.event("plan", {"name": "one", "recipe": RECIPE, "inputs": INPUTS, "trainings": 1})
    if checkpoint.is_file():
        trainer.resume(checkpoint)
        display.event("resumed", {"path": checkpoint})

    def epoch(row: dict[str, float]) -> None:
        display.event("epoch", row)
        if row["epoch"] == stop_after:
            trainer.progress.epoch = stop_after
            trainer.save(checkpoint)
            raise CutOffError

    trainer.fit(Listener(step=lambda images: display.event("step", {"images": images}), epoch=epoch))


def standing(display: RunDisplay) -> tuple[float, float | None]:
    """What the bar of the training shows, and of how much."""
    (task,) = display.progress.tasks
    return task.completed, task.total


@pytest.mark.parametrize("stop_after", [1, 2])
def test_the_bar_of_a_training_that_goes_on_begins_where_it_was_and_ends_at_its_end(tmp_path, stop_after):
    checkpoint = tmp_path / "checkpoint.safetensors"
    first, second = RunDisplay(), RunDisplay()
    with pytest.raises(CutOffError):
        train(first, checkpoint, stop_after)
    total = 2 * COUNT + 2 * 16
    assert standing(first) == (stop_after * COUNT, total)
    train(second, checkpoint)
    assert standing(second) == (total, total)


def test_without_a_terminal_a_line_says_of_how_many_epochs(tmp_path, monkeypatch):
    said = []
    display = RunDisplay()
    monkeypatch.setattr(display, "lines", True)
    monkeypatch.setattr(display, "say", said.append)
    monkeypatch.setattr("fkbench.cli.progress.LINE_EVERY_S", 0.0)
    train(display, tmp_path / "none")
    assert [line.partition("  loss")[0] for line in said] == [
        "training one",
        *(f"epoch {number} of 3" for number in (1, 2, 3)),
    ]


def test_a_second_training_takes_the_place_of_the_first(tmp_path):
    display = RunDisplay()
    train(display, tmp_path / "none")
    train(display, tmp_path / "none")
    assert standing(display) == (2 * COUNT + 2 * 16, 2 * COUNT + 2 * 16)


def test_a_checkpoint_that_cannot_be_read_leaves_the_bar_at_its_beginning(tmp_path):
    display, damaged = RunDisplay(), tmp_path / "checkpoint.safetensors"
    damaged.write_bytes(b"nothing")
    display.event("plan", {"name": "one", "recipe": RECIPE, "inputs": INPUTS, "trainings": 1})
    display.event("resumed", {"path": damaged})
    assert standing(display)[0] == 0
