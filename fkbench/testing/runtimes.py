"""Checks of runtimes: ways to execute a trained net."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from fkbench.specs import RuntimeSpec, resolve
from fkbench.testing.findings import Check, NotApplicable, Problem
from fkbench.testing.nets import told


@dataclass(frozen=True)
class RuntimeSubject:
    """A runtime."""

    spec: RuntimeSpec
    settings: Mapping[str, Any]

    @property
    def device(self) -> torch.device:
        """The first type of device that it works on."""
        if not self.spec.devices:
            raise Problem("It works on no type of device.", 'For example devices=("cpu", "cuda").')
        if self.spec.devices[0] == "cuda" and not torch.cuda.is_available():
            raise NotApplicable("it needs a CUDA device, and PyTorch sees none here")
        return torch.device(self.spec.devices[0])

    @cached_property
    def net(self) -> nn.Module:
        """The net that is given away."""
        return small_net().to(self.device)

    @cached_property
    def ready(self) -> Callable[[Tensor], Tensor]:
        """Prepared once for all checks: compiling takes long."""
        return self.prepared(self.net)

    def prepared(self, net: nn.Module) -> Callable[[Tensor], Tensor]:
        with told("prepare(net, device)", "It is given a net in evaluation mode and a torch.device."):
            found = resolve(self.spec.prepare)(net, self.device)
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


TOLERANCE = {"bf16": 3e-2, "fp16": 4e-3}
"""How far answers of about 1 may be off in half precision, which has 8 and 11 significant bits; else 1e-3."""


def runs(subject: RuntimeSubject) -> str:
    ready = subject.ready
    for count in (1, 5):
        with told(f"The prepared net, given {count} pictures,", "Every batch size must work."):
            found = ready(torch.rand(count, 1, 32, 32, device=subject.device))
        if tuple(found.shape) != (count, 30):
            raise Problem(f"For {count} pictures it gives {tuple(found.shape)}, not ({count}, 30).", "As the net does.")
        if found.device.type != subject.device.type:
            raise Problem(f"Its answers lie on {found.device}, the pictures on {subject.device}.", "Leave them there.")
    return "It executes batches of 1 and 5 pictures."


def keeps(subject: RuntimeSubject) -> str:
    """Answers that stand in memory which the next call writes over are the classic fault of captured graphs."""
    ready, images = subject.ready, torch.rand(5, 1, 32, 32, device=subject.device)
    with torch.inference_mode():
        first = ready(images)
        before = first.clone()
        ready(1.0 - images)
    if not torch.equal(first, before):
        raise Problem("An answer changes when the next pictures are executed.", "Return a copy: answer.clone().")
    return "An answer stays as it is when other pictures are executed."


def agrees(subject: RuntimeSubject) -> str:
    ready, own = subject.ready, small_net().to(subject.device)
    images = torch.rand(5, 1, 32, 32, device=subject.device)
    near = TOLERANCE.get(subject.spec.precision, 1e-3)
    with torch.inference_mode():
        expected, found = own(images), ready(images)
    given = subject.net.state_dict()
    changed = any(not torch.equal(value, given[name]) for name, value in own.state_dict().items())
    off = not torch.allclose(found.float(), expected, rtol=near, atol=near)
    wrong = f"Its answers differ from the net's by up to {float((found - expected).abs().max()):.3g}."
    if changed:
        message = "It changes the weights of the net that it was given."
        raise Problem(f"{message} {wrong}" if off else message, "Work on a copy: copy.deepcopy(net).")
    if off:
        raise Problem(
            wrong,
            "It must execute the net in evaluation mode: no dropout, running statistics of batch norm.",
        )
    return "It answers as the net does, and leaves its weights alone."


CHECKS = (
    Check("runs", "it executes batches of any size", runs),
    Check("agrees", "it answers as the net does", agrees),
    Check("keeps", "its answers outlive the next call", keeps),
)
