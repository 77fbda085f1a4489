"""Parameters, MACs and layers of nets whose counts are known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fkbench.timing import count_macs, count_parameters
from fkbench.timing.layers import grouped, layer_table


def article_net():
    """A net of four convolutions and three linear layers: 8 615 920 parameters by hand."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 2), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(16, 32, 2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 2), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(64, 32, 2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(), nn.Linear(16928, 500), nn.ReLU(), nn.Linear(500, 250), nn.ReLU(), nn.Dropout(),
        nn.Linear(250, 30),
    )  # fmt: skip


CASES = [
    (nn.Conv2d(3, 8, 3, padding=1), (3, 10, 10), 3 * 9 * 8 * 100, 3 * 9 * 8 + 8),
    (nn.Conv2d(4, 8, 3, stride=2, groups=4), (4, 9, 9), 8 * 16 * 9, 8 * 9 + 8),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, bias=False), (4, 5, 5), 25 * 4 * 3 * 9, 4 * 3 * 9),
    (nn.Sequential(nn.Flatten(), nn.Linear(75, 10)), (3, 5, 5), 750, 760),
    (nn.ReLU(), (1, 4, 4), 0, 0),
]


@pytest.mark.parametrize(("net", "shape", "macs", "parameters"), CASES)
def test_known_counts(net, shape, macs, parameters):
    assert count_macs(net, shape) == macs
    assert count_parameters(net) == parameters
    layers = layer_table(net, shape)
    assert sum(layer.macs for layer in layers) == macs
    assert sum(layer.parameters for layer in layers) == parameters


def test_counts_of_the_article_net_without_computing():
    with torch.device("meta"):
        net = article_net()
        assert count_parameters(net) == 8_615_920
        assert count_macs(net, (1, 96, 96)) == 62_325_844
        assert layer_table(net, (1, 96, 96))[3].output == (32, 95, 95)


def test_matrix_products_outside_layers_count():
    class Attention(nn.Module):
        def forward(self, x):
            flat = x.flatten(2)
            return flat @ flat.transpose(1, 2)

    assert count_macs(Attention(), (4, 5, 5)) == 4 * 4 * 25


def test_modes_and_hooks_are_put_back():
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout()).train()
    net[1].eval()
    running = net[0].running_mean.clone()
    count_macs(net, (1, 4, 4))
    layer_table(net, (1, 4, 4))
    assert (net.training, net[0].training, net[1].training) == (True, True, False)
    assert torch.equal(net[0].running_mean, running)
    assert all(not module._forward_hooks for module in net.modules())


def test_shared_layers_count_their_parameters_once_and_their_work_twice():
    shared = nn.Conv2d(2, 2, 1, bias=False)
    layers = layer_table(nn.Sequential(shared, nn.ReLU(), shared), (2, 3, 3))
    assert [layer.parameters for layer in layers] == [4, 0, 0]
    assert [layer.macs for layer in layers] == [36, 0, 36]


def test_parameters_outside_layers_and_idle_layers_have_rows():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(5))
            self.unused = nn.Linear(3, 2)

        def forward(self, x):
            return x * self.scale

    net = Odd()
    layers = {layer.name: layer for layer in layer_table(net, (1, 5, 5))}
    assert layers[""].parameters == 5
    assert (layers["unused"].parameters, layers["unused"].output) == (8, None)
    assert sum(layer.parameters for layer in layers.values()) == count_parameters(net)


def test_grouping_keeps_sums_and_order():
    net = nn.Sequential(*[nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()) for _ in range(5)])
    layers = layer_table(net, (1, 4, 4))
    assert grouped(layers, 10) == layers
    rows = grouped(layers, 5)
    assert [row.name for row in rows] == ["0", "1", "2", "3", "4"]
    assert all((row.type, row.detail, row.macs, row.parameters) == ("block", "2 layers", 16, 2) for row in rows)
