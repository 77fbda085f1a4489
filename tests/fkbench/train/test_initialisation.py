"""He's initialisation touches what PyTorch left at its default, and nothing that a net chose itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fkbench.train.initialisation import has_default_weights, initialise

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
