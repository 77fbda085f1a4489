"""Augmentation made before training: each stage keeps every row and puts a changed copy beside it (see `Stage`)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fkbench.specs import Recipe, Stage
from fkbench.train.resident import Resident
from fkbench.transforms.affine import linear_maps, move_points, pixel_grid, sample_pictures
from fkbench.transforms.pixels import gain, gaussian_blur

CHUNK = 512


def expand(rows: Resident, stages: tuple[Stage, ...], source: torch.Generator) -> Resident:
    """All rows after all stages: 2^stages times as many, each row's copies next to it, as float32.

    Args:
        rows: views; a margin is cut off.
        source: CPU generator for all draws.
    """
    if not stages:
        return rows
    rows = rows.without_margin()
    images = rows.images.float().div_(255)
    points, valid, unit = rows.points, rows.valid, rows.unit
    for stage in stages:
        changed, moved = _changed(stage, images, points, source)
        images, points = _beside(images, changed), _beside(points, moved)
        valid, unit = _beside(valid, valid), _beside(unit, unit)
    return Resident(images, points, valid, unit)


def pool_parts(count: int, share: float, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random parting of `count` rows whose second part is `share` of them, as articles part *after* augmenting."""
    order = torch.randperm(count, generator=source)
    held = _held(count, share)
    return order[held:], order[:held]


def rows_after(recipe: Recipe, count: int) -> int:
    """How many rows a recipe trains on that is given `count`: after its stages, without what it holds out of them."""
    pool = count << len(recipe.stages)
    return pool - _held(pool, recipe.pool_split)


def _held(count: int, share: float) -> int:
    return math.ceil(share * count)


def _beside(one: Tensor, two: Tensor) -> Tensor:
    return torch.stack([one, two], dim=1).flatten(0, 1)


def _changed(stage: Stage, images: Tensor, points: Tensor, source: torch.Generator) -> tuple[Tensor, Tensor]:
    count, size = len(images), images.shape[-1]
    uniform = torch.rand(count, 4, generator=source).to(images.device)
    factor = _within(stage.gain, uniform[:, 0])
    sigma = torch.where(uniform[:, 1] < stage.blur_p, _within(stage.blur, uniform[:, 2]), 0.0)
    angle = torch.full_like(factor, math.radians(stage.rotation))
    maps = linear_maps(angle, _within(stage.scale, uniform[:, 3]), torch.zeros(count, dtype=torch.bool))
    still = torch.zeros(count, 2, device=images.device)
    grid = pixel_grid(size, size, images.device)
    out = torch.empty_like(images)
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        picture = images[part]
        if stage.gain != (1.0, 1.0):
            picture = gain(picture, factor[part])
        if stage.blur_p:
            picture = gaussian_blur(picture, sigma[part])
        if stage.rotation or stage.scale != (1.0, 1.0):
            picture = sample_pictures(picture, maps[part], still[part], grid, outside="zeros")
        out[part] = picture.flip(3) if stage.mirror else picture
    if stage.rotation or stage.scale != (1.0, 1.0):
        # Libraries of this kind (imgaug) turn points about half the side, not about the middle pixel's centre.
        points = move_points(points, maps, still, size / 2)
    if stage.mirror:
        points = torch.stack([size - points[..., 0], points[..., 1]], dim=2)
    return out, points


def _within(bounds: tuple[float, float], uniform: Tensor) -> Tensor:
    low, high = bounds
    return low + (high - low) * uniform
