"""The kit finds what is wrong with a net: for each check a net that fails it, and no other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fkbench.specs import CodecSpec, ModelSpec, Recipe, Setting
from fkbench.testing import check_model, suite_of

SIDE = 16
KEPT: list[torch.Tensor] = []


class Net(nn.Module):
    """A good net, to be spoilt: (N, C, 16, 16) → (N, outputs)."""

    def __init__(self, channels: int, size: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3, 2, 1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8 * (size // 2) ** 2, outputs)

    def features(self, images):
        return torch.relu(self.norm(self.conv(images))).flatten(1)

    def forward(self, images):
        return self.head(self.drop(self.features(images)))


def spec(build, **fields) -> ModelSpec:
    return ModelSpec(name="net", summary="a net", build=build, input=(1, SIDE), **fields)


def findings(found_in: ModelSpec) -> dict[str, tuple[str, str]]:
    return {f.check: (f.status, f"{f.message} {f.remedy}") for f in check_model(found_in)}


def failed(found: dict[str, tuple[str, str]]) -> set[str]:
    return {check for check, (status, _) in found.items() if status == "failed"}


def test_a_good_net_passes_everything():
    found = findings(spec(Net, recipes={"article": Recipe(codec=CodecSpec(kind="affine", scale=50, loss="root_mse"))}))
    assert {status for status, _ in found.values()} == {"passed"}


class Scalar(Net):
    def forward(self, images):
        return super().forward(images).sum()


class Fixed(Net):
    def __init__(self, channels, size, outputs):
        super().__init__(channels, size, 30)


class Grey(Net):
    def __init__(self, channels, size, outputs):
        super().__init__(1, size, outputs)


class Spare(Net):
    def __init__(self, channels, size, outputs):
        super().__init__(channels, size, outputs)
        self.spare = nn.Linear(3, 3)


class View(Net):
    def features(self, images):
        out = torch.relu(self.norm(self.conv(images)))
        return out.view(out.size(0), -1)


class Direction(torch.autograd.Function):
    """Passes the direction of each picture's gradient on: 0/0 for a picture without a labelled point."""

    @staticmethod
    def forward(ctx, values):
        return values.clone()

    @staticmethod
    def backward(ctx, slope):
        return slope / slope.norm(dim=1, keepdim=True)


class Directed(Net):
    def forward(self, images):
        return self.head(Direction.apply(self.features(images)))


class Blind(Net):
    def forward(self, images):
        return super().forward(images * 0)


class AlwaysDropping(Net):
    def forward(self, images):
        return self.head(functional.dropout(self.features(images), 0.1))


class Hidden(Net):
    def __init__(self, channels, size, outputs):
        super().__init__(channels, size, outputs)
        self.factor = float(torch.rand(())) + 0.5

    def forward(self, images):
        return super().forward(images) * self.factor


class Tied(Net):
    def __init__(self, channels, size, outputs):
        super().__init__(channels, size, outputs)
        self.again = self.head


class Company(Net):
    def forward(self, images):
        return super().forward(images - images.mean())


def same_seed(channels, size, outputs):
    torch.manual_seed(0)
    return Net(channels, size, outputs)


def numpy_weights(channels, size, outputs):
    net = Net(channels, size, outputs)
    net.head.weight.data = torch.tensor(np.random.normal(size=net.head.weight.shape) / 30, dtype=torch.float32)
    return net


class Constant(Net):
    def __init__(self, channels, size, outputs):
        super().__init__(channels, size, outputs)
        self.mean = torch.zeros(SIDE)

    def forward(self, images):
        return super().forward(images - self.mean)


class MadeOnTheCpu(Net):
    def forward(self, images):
        return super().forward(images + torch.zeros(SIDE))


class Hoarder(Net):
    def features(self, images):
        out = super().features(images)
        KEPT.append(out)
        return out


class Reading(Net):
    """Reads a weight while it is built, which cannot be done without memory."""

    def __init__(self, channels, size, outputs, width=1):
        super().__init__(channels, size, outputs)
        self.drop.p = min(0.1, abs(self.head.bias[0].item()))


class Half(Net):
    def forward(self, images):
        return super().forward(images).double()


