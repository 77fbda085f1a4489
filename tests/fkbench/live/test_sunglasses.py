"""Sunglasses: drawn, put on by the eye corners, safe at every border."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.errors import FkbenchError
from fkbench.live.sunglasses import artwork, eye_line, inner_corners, placed, put_fixed, put_on
from fkbench.schemes import FACE15, FACE68

SCHEMES = [FACE15, FACE68]


def points_of(scheme, x=100.0, y=80.0, size=120.0, degrees=0.0):
    """The scheme's layout about (x, y), turned."""
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (np.array(scheme.layout) - [0.5, 0.5]) @ rotation.T * size + [x, y]


def eyes(scheme, points):
    return [points[list(end)].mean(axis=0) for end in eye_line(scheme)]


def worn(scheme, points, shape=(200, 240)):
    """Where the picture changed, and the picture."""
    canvas = np.full((*shape, 3), 200, np.uint8)
    put_on(canvas, points, eye_line(scheme))
    return (canvas != 200).any(axis=2), canvas


def test_the_drawing_is_smooth_and_its_colours_are_multiplied_by_alpha():
    art = artwork()
    assert art.shape == (320, 800, 4)
    assert (art[:, :, :3].max(axis=2) <= art[:, :, 3]).all()
    partly = ((art[:, :, 3] > 20) & (art[:, :, 3] < 150)).sum()
    assert 200 < partly < 20_000  # soft edges, not a hard mask
    assert 150 < art[150, 250, 3] < 250  # one looks through the lens
    assert art[90, 400, 3] == 255  # and not through the bridge
    edge = np.concatenate([art[0], art[-1], art[:, 0], art[:, -1]])
    assert edge[:, 3].max() == 0


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: s.name)
@pytest.mark.parametrize("degrees", [0, 30, -75, 180])
def test_they_sit_on_the_eyes_whichever_way_the_face_is_turned(scheme, degrees):
    points = points_of(scheme, 120, 100, 130, degrees)
    changed, _ = worn(scheme, points)
    one, two = eyes(scheme, points)
    for corner in (one, two):
        x, y = np.rint(corner).astype(int)
        assert changed[y, x]
    rows, columns = np.nonzero(changed)
    middle = (one + two) / 2
    assert np.hypot(columns.mean() - middle[0], rows.mean() - middle[1]) < 0.1 * np.hypot(*(one - two))
    along = (np.stack([columns, rows], axis=1) - middle) @ (two - one) / np.hypot(*(two - one))
    assert np.ptp(along) == pytest.approx(1.44 * np.hypot(*(two - one)), rel=0.06)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: s.name)
def test_up_is_away_from_the_mouth_in_either_order_of_the_eyes(scheme):
    for degrees in (0, 120):
        points = points_of(scheme, degrees=degrees)
        place = placed(points, eye_line(scheme))
        assert np.linalg.det(place[:, :2]) > 0  # never mirrored
        turn = np.degrees(np.arctan2(place[1, 0], place[0, 0]))
        assert turn == pytest.approx(degrees, abs=1e-3)


@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (239, 0), (0, 199), (239, 199), (-40, 90), (120, 230), (-900, 50), (1e7, 0)]
)
@pytest.mark.parametrize("degrees", [0, 45])
def test_borders_cut_them_off_and_nothing_else_changes(x, y, degrees):
    points = points_of(FACE15, x, y, 130, degrees)
    cut, canvas = worn(FACE15, points)
    wide = np.full((1000, 1040, 3), 200, np.uint8)
    put_on(wide, points + 400, eye_line(FACE15))
    if abs(x) < 500:
        np.testing.assert_allclose(canvas.astype(int), wide[400:600, 400:640], atol=3)
    else:
        assert not cut.any()


@pytest.mark.parametrize("put", [put_on, put_fixed])
def test_points_without_a_place_change_nothing(put):
    canvas = np.full((50, 50, 3), 90, np.uint8)
    put(canvas, np.full((15, 2), np.nan), ((3,), (5,)))
    assert (canvas == 90).all()
    put_on(canvas, np.full((15, 2), 25.0), ((3,), (5,)))
    assert (canvas == 90).all()


def test_a_tiny_face_wears_a_speck_and_a_huge_one_fills_the_picture():
    tiny, _ = worn(FACE68, points_of(FACE68, size=4))
    rows, columns = np.nonzero(tiny)
    assert 0 < len(rows) < 20
    assert np.abs(columns - 100).max() < 4
    assert np.abs(rows - 80).max() < 4
    points = points_of(FACE68, size=3000)
    lens, _ = eyes(FACE68, points)
    huge, _ = worn(FACE68, points - lens + [120, 100])  # a lens in the middle of the picture
    assert huge.all()


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda s: s.name)
def test_the_fixed_placement_is_200_by_100_about_the_inner_corners(scheme):
    for size, degrees in ((60, 0), (300, 40)):
        points = points_of(scheme, 300, 250, size, degrees)
        canvas = np.full((500, 600, 3), 200, np.uint8)
        put_fixed(canvas, points, inner_corners(scheme))
        rows, columns = np.nonzero((canvas != 200).any(axis=2))
        one, two = (points[list(end)].mean(axis=0).astype(int) for end in inner_corners(scheme))
        x, y = (one + two) // 2
        assert x - 100 <= columns.min() < x - 80
        assert x + 80 < columns.max() < x + 100
        assert y - 50 <= rows.min()
        assert rows.max() < y + 50


@pytest.mark.parametrize(("x", "y"), [(5, 5), (235, 195), (-300, 100), (120, 900)])
def test_the_fixed_placement_is_safe_at_the_border(x, y):
    canvas = np.full((200, 240, 3), 200, np.uint8)
    put_fixed(canvas, points_of(FACE15, x, y), inner_corners(FACE15))
    assert (canvas != 200).any() == (abs(x) < 250 and abs(y) < 250)


def test_corners_are_found_by_name():
    assert inner_corners(FACE15) == ((2,), (4,))
    assert inner_corners(FACE68) == ((42,), (39,))
    assert eye_line(FACE15) == ((3,), (5,))


def test_a_scheme_without_eye_corners_gets_a_clear_line():
    bare = replace(FACE15, name="bare", points=tuple(f"p{i}" for i in range(15)), normalisers={})
    with pytest.raises(FkbenchError, match="'bare' does not say which points are the outer eye corners"):
        eye_line(bare)
    with pytest.raises(FkbenchError, match="'bare' has no inner eye corners"):
        inner_corners(bare)
