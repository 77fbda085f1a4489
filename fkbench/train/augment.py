"""Augmentation on the device: one composed affine and one grid sampling per sample, photometric steps batched.

Geometry: an output pixel o is taken from canvas pixel c = A·(o − m) + m + pad + t, with m the middle of the output,
A a rotation times a size (times a mirror), t the shift. Points go the other way by the inverse of the same map.
All parameters of an epoch are drawn before it starts, so that nothing in it waits for the host.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fkbench.specs import Augmentation

SIGMAS = 2.5
"""Normal draws beyond this many σ are clamped: rarer ones turn faces out of their canvas."""


@dataclass(frozen=True)
class Draws:
    """Parameters of one epoch, (N, …) each, one row per sample in the order in which they are seen.

    Attributes:
        linear: (N, 2, 2) the map A.
        shift: (N, 2) t in output pixels.
        flip: (N,) bool.
        contrast, brightness, noise, sharpen: (N,) factor, offset, σ, and whether to sharpen.
        blur: (N,) bool.
    """

    linear: Tensor
    shift: Tensor
    flip: Tensor
    contrast: Tensor
    brightness: Tensor
    noise: Tensor
    blur: Tensor
    sharpen: Tensor

    def part(self, start: int, stop: int) -> Draws:
        return Draws(*(getattr(self, name)[start:stop] for name in self.__dataclass_fields__))

    def to(self, device: torch.device) -> Draws:
        return Draws(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def draw(spec: Augmentation, count: int, size: int, source: torch.Generator) -> Draws:
    """Parameters for `count` samples of input `size`, from a CPU generator. Always the same number of draws."""
    normal = torch.randn(count, 4, generator=source).clamp_(-SIGMAS, SIGMAS)
    uniform = torch.rand(count, 6, generator=source)
    angle = normal[:, 0] * math.radians(spec.rotation)
    factor = torch.exp(normal[:, 1] * math.log1p(spec.scale))
    flip = uniform[:, 0] < spec.flip
    cos, sin = torch.cos(angle) / factor, torch.sin(angle) / factor
    mirror = torch.where(flip, -1.0, 1.0)
    linear = torch.stack([cos * mirror, -sin, sin * mirror, cos], dim=1).unflatten(1, (2, 2))
    return Draws(
        linear=linear,
        shift=normal[:, 2:] * (spec.shift * size),
        flip=flip,
        contrast=1 + spec.contrast * (2 * uniform[:, 1] - 1),
        brightness=spec.brightness * (2 * uniform[:, 2] - 1),
        noise=spec.noise * uniform[:, 3],
        blur=uniform[:, 4] < spec.blur,
        sharpen=uniform[:, 5] < spec.sharpness_p,
    )


class Augmenter:
    """Turns resident canvases and points into a training batch.

    Args:
        spec: the recipe's augmentation.
        size: side of the output; pad: margin of the canvas on each side.
        flip_order: (K,) index order of mirrored points.
    """

    def __init__(self, spec: Augmentation, size: int, pad: int, flip_order: list[int], device: torch.device) -> None:
        self.spec = spec
        self.size = size
        self.pad = pad
        self.flip_order = torch.tensor(flip_order, device=device)
        self.moves = any((spec.flip, spec.rotation, spec.scale, spec.shift))
        axis = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2
        self._grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)

    def __call__(
        self, canvas: Tensor, points: Tensor, valid: Tensor, draws: Draws, source: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """canvas (B, C, S, S) uint8, points (B, K, 2) canvas pixels, valid (B, K) →
        images (B, C, R, R) float32 in [0, 1], points (B, K, 2) in output pixels, valid (B, K)."""
        if self.moves:
            images = self._sample(canvas.float().div_(255), draws)
            points, valid = self._move(points, valid, draws)
        else:
            low, high = self.pad, self.pad + self.size
            images = canvas[:, :, low:high, low:high].float().div_(255)
            points = points - self.pad
        return self._photometric(images, draws, source), points, valid

    def _sample(self, canvas: Tensor, draws: Draws) -> Tensor:
        side = canvas.shape[-1]
        middle = (self.size - 1) / 2 + self.pad
        source = self._grid @ draws.linear.transpose(1, 2) + (draws.shift + middle).unsqueeze(1)
        # grid_sample with align_corners=False: pixel centre c lies at (2c + 1)/side − 1.
        grid = ((2 * source + 1) / side - 1).unflatten(1, (self.size, self.size))
        return functional.grid_sample(canvas, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def _move(self, points: Tensor, valid: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        half = (self.size - 1) / 2
        relative = points - (draws.shift + half + self.pad).unsqueeze(1)
        # The inverse of a 2 × 2 in closed form: solvers would wait for the host on a GPU.
        a, b, c, d = draws.linear.flatten(1).unsqueeze(2).unbind(1)
        determinant = a * d - b * c
        x, y = relative.unbind(2)
        moved = torch.stack([(d * x - b * y) / determinant, (a * y - c * x) / determinant], dim=2) + half
        swapped, swapped_valid = moved[:, self.flip_order], valid[:, self.flip_order]
        flip = draws.flip.unsqueeze(1)
        return torch.where(flip.unsqueeze(2), swapped, moved), torch.where(flip, swapped_valid, valid)

    def _photometric(self, images: Tensor, draws: Draws, source: torch.Generator) -> Tensor:
        spec = self.spec
        if spec.blur:
            images = torch.where(_each(draws.blur), _binomial_blur(images), images)
        if spec.sharpness_p:
            images = torch.where(_each(draws.sharpen), sharpen(images, spec.sharpness), images)
        if spec.contrast or spec.brightness:
            mean = images.mean(dim=(1, 2, 3), keepdim=True)
            images = (images - mean) * _each(draws.contrast) + mean * (1 + _each(draws.brightness))
        if spec.noise:
            white = torch.randn(images.shape, generator=source, device=images.device)
            images = images.addcmul_(white, _each(draws.noise))
        return images.clamp_(0, 1) if spec.contrast or spec.brightness or spec.noise else images


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _binomial_blur(images: Tensor) -> Tensor:
    """3 × 3 binomial blur [1 2 1]⊗[1 2 1]/16 with repeated borders."""
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 16


def sharpen(images: Tensor, factor: float) -> Tensor:
    """Sharpness by `factor`: 0 blurs, 1 leaves, 2 sharpens; (N, C, H, W) in [0, 1].

    blend = factor · image + (1 − factor) · smooth, clamped to [0, 1], where smooth is the 3 × 3 mean with centre
    weight 5 of 13, interior pixels only (the definition of PIL's and torchvision's sharpness adjustment).
    """
    smooth = images.clone()
    ring = functional.avg_pool2d(images, 3, stride=1) * 9 + 4 * images[:, :, 1:-1, 1:-1]
    smooth[:, :, 1:-1, 1:-1] = ring / 13
    return (factor * images + (1 - factor) * smooth).clamp_(0, 1)
