"""Faces are followed by their keypoints between detections, and given up when they are lost."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from live_drawings import around, face

from fkbench.live.keypoints import predict_in
from fkbench.live.tracking import PATIENCE, Tracker


@pytest.fixture
def tracker(run):
    return Tracker(partial(predict_in, run))


def centre(face):
    return (face.points.min(axis=0) + face.points.max(axis=0)) / 2


def test_a_moving_face_is_followed_without_the_detector(tracker):
    tracker.update(face(40, 60), 0.0, around(40, 60))
    for step in range(1, 20):
        (found,) = tracker.update(face(40 + 4 * step, 60), step / 20)
        assert found.number == 1
        np.testing.assert_allclose(centre(found), [40 + 4 * step, 60], atol=1.0)
        assert found.square[2] == pytest.approx(37.5, rel=0.1)


def test_the_view_between_detections_stays_the_detectors(tracker):
    # a detector whose boxes are larger and higher than the reference square
    wide = around(80, 60) * [1, 1, 1.4, 1.4] - [7.5, 12, 0, 0]
    for step in range(9):
        (found,) = tracker.update(face(80, 60), step / 20, wide if step == 0 else None)
        np.testing.assert_allclose(found.square, wide[0], atol=1.5)


def test_a_new_square_of_a_known_face_is_the_same_face(tracker):
    tracker.update(face(40, 60), 0.0, around(40, 60))
    (found,) = tracker.update(face(44, 60), 0.1, around(44, 61), [0.7])
    assert (found.number, found.score) == (1, 0.7)
    np.testing.assert_allclose(found.square, around(44, 61)[0])


def test_several_faces_go_in_one_batch_and_keep_their_numbers(tracker, run):
    both = np.maximum(face(40, 60), face(120, 60))
    tracker.update(both, 0.0, np.vstack([around(40, 60), around(120, 60)]))
    moved = np.maximum(face(44, 60), face(116, 62))
    found = tracker.update(moved, 0.1, np.vstack([around(116, 62), around(44, 60)]))
    assert run.predictor.batches == [2, 2]
    assert {one.number: round(centre(one)[0]) for one in found} == {1: 44, 2: 116}


def test_a_face_that_leaves_the_picture_is_lost(tracker):
    tracker.update(face(140, 60), 0.0, around(140, 60))
    counts = [len(tracker.update(face(140 + 5 * step, 60), step / 20)) for step in range(1, 10)]
    assert counts[0] == 1
    assert counts[-1] == 0
    assert not tracker.tracks


def test_points_that_leap_or_spread_are_no_face(tracker):
    tracker.update(face(40, 60), 0.0, around(40, 60))
    assert len(tracker.update(face(40, 60, radius=18), 0.05)) == 1
    blown_up = np.full_like(face(40, 60), 240)  # all bright: the points fill any view, and the views grow
    assert [len(tracker.update(blown_up, 0.1 + i / 20)) for i in range(6)][-1] == 0
    tracker.update(face(40, 60), 0.2, around(40, 60))
    assert not tracker.update(face(58, 75, radius=2), 0.25)


def test_points_that_are_no_numbers_end_it(tracker):
    tracker.update(face(40, 60), 0.0, around(40, 60))
    assert tracker.update(face(500, 500), 0.1) == []
    assert tracker.update(face(500, 500), 0.1, around(40, 60)) == []


def test_a_face_that_the_detector_goes_on_missing_is_given_up(tracker):
    tracker.update(face(40, 60), 0.0, around(40, 60))
    nothing = np.zeros((0, 4))
    counts = [len(tracker.update(face(40, 60), step / 20, nothing)) for step in range(PATIENCE + 1)]
    assert counts == [1] * PATIENCE + [0]


def test_two_that_came_to_follow_one_face_become_one(tracker):
    both = np.maximum(face(60, 60), face(82, 60))
    tracker.update(both, 0.0, np.vstack([around(60, 60), around(82, 60)]))
    tracker.update(face(60, 60), 0.05, around(60, 60))
    for step in range(3):
        found = tracker.update(face(60, 60), 0.1 + step / 20)
    assert [one.number for one in found] == [1]


def test_smoothing_is_for_the_eye_alone(run):
    shaken = [face(60 + (-1) ** i, 60) for i in range(40)]
    rough, calm = (Tracker(partial(predict_in, run), smooth=smooth) for smooth in (False, True))
    tracks = []
    for tracker in (rough, calm):
        found = [tracker.update(p, i / 30, around(60, 60) if i == 0 else None)[0] for i, p in enumerate(shaken)]
        tracks.append((np.array([f.points for f in found[10:]]), np.array([f.square for f in found])))
    assert np.abs(np.diff(tracks[1][0], axis=0)).mean() < 0.6 * np.abs(np.diff(tracks[0][0], axis=0)).mean()
    np.testing.assert_array_equal(tracks[0][1], tracks[1][1])


def test_forgetting_begins_anew(tracker):
    tracker.update(face(40, 60), 0.0, around(40, 60))
    tracker.forget()
    assert tracker.update(face(40, 60), 0.1) == []
    assert tracker.update(face(40, 60), 0.2, around(40, 60))[0].number == 2


def test_a_track_that_strayed_from_a_face_that_is_found_anew_is_dropped(tracker):
    tracker.update(face(60, 60), 0.0, around(60, 60))
    tracker.tracks[0].square = around(85, 60)[0]  # overlaps the face too little to be taken for it
    both = np.maximum(face(60, 60), face(85, 60, radius=12))
    found = tracker.update(both, 0.1, around(60, 60))
    assert [one.number for one in found] == [2]


def test_detected_faces_are_looked_at_as_in_training(run):
    tracker = Tracker(partial(predict_in, run), relation=np.array([1.2, 0.0, -0.1]))
    off = around(80, 60) + np.array([4.0, -5.0, 6.0, 6.0])
    for step in range(4):
        (found,) = tracker.update(face(80, 60), step / 20, off if step in (0, 3) else None)
        side = 1.2 * 37.5
        np.testing.assert_allclose(found.square[:2] + found.square[2:] / 2, [80.5, 60.5 - 3.75], atol=1.0)
        np.testing.assert_allclose(found.square[2:], side, atol=1.5)


def test_who_was_trained_on_detected_squares_sees_them_as_they_are(run):
    tracker = Tracker(partial(predict_in, run), relation=np.array([1.0, 0.0, 0.0]))
    off = around(80, 60) + np.array([4.0, -5.0, 6.0, 6.0])
    (found,) = tracker.update(face(80, 60), 0.0, off)
    np.testing.assert_array_equal(found.square, off[0])
    (after,) = tracker.update(face(80, 60), 0.05, None)  # then where the points are
    np.testing.assert_allclose(after.square[:2] + after.square[2:] / 2, [80.5, 60.5], atol=1.0)
