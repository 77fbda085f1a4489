"""Harder pictures: the same on every call, and labels that move with the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.datasets.samples import Frames, Samples
from fkbench.detect.scenes import CELL, SINGLE, chosen_rows, harder_scenes, plain_scenes, spread_out

SPOTS = np.array([[40, 40], [80, 40], [60, 80]], np.float32)


def samples(count: int = 8) -> Samples:
    """Black frames with bright spots where the keypoints are, each of another size."""
    frames, points = [], []
    for i in range(count):
        frame = np.zeros((130 + i, 150, 3), np.uint8)
        for x, y in (SPOTS + i).astype(int):
            frame[y - 2 : y + 3, x - 2 : x + 3] = 255
        frames.append(frame)
        points.append(SPOTS + i)
    names = tuple(f"frame{i}" for i in range(count))
    return Samples(names, Frames.pack(frames), np.array(points), tuple(f"p{i // 2}" for i in range(count)), "sha256:x")


@pytest.mark.parametrize("kind", ["rotated", "small", "several"])
def test_labels_lie_on_the_spots(kind):
    scenes = list(dict(harder_scenes(samples(), range(8)))[kind])
    assert len(scenes) == (2 if kind == "several" else 8)
    for scene in scenes:
        assert len(scene.points) == (4 if kind == "several" else 1)
        for x, y in scene.points.reshape(-1, 2):
            column, row = round(float(x)), round(float(y))
            near = scene.image[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2, 0].astype(int)
            ground = np.median(scene.image[:, :, 0])
            assert near.max() > ground + 25, (kind, x, y)


def test_a_spot_moves_to_the_tenth_of_a_pixel():
    scene = SINGLE["rotated"](next(plain_scenes(samples(), [0])))
    weight = scene.image[:, :, 0].astype(float)
    for x, y in scene.points[0]:
        left, top = int(x) - 6, int(y) - 6
        part = weight[top : top + 13, left : left + 13]
        rows, columns = np.mgrid[top : top + 13, left : left + 13]
        assert (part * columns).sum() / part.sum() == pytest.approx(x, abs=0.1)
        assert (part * rows).sum() / part.sum() == pytest.approx(y, abs=0.1)


def test_the_same_pictures_every_time_and_other_ones_for_other_ids():
    first, again = ({k: list(v) for k, v in harder_scenes(samples(), range(8))} for _ in range(2))
    for kind in (*SINGLE, "several"):
        for one, two in zip(first[kind], again[kind], strict=True):
            np.testing.assert_array_equal(one.image, two.image)
            np.testing.assert_array_equal(one.points, two.points)
    sides = {round(float(scene.squares[0, 2]), 3) for scene in first["small"]}
    assert len(sides) == 8
    assert all(40 <= side <= 64.01 for side in sides)
    assert first["small"][0].image.shape == (480, 640, 3)
    assert first["several"][0].image.shape == (2 * CELL, 2 * CELL, 3)
    assert first["dark"][0].image.mean() < samples().frames[0].mean() / 2 + 5


def test_a_picture_of_several_shows_several_persons():
    data = samples()
    order = spread_out(data, range(8))
    assert sorted(order) == list(range(8))
    assert len({data.group[row] for row in order[:4]}) == 4


def test_a_choice_of_rows_does_not_depend_on_the_others():
    data = samples()
    some = chosen_rows(data, list(range(8)), 3, "x")
    assert len(some) == 3
    assert some == sorted(some)
    assert chosen_rows(data, some, 3, "x") == some
    assert set(chosen_rows(data, [row for row in range(8) if row != (set(range(8)) - set(some)).pop()], 3, "x")) == set(
        some
    )
