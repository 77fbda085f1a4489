"""Augmentation: pictures and points move together, masks follow, and every step does what it is called."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fkbench.specs import Augmentation
from fkbench.train.augment import Augmenter, draw
from fkbench.train.streams import generator
from fkbench.transforms.pixels import sharpen

CPU = torch.device("cpu")
ORDER = [1, 0, 2]  # points 0 and 1 are a pair


def blob_canvas(points: torch.Tensor, side: int) -> torch.Tensor:
    """(N, 1, side, side) uint8 with a bright Gaussian at the last point of each sample."""
    axis = torch.arange(side).float()
    x, y = points[:, 2, 0, None, None], points[:, 2, 1, None, None]
    squared = (axis[None, None, :] - x) ** 2 + (axis[None, :, None] - y) ** 2
    return (255 * torch.exp(-squared / 8)).to(torch.uint8).unsqueeze(1)


def centroid(images: torch.Tensor) -> torch.Tensor:
    axis = torch.arange(images.shape[-1]).float()
    weight = images[:, 0] / images[:, 0].sum(dim=(1, 2), keepdim=True)
    return torch.stack([(weight * axis).sum(dim=(1, 2)), (weight * axis[:, None]).sum(dim=(1, 2))], dim=1)


@pytest.mark.parametrize("pad", [0, 16])
def test_a_blob_stays_on_its_point(pad: int):
    size, count = 64, 40
    points = torch.rand(count, 3, 2, generator=generator(0, "points")) * 16 + 24 + pad
    canvas = blob_canvas(points, size + 2 * pad)
    spec = Augmentation(flip=0.5, rotation=20, scale=0.15, shift=0.05)
    draws = draw(spec, count, size, generator(1, "draws"))
    augmenter = Augmenter(spec, size, pad, ORDER, CPU)
    valid = torch.ones(count, 3, dtype=torch.bool)
    images, moved, _ = augmenter(canvas, points, valid, draws, generator(2, "noise"))
    assert images.shape == (count, 1, size, size)
    assert (centroid(images) - moved[:, 2]).abs().max() < 0.15
    assert (moved[:, 2] - points[:, 2]).abs().max() > 2  # it did move


def test_a_flip_mirrors_exactly_and_swaps_pairs_with_their_masks():
    size = 8
    canvas = torch.randint(0, 256, (2, 1, size, size), dtype=torch.uint8)
    points = torch.tensor([[[1.0, 2.0], [6.0, 3.0], [4.0, 5.0]]]).repeat(2, 1, 1)
    valid = torch.tensor([[True, False, True]]).repeat(2, 1)
    spec = Augmentation(flip=1.0)
    draws = draw(spec, 2, size, generator(0, "x"))
    images, moved, mask = Augmenter(spec, size, 0, ORDER, CPU)(canvas, points, valid, draws, generator(0, "n"))
    torch.testing.assert_close(images, canvas.flip(3).float() / 255, atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[0], torch.tensor([[1.0, 3.0], [6.0, 2.0], [3.0, 5.0]]))
    assert mask[0].tolist() == [False, True, True]


def test_no_augmentation_is_the_middle_of_the_canvas():
    canvas = torch.randint(0, 256, (3, 1, 12, 12), dtype=torch.uint8)
    points = torch.full((3, 3, 2), 5.0)
    spec = Augmentation()
    draws = draw(spec, 3, 8, generator(0, "x"))
    images, moved, _ = Augmenter(spec, 8, 2, ORDER, CPU)(canvas, points, torch.ones(3, 3) > 0, draws, generator(0, "n"))
    assert torch.equal(images, canvas[:, :, 2:10, 2:10].float() / 255)
    assert torch.equal(moved, points - 2)


def test_photometric_steps_keep_range_and_points_and_act_on_each_picture_alone():
    count = 64
    canvas = torch.full((count, 1, 16, 16), 128, dtype=torch.uint8)
    points = torch.rand(count, 3, 2) * 15
    spec = Augmentation(contrast=0.25, brightness=0.25, blur=0.5, noise=0.05)
    draws = draw(spec, count, 16, generator(3, "x"))
    images, moved, _ = Augmenter(spec, 16, 0, ORDER, CPU)(
        canvas, points, torch.ones(count, 3) > 0, draws, generator(3, "n")
    )
    assert torch.equal(moved, points)
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    means = images.mean(dim=(1, 2, 3)) / (128 / 255)
    torch.testing.assert_close(means, 1 + draws.brightness, atol=0.02, rtol=0)
    assert float(means.std()) > 0.1


def test_sharpness_is_the_definition_computed_by_hand():
    image = torch.rand(1, 1, 5, 6, generator=generator(4, "s"))
    array = image[0, 0].numpy().astype(np.float64)
    expected = array.copy()
    for y in range(1, 4):
        for x in range(1, 5):
            block = array[y - 1 : y + 2, x - 1 : x + 2]
            smooth = (block.sum() + 4 * array[y, x]) / 13
            expected[y, x] = min(max(2 * array[y, x] - smooth, 0), 1)
    np.testing.assert_allclose(sharpen(image, 2.0)[0, 0].numpy(), expected, atol=1e-6)
    assert torch.equal(sharpen(image, 1.0), image)


def test_draws_depend_on_the_stream_alone_and_have_the_stated_spread():
    spec = Augmentation(flip=0.5, rotation=12, scale=0.1, shift=0.04)
    one, two = (draw(spec, 4000, 96, generator(5, "a", 1)) for _ in range(2))
    assert torch.equal(one.linear, two.linear)
    assert not torch.equal(one.linear, draw(spec, 4000, 96, generator(5, "a", 2)).linear)
    assert abs(float(one.flip.float().mean()) - 0.5) < 0.03
    assert abs(float(one.shift.std()) / 96 - 0.04) < 0.003
    angle = torch.rad2deg(torch.atan2(-one.linear[:, 1, 0], one.linear[:, 1, 1]))
    assert abs(float(angle.std()) - 12) < 0.8
