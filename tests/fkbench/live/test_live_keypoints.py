"""The model on faces of a picture: what `predict_squares` gives, from the pixels that matter alone."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from live_drawings import around, face

from fkbench.datasets.samples import Frames
from fkbench.detect import Found
from fkbench.live.keypoints import predict_in, region
from fkbench.live.tracking import Tracker

SQUARES = np.array([
    [20.3, 30.7, 40.0, 40.0], [-10.0, -12.5, 150.0, 150.0], [90.0, 60.0, 200.5, 200.5], [70.2, 50.0, 64.0, 64.0],
    [151.0, 100.0, 30.0, 30.0],
])  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_as_the_run_gives_for_the_whole_picture(run, channels):
    run.model.input = (channels, 64)
    picture = np.random.default_rng(1).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    seen = []
    run.predictor.predict = lambda images: (
        seen.append(images) or images.reshape(len(images), -1)[:, :30].reshape(-1, 15, 2).astype(np.float32)
    )
    points = predict_in(run, picture, SQUARES)
    wanted = run.predict_squares(np.ascontiguousarray(picture[:, :, ::-1]), SQUARES)
    assert np.abs(seen[0].astype(int) - seen[1]).max() <= 2
    np.testing.assert_allclose(points, wanted, atol=2 * 200.5 / 64)


def test_points_lie_where_they_are_seen(run):
    points = predict_in(run, face(100, 70), np.array([[80.0, 50.0, 42.0, 42.0]]))[0]
    np.testing.assert_allclose(points.min(axis=0), [85, 55], atol=1)
    np.testing.assert_allclose(points.max(axis=0), [115, 85], atol=1)


def test_no_faces_no_work(run):
    assert predict_in(run, face(40, 60), np.zeros((0, 4))).shape == (0, 15, 2)
    assert run.predictor.batches == []


@pytest.mark.parametrize("square", [(-500.0, -500.0, 20.0, 20.0), (900.0, 50.0, 20.0, 20.0)])
def test_a_square_off_the_picture_still_has_a_pixel(square):
    left, top, right, bottom = region(np.array(square), 64, (120, 160, 3))
    assert 0 <= left < right <= 160
    assert 0 <= top < bottom <= 120


def test_predict_and_demo_look_at_the_same_squares(run):
    run.relation = np.array([1.2, 0.0, -0.1])  # what runs on whole frames have
    picture = np.maximum(face(50, 60), face(120, 60, 12))
    squares = np.concatenate([around(50, 60), around(120, 60, 12)]) + np.array([4.0, -5.0, 6.0, 6.0])
    detector = SimpleNamespace(
        find=lambda picture: Found(squares, np.full(2, np.nan)), squares=lambda found: found.boxes
    )
    _, looked, points = run.predict_faces(np.ascontiguousarray(picture[:, :, ::-1]), detector)
    assert (np.abs(looked - squares) > 1).any(axis=1).all()
    shown = Tracker(partial(predict_in, run), relation=run.relation).update(picture, 0.0, squares)
    np.testing.assert_allclose([each.square for each in shown], looked, atol=0.1)
    np.testing.assert_allclose([each.points for each in shown], points, atol=0.5)
    both = Frames.pack([np.ascontiguousarray(picture[:, :, ::-1])] * 2)
    np.testing.assert_allclose(run.look(both, looked), points, atol=0.5)
