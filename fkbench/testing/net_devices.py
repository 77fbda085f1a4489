"""Checks that a net goes to a GPU as a whole, and leaves nothing behind: neither needs a GPU."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from fkbench.testing.findings import Check, NotApplicable, Problem, raised_at
from fkbench.testing.nets import POINTS, NetSubject, forward, listed

REMEDY = (
    "Keep constants as buffers (self.register_buffer(name, tensor)), layers in nn.ModuleList, and make new tensors on "
    "the picture's device: torch.zeros(…, device=images.device)."
)


def device(subject: NetSubject) -> str:
    net = subject.build().eval()
    places = {str(value.device) for value in [*net.parameters(), *net.buffers()]}
    if places - {"cpu"}:
        raise Problem(f"A fresh net is on {listed(sorted(places))}.", "Build it on the CPU; the harness moves it.")
    left = [name for name, _ in stray_tensors(net)]
    blame = f" Plain attributes that do not move with the net: {listed(left)}." if left else ""
    try:
        where = _on_a_pretended_gpu(net, subject.images(2))
    except Exception as error:
        if "devices" in str(error):  # torch's words for two devices in one operation, in every version since 2.0
            at = raised_at(error)
            raise Problem(
                f"On a GPU a part of the net stays behind on the CPU{f' ({at})' if at else ''}.{blame}", REMEDY
            ) from error
        if left:
            raise Problem(blame.strip(), REMEDY) from error
        raise NotApplicable(f"what happens on a GPU cannot be followed without one ({type(error).__name__})") from error
    if where != "cuda":
        raise Problem(f"For pictures on a GPU the answer is on the {where}.{blame}", REMEDY)
    return "Everything moves to a GPU with the net."


def _on_a_pretended_gpu(net: nn.Module, images: Tensor) -> str:
    """Device of the answer to pictures on a GPU. Shapes and devices are followed, nothing is computed."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    held = [*net.named_parameters(), *net.named_buffers()]
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True):
        moved = {name: torch.empty_like(value, device="cuda") for name, value in held}
        answer = functional_call(net, moved, (torch.empty(images.shape, device="cuda"),))
        return str(answer.device.type)


def stray_tensors(net: nn.Module) -> Iterator[tuple[str, Any]]:
    """(name, value) of tensors and layers that a module holds as plain attributes, also in lists and dicts."""
    held = {id(value) for value in [*net.parameters(), *net.buffers(), *net.modules()]}
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            if name in {"_parameters", "_buffers", "_modules"}:
                continue
            parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
            for part in parts:
                if isinstance(part, Tensor | nn.Module) and id(part) not in held:
                    yield f"{path}.{name}".lstrip("."), part
                    break


def leftovers(subject: NetSubject) -> str:
    with _old_objects_aside():
        return _leftovers(subject)


@contextmanager
def _old_objects_aside() -> Iterator[None]:
    """The garbage collector looks at new objects alone: with torch loaded there are a million old ones."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _leftovers(subject: NetSubject) -> str:
    net: nn.Module | None = subject.build()
    assert net is not None
    _pass(subject, net)
    before = _tensors_alive()
    for _ in range(3):
        _pass(subject, net)
    more = _tensors_alive() - before
    if more >= 3:
        raise Problem(
            f"Each pass leaves tensors in memory ({more} more after three passes).",
            "Do not collect outputs in lists or globals; keep none of them on self.",
        )
    trace = weakref.ref(net)
    net = None
    gc.collect()
    if trace() is not None:
        raise Problem(
            "A net that nobody uses any more stays in memory, on the GPU too.",
            "build() must not keep it in a global, a cache or a closure.",
        )
    return "Nothing stays in memory after a pass, or after the net is dropped."


def _pass(subject: NetSubject, net: nn.Module) -> None:
    loss = subject.codec.loss(
        forward(net, subject.images(2)), subject.points(2), torch.ones(2, POINTS, dtype=torch.bool)
    )
    loss.backward()
    net.zero_grad(set_to_none=True)


def _tensors_alive() -> int:
    gc.collect()
    return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())


CHECKS = (
    Check("device", "it moves to a GPU as a whole", device),
    Check("leftovers", "it leaves nothing behind in memory", leftovers),
)
