"""Augmentation on the device: one composed affine and one grid sampling per sample, photometric steps batched.

The maps and the steps are those of `fkbench.transforms`; here their parameters are drawn. All parameters of an epoch
are drawn before it starts, so that nothing in it waits for the host.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fkbench.specs import Augmentation
from fkbench.transforms.affine import linear_maps, move_points, pixel_grid, sample_pictures
from fkbench.transforms.pixels import adjust_contrast, binomial_blur, each, sharpen

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
        place: (N, 2) shares in [0, 1): where a random crop is taken, down and right.
    """

    linear: Tensor
    shift: Tensor
    flip: Tensor
    contrast: Tensor
    brightness: Tensor
    noise: Tensor
    blur: Tensor
    sharpen: Tensor
    place: Tensor

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
    return Draws(
        linear=linear_maps(angle, factor, flip),
        shift=normal[:, 2:] * (spec.shift * size),
        flip=flip,
        contrast=1 + spec.contrast * (2 * uniform[:, 1] - 1),
        brightness=spec.brightness * (2 * uniform[:, 2] - 1),
        noise=spec.noise * uniform[:, 3],
        blur=uniform[:, 4] < spec.blur,
        sharpen=uniform[:, 5] < spec.sharpness_p,
        place=torch.rand(count, 2, generator=source),
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
        self._grid = pixel_grid(size, size, device)

    def __call__(
        self, canvas: Tensor, points: Tensor, valid: Tensor, draws: Draws, source: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """canvas (B, C, S, S) uint8 or floats, points (B, K, 2) canvas pixels, valid (B, K) →
        images (B, C, R, R) float32 in [0, 1], points (B, K, 2) in output pixels, valid (B, K)."""
        whole = canvas if canvas.is_floating_point() else canvas.float().div_(255)
        if self.moves:
            images = sample_pictures(whole, draws.linear, draws.shift, self._grid, pad=self.pad)
            points, valid = self._move(points, valid, draws)
        else:
            low, high = self.pad, self.pad + self.size
            images = whole[:, :, low:high, low:high]
            points = points - self.pad
        return self._photometric(images, draws, source), points, valid

    def _move(self, points: Tensor, valid: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        moved = move_points(points, draws.linear, draws.shift, (self.size - 1) / 2, pad=self.pad)
        swapped, swapped_valid = moved[:, self.flip_order], valid[:, self.flip_order]
        flip = draws.flip.unsqueeze(1)
        return torch.where(flip.unsqueeze(2), swapped, moved), torch.where(flip, swapped_valid, valid)

    def _photometric(self, images: Tensor, draws: Draws, source: torch.Generator) -> Tensor:
        spec = self.spec
        if spec.blur:
            images = torch.where(each(draws.blur), binomial_blur(images), images)
        if spec.sharpness_p:
            images = torch.where(each(draws.sharpen), sharpen(images, spec.sharpness), images)
        if spec.contrast or spec.brightness:
            images = adjust_contrast(images, draws.contrast, draws.brightness)
        if spec.noise:
            white = torch.randn(images.shape, generator=source, device=images.device)
            images = images.addcmul_(white, each(draws.noise))
        return images.clamp_(0, 1) if spec.contrast or spec.brightness or spec.noise else images
