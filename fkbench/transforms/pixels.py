"""Changes of brightness and sharpness of batches (N, C, H, W); points stay where they are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

WIDE_BLUR = 6.0 / 3.3
"""σ from which the Gaussian has 7 taps in place of 5: imgaug's rule, kernel 5 while 3.3 σ < 6."""
TAPS = 7


def each(values: Tensor) -> Tensor:
    """(N,) → (N, 1, 1, 1)."""
    return values[:, None, None, None]


def adjust_contrast(images: Tensor, factor: Tensor, brightness: Tensor) -> Tensor:
    """Contrast about each picture's mean times `factor` (N,), brightness by a share of it (N,). Not clipped."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * each(factor) + mean * (1 + each(brightness))


def gain(images: Tensor, factor: Tensor) -> Tensor:
    """Brightness times `factor` (N,), not clipped: what imgaug's LinearContrast does to floats, whose middle is 0."""
    return images * each(factor)


def binomial_blur(images: Tensor) -> Tensor:
    """3 × 3 binomial blur [1 2 1]⊗[1 2 1]/16 with repeated borders."""
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 16


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur by σ (N,) pixels of each picture, 5 × 5 taps (7 × 7 from σ = 1.82), mirrored borders; σ 0: none."""
    count, channels, height, width = images.shape
    reach = TAPS // 2
    offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    taps = torch.exp(-0.5 * (offsets / sigma.clamp_min(1e-3).unsqueeze(1)).square())
    narrow = (sigma < WIDE_BLUR).unsqueeze(1) & (offsets.abs() == reach)
    taps = taps.masked_fill(narrow, 0.0)
    kernel = (taps / taps.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = functional.pad(images, (reach,) * 4, mode="reflect").reshape(1, count * channels, height + 2 * reach, -1)
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=count * channels)
    flat = functional.conv2d(flat, kernel[:, None, None, :], groups=count * channels)
    return flat.reshape(count, channels, height, width)


def sharpen(images: Tensor, factor: float) -> Tensor:
    """Sharpness by `factor`: 0 blurs, 1 leaves, 2 sharpens; in [0, 1].

    blend = factor · image + (1 − factor) · smooth, clamped to [0, 1], where smooth is the 3 × 3 mean with centre
    weight 5 of 13, interior pixels only (the definition of PIL's and torchvision's sharpness adjustment).
    """
    smooth = images.clone()
    ring = functional.avg_pool2d(images, 3, stride=1) * 9 + 4 * images[:, :, 1:-1, 1:-1]
    smooth[:, :, 1:-1, 1:-1] = ring / 13
    return (factor * images + (1 - factor) * smooth).clamp_(0, 1)
