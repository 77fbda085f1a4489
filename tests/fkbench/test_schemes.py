"""Landmark schemes hold together."""

from __future__ import annotations

import pytest

from fkbench.schemes import FACE15, FACE68, SCHEMES


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda s: s.name)
def test_regions_part_the_points_and_flipping_twice_changes_nothing(scheme):
    covered = [index for region in scheme.regions.values() for index in region]
    assert sorted(covered) == list(range(len(scheme.points)))
    order = scheme.flip_order()
    assert [order[i] for i in order] == list(range(len(order)))
    assert len(set(scheme.points)) == len(scheme.points)


def test_flip_pairs_of_face15_swap_left_and_right():
    for a, b in FACE15.flip_pairs:
        assert FACE15.points[a].replace("left", "right") == FACE15.points[b]
    unpaired = set(range(15)) - {i for pair in FACE15.flip_pairs for i in pair}
    assert {FACE15.points[i] for i in unpaired} == {"nose_tip", "mouth_center_top_lip", "mouth_center_bottom_lip"}


def test_the_projection_commutes_with_flipping():
    """Project then mirror = mirror then project: a check of both tables against each other."""
    projection = FACE68.projections["face15"]
    order68, order15 = FACE68.flip_order(), FACE15.flip_order()
    for index, group in enumerate(projection):
        assert sorted(order68[i] for i in projection[order15[index]]) == sorted(group)


def test_the_projection_is_the_contracts():
    names = dict(zip(FACE15.points, FACE68.projections["face15"], strict=True))
    assert names["left_eye_outer_corner"] == (45,)
    assert names["right_eyebrow_outer_end"] == (17,)
    assert names["mouth_left_corner"] == (54,)
    assert names["right_eye_center"] == (36, 37, 38, 39, 40, 41)
