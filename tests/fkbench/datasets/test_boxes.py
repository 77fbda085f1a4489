"""Boxes: reference squares by hand, and a jitter that belongs to the sample alone."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
import torch

from fkbench.datasets.boxes import check_box, find_boxes, jittered, reference_squares, squared, whole_frames
from fkbench.datasets.samples import Frames, Samples
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.registry import load_registry
from fkbench.specs import DatasetSpec, DetectorSpec

NAMES = tuple(f"face-{i:04d}" for i in range(2000))


@pytest.fixture
def squares():
    rng = np.random.default_rng(8)
    side = rng.uniform(20, 400, len(NAMES))
    return np.column_stack([rng.uniform(-50, 500, (len(NAMES), 2)), side, side])


def centres(boxes):
    return boxes[:, :2] + boxes[:, 2:] / 2


def test_reference_squares_by_hand():
    wide = [[10, 20], [50, 40], [30, 30]]  # 40 × 20: side 50, centre of the pixels (30, 30), which is (30.5, 30.5)
    tall = [[-4, 0], [4, 80], [np.nan, np.nan]]  # 8 × 80: side 100 about (0.5, 40.5); a missing point says nothing
    dot = [[7, 9], [7, 9], [7, 9]]  # counts as one pixel
    found = reference_squares(np.array([wide, tall, dot], np.float32))
    expected = [[5.5, 5.5, 50, 50], [-49.5, -9.5, 100, 100], [6.875, 8.875, 1.25, 1.25]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:All-NaN")
def test_a_face_without_points_has_no_square_and_spoils_no_other():
    points = np.full((2, 3, 2), np.nan, np.float32)
    points[1] = [[0, 0], [8, 8], [4, 4]]
    found = reference_squares(points)
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1], [-0.5, -0.5, 10, 10])


def test_squared_is_the_smallest_square_about_the_same_centre():
    boxes = np.array([[10.0, 20, 30, 50], [10, 20, 50, 30], [1, 2, 4, 4]])
    np.testing.assert_array_equal(squared(boxes), [[0, 20, 50, 50], [10, 10, 50, 50], [1, 2, 4, 4]])


def test_jitter_stays_within_its_share_of_the_side_and_uses_it_up(squares):
    moved = jittered(squares, NAMES, 0.05)
    np.testing.assert_array_equal(moved[:, 2], moved[:, 3])
    shift = (centres(moved) - centres(squares)) / squares[:, 2:]
    resized = moved[:, 2] / squares[:, 2] - 1
    for share in (shift[:, 0], shift[:, 1], resized):
        assert np.abs(share).max() <= 0.05 + 1e-12
        assert share.min() < -0.049
        assert share.max() > 0.049
        assert abs(share.mean()) < 0.002  # three deviations of the mean of 2000 uniform numbers
    assert np.abs(np.corrcoef([shift[:, 0], shift[:, 1], resized]) - np.eye(3)).max() < 0.1


def test_jitter_by_hand():
    def draw(axis: str) -> float:
        digest = hashlib.sha256(f"box-jitter\0anna\0{axis}".encode()).digest()
        return 2 * int.from_bytes(digest[:8], "big") / 2**64 - 1

    x, y, s = (0.1 * draw(axis) for axis in "xys")
    side = 40 * (1 + s)
    expected = [[30 + 40 * x - side / 2, 50 + 40 * y - side / 2, side, side]]
    np.testing.assert_allclose(jittered(np.array([[10.0, 30, 40, 40]]), ("anna",), 0.1), expected, rtol=1e-12)


def test_jitter_does_not_depend_on_order_or_on_other_samples(squares):
    whole = jittered(squares, NAMES, 0.05)
    np.testing.assert_array_equal(jittered(squares[::-1], NAMES[::-1], 0.05), whole[::-1])
    np.testing.assert_array_equal(jittered(squares[70:73], NAMES[70:73], 0.05), whole[70:73])
    assert len(np.unique(whole[:, 2] / squares[:, 2])) == len(NAMES)


def test_jitter_is_the_same_under_every_seed(squares):
    found = []
    for seed in (0, 1):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        found.append(jittered(squares[:20], NAMES[:20], 0.05))
    np.testing.assert_array_equal(*found)


def test_no_jitter_changes_nothing(squares):
    np.testing.assert_array_equal(jittered(squares.copy(), NAMES, 0.0), squares)


# --- boxes of a detector ------------------------------------------------------------------------------------------


def faces() -> Samples:
    frames = Frames.pack([np.zeros((40, 60), np.uint8), np.zeros((50, 30, 3), np.uint8)])
    return Samples(("a", "b"), frames, np.zeros((2, 15, 2), np.float32), ("a", "b"), "x")


def test_whole_frames():
    np.testing.assert_array_equal(whole_frames(faces()), [[0, 0, 60, 40], [0, 0, 30, 50]])


def test_a_missed_face_gets_the_whole_frame_and_all_become_square():
    def boxes(samples, settings):
        assert settings == {"level": 3}
        return np.array([[10.0, 20, 30, 50], [np.nan] * 4])

    found, missed = find_boxes(DetectorSpec(name="half", boxes=boxes), faces(), {"level": 3})
    np.testing.assert_array_equal(missed, [False, True])
    np.testing.assert_array_equal(found, [[0, 20, 50, 50], [-10, 0, 50, 50]])


def test_boxes_of_a_wrong_shape_name_the_detector():
    spec = DetectorSpec(name="bad", boxes=lambda samples, settings: np.zeros((1, 4)))
    with pytest.raises(FkbenchError, match=r"'bad' gave boxes of shape \(1, 4\) for 2 pictures"):
        find_boxes(spec, faces(), {})


def test_a_box_must_make_sense_for_the_dataset():
    registry = load_registry()
    crops = DatasetSpec(name="crops", scheme="face15", load=faces)
    frames = DatasetSpec(name="frames", scheme="face15", load=faces, boxes=("frame", "truth"))
    assert check_box(crops, registry, "frame").name == "frame"
    assert check_box(frames, registry, "truth").name == "truth"
    with pytest.raises(FkbenchError, match="crops cannot use the box 'truth'"):
        check_box(crops, registry, "truth")
    with pytest.raises(UnknownNameError):
        check_box(frames, registry, "trouth")
