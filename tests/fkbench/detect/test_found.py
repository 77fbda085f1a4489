"""Answers of finders: every shape that is allowed, their order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.detect.found import Found, as_found, main_face
from fkbench.errors import FkbenchError


def test_the_surest_stands_first_and_without_scores_the_largest():
    scored = as_found(np.array([[0, 0, 9, 9, 0.2], [1, 1, 2, 2, 0.9]]), "x")
    assert scored.scores.tolist() == [0.9, 0.2]
    assert scored.boxes[0].tolist() == [1, 1, 2, 2]
    assert scored.scored
    plain = as_found([[0, 0, 2, 2], [5, 5, 3, 9]], "x")
    assert plain.boxes[0].tolist() == [5, 5, 3, 9]
    assert not plain.scored
    assert plain.rows[0] == [5, 5, 3, 9, None]
    assert main_face(plain) == 0


def test_the_main_face_is_sure_and_large():
    assert main_face(as_found([[0, 0, 10, 10, 0.9], [0, 0, 30, 30, 0.8], [0, 0, 50, 50, 0.1]], "x")) == 1
    assert main_face(as_found([[0, 0, 10, 10], [0, 0, 50, 50], [0, 0, 30, 30]], "x")) == 0  # the largest stands first
    assert main_face(as_found([[0, 0, 10, 10, -0.5], [0, 0, 30, 30, -0.6]], "x")) == 1


@pytest.mark.parametrize(
    "nothing", [None, [], np.zeros((0, 4)), np.zeros((0, 5)), Found(np.zeros((0, 4)), np.zeros(0))]
)
def test_no_face(nothing):
    found = as_found(nothing, "x")
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    assert main_face(found) is None
    assert not found.scored


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([[1, 2, 3]], r"shape \(1, 3\)"),
        ([[np.nan, 0, 3, 3]], "gave the box"),
        ([[0, 0, 0, 3]], "gave the box"),
        ("boxes", "no array"),
        (np.ones((2, 2, 4)), r"shape \(2, 2, 4\)"),
    ],
)
def test_what_is_no_answer_names_the_detector(bad, said):
    with pytest.raises(FkbenchError, match=rf"'mine' gave.*{said}|'mine'.*{said}"):
        as_found(bad, "mine")
