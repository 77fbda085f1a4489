"""From uint8 views to what a net sees."""

from __future__ import annotations

from torch import Tensor

# A picture of one tone has deviation 0; this is a quarter of a grey level.
FLAT = 1e-3


def net_input(views: Tensor, normalise: str) -> Tensor:
    """(N, C, R, R) uint8, or floats in units of full scale → float32 as the recipe's `normalise` says."""
    return normalised(views if views.is_floating_point() else views.float().div_(255), normalise)


def normalised(images: Tensor, normalise: str) -> Tensor:
    """(N, C, R, R) in [0, 1] → the same (`unit`), or each picture with mean 0 and deviation 1 (`standard`)."""
    if normalise == "unit":
        return images
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    deviation = images.std(dim=(1, 2, 3), keepdim=True, correction=0)
    return (images - mean) / (deviation + FLAT)
