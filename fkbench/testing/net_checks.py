"""Checks of a net that hold for any weights: shapes, modes, state, seeds, batches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fkbench.testing.findings import Check, NotApplicable, Problem
from fkbench.testing.nets import NetSubject, answer, checked_answer, forward, listed, same, told

SIZES = (15, 68)
COLOURS = (1, 3)


def builds(subject: NetSubject) -> str:
    channels, size = subject.spec.input
    outputs = subject.outputs()
    checked_answer(subject.build(), subject.images(2), outputs)
    return f"Pictures of {channels}×{size}×{size} give {outputs} finite numbers for 15 points."


def parameters(subject: NetSubject) -> str:
    """On `meta`, where weights take no memory; a net that does not bear that is built for real."""
    spec, whole = subject.spec, subject.whole
    try:
        with torch.device("meta"):
            net = whole.build()
    except Problem as problem:
        if spec.reduced or spec.not_run:
            raise Problem(
                f"At full size it cannot be built without memory (torch.device('meta')): {problem.message}",
                "Do not read or compute with weights while building: too large a net is counted that way.",
            ) from problem
        net = whole.build()
    count = f"{sum(value.numel() for value in net.parameters()):,}".replace(",", " ")
    at = ", ".join(f"{name} = {value}" for name, value in spec.reduced.items())
    return f"{count} parameters at full size for 15 points{f'; the other checks run at {at}' if at else ''}."


def points(subject: NetSubject) -> str:
    for count in SIZES:
        checked_answer(subject.build(points=count), subject.images(2), subject.outputs(count))
    return "15 and 68 points."


def channels(subject: NetSubject) -> str:
    for count in COLOURS:
        checked_answer(subject.build(channels=count), subject.images(2, count), subject.outputs())
    return "Grey pictures and colour pictures."


def modes(subject: NetSubject) -> str:
    net, images = subject.build(), subject.images(4)
    forward(net, images)
    first, second = answer(net, images), answer(net, images)
    deaf = [name or type(module).__name__ for name, module in net.named_modules() if module.training]
    if deaf:
        raise Problem(
            f"After net.eval() these parts are still in training mode: {listed(deaf)}.",
            "A train() or eval() of your own must pass the mode on to all layers.",
        )
    if not same(first, second):
        raise Problem(
            "In evaluation mode the same picture gets another answer each time.",
            "Dropout and noise belong into training alone: nn.Dropout, or F.dropout(x, p, training=self.training).",
        )
    return "In evaluation mode the answer is always the same."


def state(subject: NetSubject) -> str:
    net, images = subject.build(seed=0), subject.images(4)
    forward(net, images)  # batch norm has statistics of its own to keep
    weights = _through_a_file(net)
    copy = subject.build(seed=1)
    with told("load_state_dict()", "Weights must have the same names and shapes in every net of the same arguments."):
        copy.load_state_dict(weights)
    if not same(_steady(net, images), answer(copy, images)):
        raise Problem(
            "A net that loads another one's state dict answers otherwise.",
            "What decides the answer must be a parameter, a buffer (register_buffer) or an argument of build.",
        )
    return f"{len(weights)} tensors go through a file and give the same answer in another net."


def _through_a_file(net: nn.Module) -> dict[str, Tensor]:
    from safetensors.torch import load, save

    found = net.state_dict()
    odd = [name for name, value in found.items() if not isinstance(value, Tensor)]
    if odd:
        raise Problem(f"The state dict holds what is no tensor: {listed(odd)}.", "Keep it out of get_extra_state().")
    with told("Saving the weights as safetensors", "Keep a layer that is used twice under one name only."):
        weights: dict[str, Tensor] = load(save({k: v.detach().contiguous() for k, v in found.items()}))
    return weights


def batch(subject: NetSubject) -> str:
    net = subject.build()
    # Brightness and contrast of their own, so that no statistics of one picture are like those of another.
    images = subject.images(6) * torch.linspace(0.5, 2, 6).view(-1, 1, 1, 1) + torch.linspace(-1, 1, 6).view(
        -1, 1, 1, 1
    )
    forward(net, images)
    together = _steady(net, images)
    spread = float((together - together.mean(0)).abs().max())
    alone = torch.cat([answer(net, images[i : i + 1]) for i in range(len(images))])
    if not same(together, alone, spread=spread) or not same(
        together.flip(0), answer(net, images.flip(0)), spread=spread
    ):
        raise Problem(
            "In evaluation mode the answer for a picture depends on the other pictures of its batch.",
            "Look for statistics over the batch (batch norm without running statistics, x.mean(0)) or a view() that "
            "mixes rows.",
        )
    return "A picture gets the same answer alone and in any company."


def _steady(net: nn.Module, images: Tensor) -> Tensor:
    """The answer of a net, which must be one that repeats itself for two nets to be compared."""
    first = answer(net, images)
    if not same(first, answer(net, images)):
        raise NotApplicable("the answer changes from call to call, see 'modes'")
    return first


def seeds(subject: NetSubject) -> str:
    one, two, other = (subject.build(seed=seed) for seed in (0, 0, 1))
    changed = _differences(one, two)
    if changed:
        raise Problem(
            f"The same seed gives other weights: {listed(changed)}.",
            "Draw them from torch's own generator: not from numpy or random, and not from a generator of your own.",
        )
    drawn = any(value.requires_grad for value in one.parameters())
    if drawn and not subject.spec.deterministic and not _differences(one, other):
        raise Problem(
            "Every seed gives the same weights, so that runs with several seeds would be one run.",
            "Leave out torch.manual_seed() in build; or state deterministic=True.",
        )
    images = subject.images(4)
    outputs = []
    for net in (one, two):
        torch.manual_seed(0)
        outputs.append(forward(net, images))
    if not same(outputs[0], outputs[1]):
        raise Problem(
            "In training mode the same seed gives another answer.", "Draw random numbers in forward() from torch alone."
        )
    return "The same seed gives the same net, another seed another one."


def _differences(one: nn.Module, two: nn.Module) -> list[str]:
    first, second = one.state_dict(), two.state_dict()
    if first.keys() != second.keys():
        return sorted(first.keys() ^ second.keys())
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


CHECKS = (
    Check("builds", "build() gives a net whose output has the right shape and is finite", builds),
    Check("parameters", "the parameters can be counted at full size", parameters),
    Check("points", "the number of outputs follows the landmark scheme", points),
    Check("channels", "it can be built for grey and for colour pictures", channels),
    Check("modes", "evaluation mode is free of randomness", modes),
    Check("state", "its state dict is all that decides its answer", state),
    Check("batch", "the batch does not change a picture's answer", batch),
    Check("seeds", "seeds reproduce", seeds),
)
