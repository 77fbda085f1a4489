"""Scores of detectors by hand: matching, recall, precision, average precision, cover, intervals."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.detect.found import as_found
from fkbench.detect.matching import match, overlaps
from fkbench.detect.scoring import Answer, score_answers, share

FACE = np.array([[0.0, 0, 10, 10]])
POINTS = np.array([[[0.0, 0], [9, 9], [12, 5], [np.nan, np.nan]]], np.float32)


def answer(rows, group="a", faces=FACE, points=POINTS):
    found = as_found(rows, "x")
    return Answer(found, found.boxes, faces, points, group)


def test_overlap_by_hand():
    two = np.array([[0.0, 0, 10, 10], [5, 0, 10, 10], [10, 0, 5, 5]])
    np.testing.assert_allclose(overlaps(FACE, two), [[1, 50 / 150, 0]])


def test_each_face_is_found_once_and_the_surest_box_has_it():
    faces = np.array([[0.0, 0, 10, 10], [20, 0, 10, 10]])
    boxes = np.array([[1.0, 0, 10, 10], [0, 0, 10, 10], [20, 1, 10, 10], [50, 50, 5, 5]])
    assert match(boxes, faces, 0.5).tolist() == [0, -1, 1, -1]
    assert match(boxes, np.zeros((0, 4)), 0.5).tolist() == [-1] * 4


def test_scores_by_hand():
    answers = [
        answer([[0, 0, 10, 10, 0.9], [30, 30, 5, 5, 0.8]], "a"),  # found, and one extra
        answer([[0, 0, 10, 9, 0.7]], "b"),  # found
        answer(None, "c"),  # missed
        answer([[0, 0, 4, 4, 0.95]], "d"),  # too small: overlap .16
    ]
    page = score_answers(answers)
    scores = page["corrected"]
    assert (page["pictures"], page["faces"], page["boxes"]) == (4, 4, 4)
    assert scores["recall"] == 0.5
    assert scores["precision"] == 0.5
    assert scores["extra_per_picture"] == 0.5
    assert page["main_recall"] == 0.5
    # ranked .95 wrong, .9 right, .8 wrong, .7 right: precision 1/2 at the first face, 2/4 at the second
    assert scores["ap"] == pytest.approx((0.5 + 0.5) / 4)
    # of the three labelled points (12, 5) lies outside both boxes, and (9, 9) outside the second, which ends at y 9
    assert scores["cover"] == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert scores["noise"]["faces"] == 2
    assert scores["noise"]["mean"]["x"] == 0
    low, high = scores["recall_ci"]
    assert 0 <= low < 0.5 < high <= 1


def test_without_scores_there_is_no_average_precision():
    assert score_answers([answer([[0, 0, 10, 10]], "a"), answer(None, "b")])["corrected"]["ap"] is None


def test_a_perfect_recall_still_has_an_interval():
    ones = np.ones(30)
    value, interval = share(ones, ones, [str(i) for i in range(30)])
    assert value == 1
    assert interval == [pytest.approx(0.025 ** (1 / 30)), 1]
    zero, interval = share(0 * ones, ones, [str(i) for i in range(30)])
    assert zero == 0
    assert interval == [0, pytest.approx(1 - 0.025 ** (1 / 30))]
    assert share(0 * ones, 0 * ones, ["a"] * 30) == (None, None)


def test_a_detector_that_finds_nothing_is_scored():
    page = score_answers([answer(None, "a"), answer(None, "b")])
    assert page["corrected"]["recall"] == 0
    assert page["corrected"]["precision"] is None
    assert page["corrected"]["noise"] is None


def test_with_several_faces_to_a_picture_there_is_no_main_face():
    faces = np.array([[0.0, 0, 10, 10], [20, 0, 10, 10]])
    points = np.concatenate([POINTS, POINTS + np.float32(20)])
    page = score_answers([answer([[0, 0, 10, 10], [20, 0, 10, 10]], faces=faces, points=points)])
    assert page["main_recall"] is None
    assert page["corrected"]["recall"] == 1


def test_boxes_of_equal_score_count_together_whatever_the_order_of_the_pictures():
    right, wrong = answer([[0, 0, 10, 10, 3]], "a"), answer([[40, 40, 10, 10, 3]], "b")
    both = [score_answers(answers)["corrected"]["ap"] for answers in ([right, wrong], [wrong, right])]
    assert both == [0.25, 0.25]  # recall goes to a half at a precision of a half


def test_a_face_without_a_label_is_neither_found_nor_missed():
    nowhere, unknown = np.full((1, 4), np.nan), np.full((1, 4, 2), np.nan, np.float32)
    answers = [answer([[0, 0, 10, 10, 1]], "a"), answer([[0, 0, 10, 10, 1]], "b", nowhere, unknown)]
    page = score_answers(answers)
    assert (page["faces"], page["corrected"]["recall"], page["main_recall"]) == (1, 1, 1)
    faces = np.concatenate([nowhere, FACE])
    assert match(FACE, faces, 0.5).tolist() == [1]
    assert page["corrected"]["noise"] is None
