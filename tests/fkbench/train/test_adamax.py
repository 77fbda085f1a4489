"""Blocked Adamax gives what PyTorch's gives, to the last bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fkbench.train import adamax
from fkbench.train.adamax import BlockedAdamax


def net(channels_last: bool) -> nn.Module:
    torch.manual_seed(3)
    made = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 36, 7))
    return made.to(memory_format=torch.channels_last) if channels_last else made


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_same_weights_as_pytorch(monkeypatch, channels_last, decay):
    monkeypatch.setattr(adamax, "BLOCK", 64)  # several blocks, the last one short
    nets = [net(channels_last), net(channels_last)]
    ours = BlockedAdamax(nets[0].parameters(), lr=1e-2, weight_decay=decay)
    theirs = torch.optim.Adamax(nets[1].parameters(), lr=1e-2, weight_decay=decay)
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for _ in range(4):
        for each, optimiser in zip(nets, (ours, theirs), strict=True):
            optimiser.zero_grad()
            each(images).square().mean().backward()
            optimiser.step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_state_goes_both_ways():
    """A checkpoint that PyTorch's Adamax wrote is gone on from."""
    nets = [net(False), net(False)]
    theirs = torch.optim.Adamax(nets[0].parameters(), lr=1e-2)
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    nets[0](images).square().mean().backward()
    theirs.step()
    ours = BlockedAdamax(nets[1].parameters(), lr=1e-2)
    nets[1].load_state_dict(nets[0].state_dict())
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()))  # else both would write to one state
    for each, optimiser in zip(nets, (theirs, ours), strict=True):
        optimiser.zero_grad()
        each(images).square().mean().backward()
        optimiser.step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, other)
