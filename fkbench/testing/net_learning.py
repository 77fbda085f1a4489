"""Checks of a net in training: gradients, the training step of the harness, missing points, eight pictures by heart."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fkbench.testing.findings import Check, NotApplicable, Problem
from fkbench.testing.nets import POINTS, NetSubject, forward, listed, told
from fkbench.train.codecs import Codec, make_codec
from fkbench.train.initialisation import initialise

PICTURES = 8
STEPS = 300
ENOUGH = 0.10
"""Share of a constant answer's loss at which the pictures count as learnt."""
RATES = (1e-3, 1e-2, 1e-4)
"""Adam's, one after the other until one will do: for most nets, for those that start flat, for those that are steep."""
ATTEMPT_S = 60.0
"""Seconds of computing, however busy the machine is, after which an attempt ends with the steps that it has made."""


def gradients(subject: NetSubject) -> str:
    net = subject.build()
    if not any(value.requires_grad for value in net.parameters()):
        raise Problem("The net has no parameters to train.", 'What fits by itself is registered with kind="predictor".')
    _backward(subject.codec, net, subject, torch.ones(PICTURES, POINTS, dtype=torch.bool))
    trained = [(name, value.grad) for name, value in net.named_parameters() if value.requires_grad]
    unused = [name for name, gradient in trained if gradient is None]
    if unused:
        raise Problem(
            f"{len(unused)} of {len(trained)} parameters get no gradient: {listed(unused)}.",
            "Remove what forward() does not use; look for detach(), .data or no_grad() on the way. "
            "What shall not be trained needs requires_grad_(False).",
        )
    poisoned = [name for name, gradient in trained if gradient is not None and not gradient.isfinite().all()]
    if poisoned:
        raise Problem(
            f"The gradient is not finite for {listed(poisoned)}.", "Look for a root, a norm or a division at zero."
        )
    frozen = sum(1 for value in net.parameters() if not value.requires_grad)
    return f"All {len(trained)} trained parameters get a finite gradient{f'; {frozen} are frozen' if frozen else ''}."


def _backward(
    codec: Codec, net: nn.Module, subject: NetSubject, valid: Tensor, fill: float = 0.0, images: Tensor | None = None
) -> Tensor:
    """The loss of one training step, with its gradients in the net. `fill` stands in place of missing points."""
    torch.manual_seed(0)
    pictures = subject.images(len(valid)) if images is None else images
    points = subject.points(len(valid)).where(valid.unsqueeze(2), torch.tensor(fill))
    loss = codec.loss(forward(net, pictures), points, valid)
    with told("The backward pass", "Use operations that torch can differentiate; do not change their inputs in place."):
        loss.backward()
    return loss.detach()


def training(subject: NetSubject) -> str:
    net = subject.build().to(memory_format=torch.channels_last)
    valid = torch.ones(4, POINTS, dtype=torch.bool)
    images = subject.images(4).contiguous(memory_format=torch.channels_last)
    try:
        _backward(subject.codec, net, subject, valid, images=images)
        with torch.autocast("cpu", torch.bfloat16):
            output = forward(net, images)
    except Problem as problem:
        raise Problem(
            f"In channels-last memory or bfloat16, as in training: {problem.message}",
            "flatten(1) or reshape(…) in place of view(…); tensors made in forward() need the dtype of their partners.",
        ) from problem.__cause__
    if not output.float().isfinite().all():
        raise Problem(
            "In bfloat16, which GPUs train in, the output is not finite.", "Keep numbers within a usual range."
        )
    return "A training step works in channels-last memory and in bfloat16."


def missing(subject: NetSubject) -> str:
    valid = torch.ones(4, POINTS, dtype=torch.bool)
    valid[0], valid[:, 3] = False, False
    net = subject.build()
    fresh = {name: value.clone() for name, value in net.state_dict().items()}
    for name, codec in _codecs(subject):
        losses = []
        for mask, fill in ((valid, 0.0), (valid, 1e4), (torch.zeros_like(valid), 0.0)):
            net.load_state_dict(fresh)
            net.zero_grad(set_to_none=True)
            losses.append(_backward(codec, net, subject, mask, fill))
            bad = [n for n, p in net.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
            if not losses[-1].isfinite() or bad:
                what = f"the gradient of {listed(bad)}" if losses[-1].isfinite() else "the loss"
                raise Problem(
                    f"With missing points {what} is not finite ({name}).",
                    "A picture whose points are all missing gives a gradient of zero: nothing may be divided by it. "
                    "Look at the recipe's codec, too.",
                )
        if not torch.allclose(losses[0], losses[1], rtol=1e-5):
            raise Problem(
                f"The loss depends on what stands in place of missing points ({name}).",
                "The codec must give them no weight.",
            )
    return "Missing points change neither the loss nor the gradient."


def _codecs(subject: NetSubject) -> Iterator[tuple[str, Codec]]:
    """The kit's codec, and those of the model's own recipes."""
    yield "recipe of the kit", subject.codec
    for name, recipe in subject.spec.recipes.items():
        yield f"recipe '{name}'", make_codec(recipe.codec, subject.spec.input[1])


def overfits(subject: NetSubject) -> str:
    share, steps = 1.0, 0
    for rate in RATES:
        share, steps = _learn(subject, rate)
        if share < ENOUGH:
            return f"{PICTURES} pictures are learnt in {steps} steps (loss {share:.0%} of a constant answer's)."
    if steps < 50:
        raise Problem(
            f"Only {steps} training steps were possible in {ATTEMPT_S:.0f} s: the net is too large for this check.",
            "Give it a setting that makes it smaller, and name it in reduced={…}: the kit then runs that one.",
        )
    blind = share > 0.9
    raise Problem(
        f"After {steps} steps on {PICTURES} pictures the loss is {share:.0%} of what one constant answer gives; "
        f"less than {ENOUGH:.0%} is needed.",
        "The net does not use the picture: look for a branch cut off, dead units, a ReLU after the last layer."
        if blind
        else "Look for a narrow layer, an activation after the last layer, or a sigmoid that saturates.",
    )


def _learn(subject: NetSubject, rate: float) -> tuple[float, int]:
    """Train on a few pictures with dropout off; (loss as a share of the best constant answer's, steps)."""
    net, codec, images = subject.build(), subject.codec, subject.images(PICTURES)
    points, valid = subject.points(PICTURES), torch.ones(PICTURES, POINTS, dtype=torch.bool)
    targets = codec.encode(points)
    initialise(net, targets.mean(0))
    for module in net.modules():
        if "drop" in type(module).__name__.lower():
            module.eval()
    constant = float(codec.loss(targets.mean(0).expand_as(targets), points, valid))
    trained = [value for value in net.parameters() if value.requires_grad]
    if not trained or not forward(net, images).requires_grad:
        raise NotApplicable("nothing can be trained, see 'gradients'")
    optimiser = torch.optim.Adam(trained, lr=rate, fused=True)
    started, share = time.thread_time(), 1.0
    for step in range(1, STEPS + 1):
        loss = codec.loss(forward(net, images), points, valid)
        share = float(loss.detach()) / constant
        if share < ENOUGH or share != share or time.thread_time() - started > ATTEMPT_S:
            return share, step
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return share, STEPS


CHECKS = (
    Check("gradients", "every parameter gets a gradient", gradients),
    Check("training", "it trains in the memory layout and precision of the harness", training),
    Check("missing", "missing points poison neither loss nor gradient", missing),
    Check("overfits", "it can learn eight pictures by heart", overfits),
)
