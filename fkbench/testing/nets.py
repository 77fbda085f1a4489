"""A net as the checks see it: built as the harness builds it, and given pictures that differ from one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parameter import UninitializedParameter

from fkbench.errors import FkbenchError
from fkbench.specs import ModelSpec, Recipe, resolve
from fkbench.testing.findings import Problem, in_words
from fkbench.testing.limits import TooSlowError
from fkbench.train.codecs import Codec, make_codec
from fkbench.train.streams import generator, stream_seed

POINTS = 15
"""Keypoints of the net that most checks build."""


@dataclass(frozen=True)
class NetSubject:
    """A spec of a net and the settings under which it is checked.

    Attributes:
        spec: with the input that the settings ask for.
        settings: under which the checks run: the defaults, with `reduced` where the net is too large for them.
        full: the settings without `reduced`.
    """

    spec: ModelSpec
    settings: Mapping[str, Any]
    full: Mapping[str, Any]

    @classmethod
    def of(cls, spec: ModelSpec, settings: Mapping[str, Any], full: Mapping[str, Any]) -> NetSubject:
        return cls(spec.sized(settings), settings, full)

    @property
    def whole(self) -> NetSubject:
        """The net at full size."""
        return self.of(self.spec, self.full, self.full)

    @property
    def codec(self) -> Codec:
        return make_codec(Recipe().codec, self.spec.input[1])

    def outputs(self, points: int = POINTS) -> int:
        return self.codec.outputs(points)

    def build(self, *, points: int = POINTS, channels: int = 0, seed: int = 0) -> nn.Module:
        """A net with fresh weights of a seed, in training mode.

        Raises:
            Problem: the plugin's code raises, or gives no net.
        """
        arguments = {"channels": channels or self.spec.input[0], "size": self.spec.input[1],
                     "outputs": self.outputs(points)}  # fmt: skip
        torch.manual_seed(stream_seed(seed, "init"))
        call = f"build({', '.join(f'{name}={value}' for name, value in arguments.items())})"
        with told(call, "It is called with channels, size, outputs and the model's settings by name."):
            net = resolve(self.spec.build)(**arguments, **self.spec.keywords(self.settings))
        if not isinstance(net, nn.Module):
            raise Problem(f"{call} gives a {type(net).__name__}.", "It must return a torch.nn.Module.")
        if any(isinstance(value, UninitializedParameter) for value in net.parameters()):
            answer(net, torch.zeros(2, arguments["channels"], arguments["size"], arguments["size"]))  # as the harness
        return net.train()

    def images(self, count: int, channels: int = 0) -> Tensor:
        """(count, C, R, R) pictures with mean 0 and deviation 1, as `uniform` gives them.

        All show one soft texture, turned, scaled and shifted in another way each, as faces are: a net that looks for
        what is around a point can find it, and so can one that knows pictures by heart.
        """
        channels, size = channels or self.spec.input[0], self.spec.input[1]
        coarse = torch.rand((1, channels, 12, 12), generator=generator(0, "conformance texture"))
        texture = functional.interpolate(coarse, size=(2 * size, 2 * size), mode="bilinear").expand(count, -1, -1, -1)
        grid = functional.affine_grid(0.5 * _placements(count), [count, channels, size, size], align_corners=False)
        fine = functional.grid_sample(texture, grid, align_corners=False, padding_mode="reflection")
        deviation, mean = torch.std_mean(fine, dim=(1, 2, 3), keepdim=True)
        return (fine - mean) / deviation

    def points(self, count: int, points: int = POINTS) -> Tensor:
        """(count, points, 2) places of the same spots of the texture on each picture, in input pixels."""
        spots = 1.2 * torch.rand((points, 2), generator=generator(0, "conformance points")) - 0.6
        place = _placements(count)
        turn, shift = place[:, :, :2], place[:, :, 2]
        found: Tensor = torch.linalg.solve(turn, (spots - shift.unsqueeze(1)).transpose(1, 2)).transpose(1, 2)
        size = self.spec.input[1]
        return (found + 1) * size / 2 - 0.5


def _placements(count: int) -> Tensor:
    """(count, 2, 3) from a picture's coordinates in [−1, 1] to those of the texture: turned, scaled and shifted."""
    draws = 2 * torch.rand((count, 4), generator=generator(0, "conformance places")) - 1
    angle, scale = 0.4 * draws[:, 0], 1 + 0.2 * draws[:, 1]
    cos, sin = scale * angle.cos(), scale * angle.sin()
    shift = 0.3 * draws[:, 2:]
    return torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)


@contextmanager
def told(what: str, remedy: str) -> Iterator[None]:
    """What the plugin's code raises inside the block, as a problem: "`what` raises …"."""
    try:
        yield
    except (Problem, FkbenchError, TooSlowError):
        raise
    except (Exception, SystemExit) as error:
        raise Problem(f"{what} raises {in_words(error)}.", remedy) from error


def forward(net: nn.Module, images: Tensor) -> Tensor:
    """The net's output.

    Raises:
        Problem: it raises.
    """
    shape = "×".join(map(str, images.shape[1:]))
    with told(
        f"The net, given {len(images)} pictures of {shape},", "Compare the sizes of its layers with its arguments."
    ):
        output: Tensor = net(images)
    return output


def answer(net: nn.Module, images: Tensor) -> Tensor:
    """The net's output in evaluation mode, without gradients."""
    net.eval()
    with torch.no_grad():
        return forward(net, images)


def checked_answer(net: nn.Module, images: Tensor, outputs: int) -> Tensor:
    """The output in evaluation mode, which must be (N, outputs) finite floats.

    Raises:
        Problem: it is anything else.
    """
    output = answer(net, images)
    if not isinstance(output, Tensor):
        raise Problem(
            f"The net gives a {type(output).__name__} in place of a tensor.", "forward() must return one tensor."
        )
    wanted = (len(images), outputs)
    if tuple(output.shape) != wanted:
        raise Problem(
            f"For {len(images)} pictures the net gives {tuple(output.shape)}, but {wanted} is needed.",
            "The last layer must have `outputs` outputs, one row per picture.",
        )
    if output.dtype != torch.float32:
        raise Problem(f"The net gives {output.dtype}, not float32.", "Leave precision to the harness: no .half().")
    if not output.isfinite().all():
        raise Problem(
            "The fresh net gives numbers that are not finite.", "Look for a division by zero, a logarithm, a root."
        )
    return output


def same(one: Tensor, two: Tensor, *, spread: float = 0.0) -> bool:
    """Whether two answers agree but for rounding: 1e-5 of their size, and 1 % of how far answers lie apart."""
    size = max(float(one.abs().max()), float(two.abs().max()))
    return bool(float((one - two).abs().max()) <= 1e-5 * size + 0.01 * spread)


def listed(names: list[str], most: int = 4) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
