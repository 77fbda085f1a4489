"""Rotation, scaling, shift and mirror of batches: one map and one sampling for each picture, points by the same map.

An output pixel o is taken from input pixel A·(o − m) + m + pad + t, with m the middle of the output, A a rotation times
a size (times a mirror), t the shift; points go the other way by the inverse.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def linear_maps(angle: Tensor, factor: Tensor, mirror: Tensor) -> Tensor:
    """The maps A.

    Args:
        angle: (N,) radians by which the picture turns, clockwise on the screen (y down).
        factor: (N,) by which it grows.
        mirror: (N,) bool, left and right change places before it turns.

    Returns:
        (N, 2, 2).
    """
    cos, sin = torch.cos(angle) / factor, torch.sin(angle) / factor
    sign = 1.0 - 2.0 * mirror.float()
    return torch.stack([cos * sign, sin * sign, -sin, cos], dim=1).view(-1, 2, 2)


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """(height · width, 2) x, y of the output's pixels from its middle."""
    x = torch.arange(width, device=device, dtype=torch.float32) - (width - 1) / 2
    y = torch.arange(height, device=device, dtype=torch.float32) - (height - 1) / 2
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


def sample_pictures(
    images: Tensor, linear: Tensor, shift: Tensor, grid: Tensor, *, pad: int = 0, outside: str = "border"
) -> Tensor:
    """Pictures through the maps, bilinear.

    Args:
        images: (N, C, H, W) floats, with the margin `pad` around the output's size.
        linear, shift: (N, 2, 2) and (N, 2).
        grid: of the output, from `pixel_grid`.
        outside: `border` repeats the edge, `zeros` is black.

    Returns:
        (N, C, H − 2 · pad, W − 2 · pad).
    """
    height, width = images.shape[-2:]
    sides = torch.tensor([width, height], dtype=torch.float32).to(grid.device, non_blocking=True)
    source = grid @ linear.transpose(1, 2) + (shift + (sides - 1) / 2).unsqueeze(1)
    # grid_sample with align_corners=False: pixel centre c lies at (2c + 1)/side − 1.
    where = ((2 * source + 1) / sides - 1).unflatten(1, (height - 2 * pad, width - 2 * pad))
    return functional.grid_sample(images, where, mode="bilinear", padding_mode=outside, align_corners=False)


def move_points(points: Tensor, linear: Tensor, shift: Tensor, middle: float | Tensor, *, pad: int = 0) -> Tensor:
    """Points (N, K, 2) of the input through the inverse maps, in pixels of the output; (middle, middle) stays."""
    relative = points - (shift + middle + pad).unsqueeze(1)
    # The inverse of a 2 × 2 in closed form: solvers would wait for the host on a GPU.
    a, b, c, d = linear.flatten(1).unsqueeze(2).unbind(1)
    determinant = a * d - b * c
    x, y = relative.unbind(2)
    return torch.stack([(d * x - b * y) / determinant, (a * y - c * x) / determinant], dim=2) + middle
