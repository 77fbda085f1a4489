"""Names for the transforms, with values, for `fkbench data preview --transforms NAME[=VALUE],…`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fkbench.datasets.samples import ByteArray
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.transforms import frames
from fkbench.transforms.affine import linear_maps, move_points, pixel_grid, sample_pictures
from fkbench.transforms.frames import Sample
from fkbench.transforms.pixels import TAPS, adjust_contrast, gain, gaussian_blur, sharpen

Draw = np.random.Generator
Apply = Callable[[Sample, float, Draw], Sample]


WITHOUT_VALUE = frozenset({"flip", "normalize", "to-tensor"})


@dataclass(frozen=True)
class Transform:
    """A transform that can be named.

    Attributes:
        help: one line.
        default: value where none is given; negative: minus this share of the picture's shorter side.
        apply: `apply(sample, value, draw) -> Sample`.
    """

    help: str
    default: float
    apply: Apply


@dataclass(frozen=True)
class Step:
    """A transform with its value, NaN where none is given."""

    name: str
    value: float = math.nan

    def __str__(self) -> str:
        default = TRANSFORMS[self.name].default
        if self.name in WITHOUT_VALUE or (math.isnan(self.value) and default < 0):
            return self.name
        return f"{self.name}={default if math.isnan(self.value) else self.value:g}"

    def __call__(self, sample: Sample, draw: Draw) -> Sample:
        """Apply it.

        Raises:
            FkbenchError: a crop exceeds the picture, or the value makes no sense.
        """
        transform = TRANSFORMS[self.name]
        value = self.value if not math.isnan(self.value) else transform.default
        if value < 0 and transform.default < 0:
            value = round(-value * min(sample.image.shape[:2]))
        return transform.apply(sample, value, draw)


def parse_steps(text: str) -> list[Step]:
    """`rescale=250,random-crop=224` → steps; `all`: every transform with its default.

    Raises:
        UnknownNameError: no such transform.
        FkbenchError: a value that is no number, or out of range.
    """
    if text.strip() == "all":
        return [Step(name) for name in TRANSFORMS]
    steps = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = word.partition("=")
        if name not in TRANSFORMS:
            raise UnknownNameError("transform", name, TRANSFORMS)
        steps.append(Step(name, _value(name, value) if equals else math.nan))
    if not steps:
        raise FkbenchError("--transforms names none.", f"For example {','.join(list(TRANSFORMS)[:3])}, or all.")
    return steps


def _value(name: str, text: str) -> float:
    if name in WITHOUT_VALUE:
        raise FkbenchError(f"'{name}' takes no value.", f"Write {name} alone.")
    try:
        value = float(text)
    except ValueError:
        raise FkbenchError(f"'{name}={text}' is not a number.", f"For example {name}=2.") from None
    pixels = TRANSFORMS[name].default < 0
    if not math.isfinite(value) or (pixels and (value < 1 or value > 4096 or value != int(value))):
        raise FkbenchError(f"'{name}={text}' is out of range.", "Pixels are whole numbers from 1 to 4096.")
    if name in ("scaling", "sharpness", "contrast", "brightness", "blur") and not 0 <= value <= 100:
        raise FkbenchError(f"'{name}={text}' is out of range.", "Give a number from 0 to 100.")
    if name == "scaling" and value == 0:
        raise FkbenchError("A picture cannot be scaled by 0.", "For example scaling=1.2.")
    return value


def apply_alone(steps: Sequence[Step], index: int, sample: Sample, seed: int = 0) -> tuple[Sample, str]:
    """Step `index` by itself; where it cannot be (a crop that needs a larger picture), after those before it.

    Returns:
        The changed sample, and what to call it.
    """
    try:
        return steps[index](sample, np.random.default_rng(seed)), str(steps[index])
    except FkbenchError:
        before = ",".join(map(str, steps[:index]))
        if not before:
            raise
        return compose(steps[: index + 1], sample, seed), f"{before},{steps[index]}"


def compose(steps: Sequence[Step], sample: Sample, seed: int = 0) -> Sample:
    """All steps, one after the other.

    Raises:
        FkbenchError: a crop exceeds the picture.
    """
    draw = np.random.default_rng(seed)
    for step in steps:
        sample = step(sample, draw)
    return sample


def _random_crop(sample: Sample, value: float, draw: Draw) -> Sample:
    down, right = draw.random(2)
    return frames.crop(sample, int(value), (float(down), float(right)))


def _normalize(sample: Sample, value: float, draw: Draw) -> Sample:
    """As it looks: grey. Its points are shown where they are, not divided."""
    image, points = frames.normalize(sample)
    grey = np.asarray(np.rint(image * 255), np.uint8)
    return replace(sample, image=grey, points=np.asarray(points * 50 + 100, np.float32))


def _to_tensor(sample: Sample, value: float, draw: Draw) -> Sample:
    """There and back: (H, W, C) → (C, H, W) changes no pixel."""
    channels_first = frames.to_tensor(np.asarray(sample.image, np.float32))
    return replace(sample, image=np.asarray(channels_first.transpose(1, 2, 0), np.uint8))


def _on_pixels(change: Callable[[Tensor, float], Tensor]) -> Apply:
    def apply(sample: Sample, value: float, draw: Draw) -> Sample:
        if min(sample.image.shape[:2]) <= TAPS // 2:
            raise FkbenchError(
                "A picture of {1}×{0} pixels is too small to be changed so.".format(*sample.image.shape[:2]),
                f"Leave it {TAPS // 2 + 1} pixels or more.",
            )
        return replace(sample, image=_image(change(_tensor(sample), value)))

    return apply


def _affine(degrees: Callable[[float], float], factor: Callable[[float], float], mirror: bool) -> Apply:
    def apply(sample: Sample, value: float, draw: Draw) -> Sample:
        height, width = sample.image.shape[:2]
        angle = torch.tensor([math.radians(degrees(value))])
        linear = linear_maps(angle, torch.tensor([factor(value)]), torch.tensor([mirror]))
        still, grid = torch.zeros(1, 2), pixel_grid(height, width, torch.device("cpu"))
        images = sample_pictures(_tensor(sample), linear, still, grid, outside="zeros")
        middle = torch.tensor([(width - 1) / 2, (height - 1) / 2])
        points = move_points(torch.from_numpy(np.array(sample.points))[None], linear, still, middle)[0].numpy()
        if mirror and sample.flip_order:
            points = points[list(sample.flip_order)]
        return replace(sample, image=_image(images), points=points)

    return apply


def _tensor(sample: Sample) -> Tensor:
    return torch.from_numpy(np.array(sample.image.transpose(2, 0, 1)[None])).float().div_(255)


def _image(images: Tensor) -> ByteArray:
    return np.asarray((images[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy(), np.uint8)


def _same(value: float) -> float:
    return value


def _one(value: float) -> float:
    return 1.0


def _none(value: float) -> float:
    return 0.0


TRANSFORMS: Mapping[str, Transform] = {
    "rescale": Transform(
        "shorter side to so many pixels, aspect kept", -1.2, lambda s, v, _: frames.rescale(s, int(v))
    ),
    "random-crop": Transform("a square of so many pixels at a random place", -0.9, _random_crop),
    "resize": Transform("both sides to so many pixels", -0.9, lambda s, v, _: frames.resize(s, int(v))),
    "sharpness": Transform(
        "0 blurs, 1 leaves, 2 sharpens", 2.0, _on_pixels(lambda images, value: sharpen(images, value))
    ),
    "contrast": Transform(
        "about the picture's mean",
        1.5,
        _on_pixels(lambda images, value: adjust_contrast(images, torch.tensor([value]), torch.zeros(1))),
    ),
    "brightness": Transform(
        "times this, about black: the “contrast” of imgaug on floats",
        1.4,
        _on_pixels(lambda images, value: gain(images, torch.tensor([value]))),
    ),
    "blur": Transform(
        "Gaussian of this σ, pixels",
        2.0,
        _on_pixels(lambda images, value: gaussian_blur(images, torch.tensor([value]))),
    ),
    "rotation": Transform("degrees, clockwise on the screen", 15.0, _affine(_same, _one, False)),
    "scaling": Transform("about the middle", 1.2, _affine(_none, _same, False)),
    "flip": Transform("left and right change places; pairs of points are swapped", 1.0, _affine(_none, _one, True)),
    "normalize": Transform("grey, pixels to 0…1 and points to (p − 100)/50; shown as it looks", 1.0, _normalize),
    "to-tensor": Transform("(H, W, C) → (C, H, W); looks the same", 1.0, _to_tensor),
}
"""In the order in which `all` composes them."""