ARTICLE = {"article": Recipe(codec=CodecSpec(kind="affine", scale=1e-40))}
BAD = {
    "no_help": (spec(Reading, settings={"width": Setting(1, "")}), "declared", "without a word of help: width"),
    "name": (ModelSpec(name="my net", summary="a net", build=Net, input=(1, SIDE)), "declared", "'my net'"),
    "no_summary": (ModelSpec(name="net", build=Net, input=(1, SIDE)), "declared", "docstring"),
    "raises": (spec(lambda channels, size: None), "builds", "unexpected keyword argument 'outputs'"),
    "no_net": (spec(lambda channels, size, outputs: print), "builds", "torch.nn.Module"),
    "scalar": (spec(Scalar), "builds", "gives (), but (2, 30) is needed"),
    "double": (spec(Half), "builds", "float64"),
    "meta": (spec(Reading, reduced={"width": 1}), "parameters", "without memory"),
    "fixed": (spec(Fixed), "points", "gives (2, 30), but (2, 136)"),
    "grey": (spec(Grey), "channels", "to have 1 channels, but got 3"),
    "spare": (spec(Spare), "gradients", "2 of 8 parameters get no gradient: spare.weight, spare.bias"),
    "view": (spec(View), "training", "reshape(…) in place of view"),
    "direction": (spec(Directed), "missing", "the gradient of conv.weight"),
    "codec": (spec(Net, recipes=ARTICLE), "missing", "the loss is not finite (recipe 'article')"),
    "blind": (spec(Blind), "overfits", "does not use the picture"),
    "dropping": (spec(AlwaysDropping), "modes", "training=self.training"),
    "hidden": (spec(Hidden), "state", "answers otherwise"),
    "tied": (spec(Tied), "state", "under one name only"),
    "company": (spec(Company), "batch", "depends on the other pictures"),
    "same_seed": (spec(same_seed), "seeds", "Every seed gives the same weights"),
    "numpy_seed": (spec(numpy_weights), "seeds", "The same seed gives other weights: head.weight"),
    "constant": (spec(Constant), "device", "do not move with the net: mean"),
    "on_cpu": (spec(MadeOnTheCpu), "device", "test_kit_on_nets.py, line"),
    "hoarder": (spec(Hoarder), "leftovers", "Each pass leaves tensors"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_net_fails_the_check_that_is_for_it_and_no_other(name):
    bad, check, words = BAD[name]
    found = findings(bad)
    assert failed(found) == {check}, found
    assert words in found[check][1]
    assert all(message.strip() for _, message in found.values())  # what was skipped says why


def test_weights_of_a_cached_net_are_found_by_seeds_and_leftovers():
    kept: dict[int, nn.Module] = {}

    def build(channels, size, outputs):
        return kept.setdefault(1000 * channels + outputs, Net(channels, size, outputs))

    assert {"seeds", "leftovers"} <= failed(findings(spec(build)))


def test_a_frozen_part_is_allowed_and_said():
    def build(channels, size, outputs):
        net = Net(channels, size, outputs)
        net.conv.requires_grad_(False)
        return net

    found = findings(spec(build))
    assert failed(found) == set()
    assert "2 are frozen" in found["gradients"][1]


def test_what_cannot_be_run_is_skipped_with_its_reason_and_counted_all_the_same():
    found = findings(spec(Net, not_run="too large for anybody"))
    assert {check for check, (status, _) in found.items() if status == "passed"} == {"declared", "parameters"}
    assert "too large for anybody" in found["overfits"][1]
    found = findings(spec(Net, needs=("no_such_package",)))
    assert {check for check, (status, _) in found.items() if status == "passed"} == {"declared"}
    assert "no_such_package" in found["parameters"][1]


def test_a_large_net_is_counted_whole_and_checked_reduced():
    built = []

    def build(channels, size, outputs, width):
        built.append(width)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(size * size * channels, width), nn.ReLU(), nn.Linear(width, outputs)
        )

    large = spec(build, settings={"width": Setting(10_000_000, "hidden units")}, reduced={"width": 32})
    found = findings(large)
    assert failed(found) == set()
    assert f"{(SIDE * SIDE + 1) * 10_000_000 + 10_000_001 * 30:,}".replace(",", " ") in found["parameters"][1]
    assert built.count(10_000_000) == 1
    suite = suite_of(large, settings={"width": 8})
    assert suite.run("builds").status == "passed"
    assert built[-1] == 8


def test_a_family_is_checked_by_its_first_example():
    def member(family, rest):
        return ModelSpec(name=f"{family.name}:{rest}", summary="one of them", build=Net, input=(1, SIDE))

    suite = suite_of(spec(Net, member=member, examples=("small", "large")))
    assert suite.spec.name == "net:small"
    assert suite.run("builds").status == "passed"
    bare = suite_of(spec(Net, member=member))
    assert {finding.status for finding in bare} == {"passed", "skipped"}
    assert "no examples" in bare.run("builds").message


def test_a_net_that_does_not_come_back_is_a_finding(monkeypatch):
    class Endless(Net):
        def forward(self, images):
            while True:
                images = images + 0

    monkeypatch.setattr("fkbench.testing.limits.limited.__wrapped__.__defaults__", (0.3, 60.0))
    finding = suite_of(spec(Endless)).run("builds")
    assert finding.status == "failed"
    assert "did not come to an end" in finding.message
    assert "test_kit_on_nets.py, line" in finding.remedy
