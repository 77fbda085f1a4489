"""He's initialisation touches what PyTorch left at its default, and nothing that a net chose itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fkbench.specs import Recipe
from fkbench.train.codecs import make_codec
from fkbench.train.engine import start_weights
from fkbench.train.initialisation import has_default_weights, initialise
from fkbench.train.resident import Resident, ResidentFrames, Rows
from fkbench.train.streams import generator

LAYERS = [
    lambda: nn.Conv2d(1, 16, 2),
    lambda: nn.Conv2d(64, 32, 3),
    lambda: nn.Linear(500, 30),
    lambda: nn.Linear(6, 4),
]


@pytest.mark.parametrize("make", LAYERS)
def test_default_weights_are_told_from_others(make):
    for seed in range(20):
        torch.manual_seed(seed)
        layer = make()
        assert has_default_weights(layer), seed
        for other in (nn.init.kaiming_normal_, nn.init.zeros_, nn.init.xavier_normal_):
            changed = make()
            other(changed.weight)
            assert not has_default_weights(changed), (seed, other.__name__)


def test_a_net_starts_at_the_mean_and_keeps_the_size_of_the_signal():
    torch.manual_seed(0)
    own = nn.Linear(64, 64)
    nn.init.eye_(own.weight)
    net = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(64, 64), nn.ReLU())], own, nn.Linear(64, 4))
    images = torch.randn(500, 64)
    before = float(net[:12](images).detach().std(dim=0).mean())
    target = torch.tensor([1.0, -2.0, 3.0, 0.5])
    changed = initialise(net, target)
    assert "12" not in changed
    assert torch.equal(own.weight, torch.eye(64))
    assert len(changed) == 7
    assert float(net[:12](images).detach().std(dim=0).mean()) > 10 * before
    torch.testing.assert_close(net(images).mean(0), target, atol=0.35, rtol=0)


SIZE, COUNT = 8, 6


def canvases() -> Resident:
    """Black views of SIZE with a margin of 3, two points each, of which some are not labelled."""
    side = SIZE + 6
    points = side * torch.rand(COUNT, 2, 2, generator=generator(0, "points"))
    valid = torch.ones(COUNT, 2, dtype=torch.bool)
    valid[1:4, 1] = False
    images = torch.zeros(COUNT, 1, side, side, dtype=torch.uint8)
    return Resident(images, points * valid.unsqueeze(2), valid, torch.ones(COUNT, 2), pad=3)


def whole_frames() -> ResidentFrames:
    """The same as black frames of several sizes, one of them no larger than a square of it."""
    rows = canvases()
    height, width = torch.tensor([8, 9, 12, 11, 20, 8]), torch.tensor([8, 14, 8, 11, 9, 8])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), (height * width).cumsum(0)[:-1]])
    buffer = torch.zeros(int((height * width).sum()), 1, dtype=torch.uint8)
    return ResidentFrames(buffer, offsets, height, width, rows.points, rows.valid, rows.unit, SIZE)


def targets_seen(rows: Rows) -> torch.Tensor:
    """Mean of the targets of many random takes, in pixels of what the net sees."""
    chosen = torch.arange(COUNT).repeat(10000)
    _, points, valid = rows.take(chosen, torch.rand(len(chosen), 2, generator=generator(0, "place")))
    return ((points - rows.pad) * valid.unsqueeze(2)).sum(0) / valid.sum(0).unsqueeze(1)


@pytest.mark.parametrize("make", [canvases, whole_frames])
def test_the_first_output_is_the_mean_of_what_is_trained_on(make):
    rows, codec, recipe = make(), make_codec(Recipe().codec, SIZE), Recipe(initialisation="he")
    net = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 64), nn.ReLU(), nn.Linear(64, 4))
    start_weights(net, codec, recipe, rows, seed=0)
    first = codec.decode(net(torch.zeros(1, 1, SIZE, SIZE)))[0]  # of a black picture the biases alone speak
    torch.testing.assert_close(first.detach(), targets_seen(rows), atol=0.05, rtol=0)
