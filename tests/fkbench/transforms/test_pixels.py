"""Brightness and sharpness of batches against their definitions; maps of pictures and points against each other."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from fkbench.train.streams import generator
from fkbench.transforms.affine import linear_maps, move_points, pixel_grid, sample_pictures
from fkbench.transforms.pixels import adjust_contrast, gain, gaussian_blur


def pictures(count: int = 3, size: int = 24) -> torch.Tensor:
    return torch.rand(count, 1, size, size, generator=generator(0, "pictures"))


@pytest.mark.parametrize("sigma", [0.3, 1.0, 1.81, 1.83, 2.0])
def test_a_gaussian_blur_is_opencvs_with_imgaugs_kernel_sizes(sigma):
    images = pictures()
    taps = 5 if 3.3 * sigma < 6 else 7
    expected = [cv2.GaussianBlur(i[0].numpy(), (taps, taps), sigma, borderType=cv2.BORDER_REFLECT_101) for i in images]
    blurred = gaussian_blur(images, torch.full((3,), sigma))
    np.testing.assert_allclose(blurred[:, 0].numpy(), np.stack(expected), atol=1e-5)


def test_each_picture_has_its_own_blur_and_none_at_zero():
    images = pictures()
    blurred = gaussian_blur(images, torch.tensor([0.0, 1.0, 2.0]))
    torch.testing.assert_close(blurred[0], images[0])
    torch.testing.assert_close(blurred[2], gaussian_blur(images[2:], torch.tensor([2.0]))[0])
    assert float(blurred[1].std()) > float(blurred[2].std())


def test_gain_is_not_clipped_and_contrast_keeps_the_mean():
    images = pictures()
    torch.testing.assert_close(gain(images, torch.tensor([1.5, 1.0, 0.6]))[0], images[0] * 1.5)
    changed = adjust_contrast(images, torch.tensor([0.5, 1.0, 2.0]), torch.zeros(3))
    torch.testing.assert_close(changed.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)))
    torch.testing.assert_close(changed.std(dim=(1, 2, 3)) / images.std(dim=(1, 2, 3)), torch.tensor([0.5, 1.0, 2.0]))


def test_a_positive_angle_turns_clockwise_on_the_screen_and_the_picture_goes_with_its_points():
    size = 33
    images = torch.zeros(1, 1, size, size)
    images[0, 0, 16, 28] = 1  # right of the middle
    angle = torch.tensor([math.radians(90)])
    linear = linear_maps(angle, torch.ones(1), torch.zeros(1, dtype=torch.bool))
    turned = sample_pictures(images, linear, torch.zeros(1, 2), pixel_grid(size, size, torch.device("cpu")))
    moved = move_points(torch.tensor([[[28.0, 16.0]]]), linear, torch.zeros(1, 2), (size - 1) / 2)
    torch.testing.assert_close(moved, torch.tensor([[[16.0, 28.0]]]))  # below the middle: y grows down
    assert float(turned[0, 0, 28, 16]) == pytest.approx(1, abs=1e-4)


def test_maps_mirror_before_they_turn_and_grow_about_the_middle():
    linear = linear_maps(torch.tensor([math.radians(90)]), torch.tensor([2.0]), torch.tensor([True]))
    moved = move_points(torch.tensor([[[13.0, 10.0]]]), linear, torch.zeros(1, 2), 10.0)
    torch.testing.assert_close(moved, torch.tensor([[[10.0, 4.0]]]))  # 3 right → 3 left → 3 up → 6 up
