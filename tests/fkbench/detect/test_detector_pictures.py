"""Odd pictures made plain before any detector sees them."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.detect.pictures import as_picture, shrunk, to_bgr, to_grey, to_rgb
from fkbench.errors import FkbenchError


def test_every_kind_of_picture_becomes_grey_or_rgb_bytes():
    rgba = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(as_picture(rgba), rgba[:, :, :3])
    np.testing.assert_array_equal(as_picture(rgba[:, :, :2]), rgba[:, :, :1])
    np.testing.assert_array_equal(as_picture(rgba[:, :, 0])[:, :, 0], rgba[:, :, 0])
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    assert as_picture(deep)[:, :, 0].tolist() == [[0, 0, 1, 255]]
    assert as_picture(np.array([[True, False]]))[:, :, 0].tolist() == [[255, 0]]
    assert as_picture(rgba[:, ::-1]).flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("bad", [np.zeros(5, np.uint8), np.zeros((2, 2, 5), np.uint8), np.zeros((2, 2), np.float32)])
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(FkbenchError):
        as_picture(bad)


def test_colours_keep_their_order():
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 0] = 200
    assert to_bgr(red)[0, 0].tolist() == [0, 0, 200]
    assert to_rgb(red[:, :, :1])[0, 0].tolist() == [200, 200, 200]
    assert int(to_grey(red)[0, 0]) == 60  # .299 of red


def test_shrinking_says_the_way_back():
    image = np.zeros((30, 100, 1), np.uint8)
    small, back = shrunk(image, 50)
    assert small.shape == (15, 50, 1)
    assert back.tolist() == [2, 2, 2, 2]
    same, one = shrunk(image, 100)
    assert same is image
    assert one.tolist() == [1, 1, 1, 1]
    assert shrunk(np.zeros((1, 10_000, 3), np.uint8), 100)[0].shape == (1, 100, 3)
