"""The mean shape as a layout for pictures of a scheme."""

from __future__ import annotations

import numpy as np

from fkbench.datasets.mean_shape import REACH, mean_layout

FACE = np.array([[60, 30], [40, 30], [50, 45], [58, 62], [42, 62]], np.float32)


def test_place_and_size_of_the_faces_do_not_matter():
    one = np.array(mean_layout(FACE[None]))
    many = np.array(mean_layout(np.stack([FACE, FACE * 3 + 20, FACE * 0.5 - 7])))
    np.testing.assert_allclose(many, one, atol=1e-3)
    np.testing.assert_allclose((one[0] - one[1])[0] / (one[3] - one[0])[1], 20 / 32, atol=1e-3)
    reach = np.linalg.norm(one - 0.5, axis=1).max()
    assert abs(reach - REACH) < 1e-3


def test_faces_with_gaps_count_only_where_no_face_is_whole():
    gap = FACE * 2
    gap[4] = np.nan
    np.testing.assert_allclose(mean_layout(np.stack([FACE, gap])), mean_layout(FACE[None]))
    other = FACE.copy()
    other[0] = np.nan
    assert len(mean_layout(np.stack([gap, other]))) == 5


def test_a_point_that_is_labelled_nowhere_leaves_no_layout():
    face = FACE.copy()
    face[2] = np.nan
    assert mean_layout(face[None]) == ()
    assert mean_layout(np.full((2, 5, 2), np.nan, np.float32)) == ()


def test_all_points_in_one_place_lie_in_the_middle():
    assert mean_layout(np.full((1, 3, 2), 7, np.float32)) == ((0.5, 0.5),) * 3
