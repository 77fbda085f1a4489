"""Checks of runtimes: ways to execute a trained net."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fkbench.specs import RuntimeSpec, resolve
from fkbench.testing.findings import Check, Problem
from fkbench.testing.nets import told


@dataclass(frozen=True)
class RuntimeSubject:
    """A runtime."""

    spec: RuntimeSpec
    settings: Mapping[str, Any]

    def prepared(self, net: nn.Module) -> Callable[[Tensor], Tensor]:
        with told("prepare(net, device)", "It is given a net in evaluation mode and a torch.device."):
            found = resolve(self.spec.prepare)(net, torch.device("cpu"))
        if not callable(found):
            raise Problem(
                f"prepare() gives a {type(found).__name__}.", "It must return what can be called with pictures."
            )
        return found  # type: ignore[no-any-return]


def small_net() -> nn.Module:
    """Convolution, batch norm, dropout, linear: what runtimes fuse and drop. (N, 1, 32, 32) → (N, 30)."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(2048, 30)
    )
    net(torch.rand(8, 1, 32, 32))
    return net.eval()


def runs(subject: RuntimeSubject) -> str:
    ready = subject.prepared(small_net())
    for count in (1, 5):
        with told(f"The prepared net, given {count} pictures,", "Every batch size must work."):
            found = ready(torch.rand(count, 1, 32, 32))
        if tuple(found.shape) != (count, 30):
            raise Problem(f"For {count} pictures it gives {tuple(found.shape)}, not ({count}, 30).", "As the net does.")
    return "It executes batches of 1 and 5 pictures."


def agrees(subject: RuntimeSubject) -> str:
    net, images = small_net(), torch.rand(5, 1, 32, 32)
    before = copy.deepcopy(net.state_dict())
    with torch.inference_mode():
        expected = net(images)
        found = subject.prepared(net)(images)
    if not torch.allclose(found.float(), expected, rtol=1e-3, atol=1e-3):
        raise Problem(
            f"Its answers differ from the net's by up to {float((found - expected).abs().max()):.3g}.",
            "It must execute the net in evaluation mode: no dropout, running statistics of batch norm.",
        )
    if any(not torch.equal(value, before[name]) for name, value in net.state_dict().items()):
        raise Problem("It changes the weights of the net that it was given.", "Work on a copy: copy.deepcopy(net).")
    return "It answers as the net does, and leaves its weights alone."


CHECKS = (
    Check("runs", "it executes batches of any size", runs),
    Check("agrees", "it answers as the net does", agrees),
)
