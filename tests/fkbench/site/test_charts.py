"""Numbers behind the charts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fkbench.boards import build, entries_of
from fkbench.schemes import FACE15
from fkbench.site.board_section import _charts
from fkbench.site.faces import error_face, level, predicted_faces
from fkbench.site.measures import measure
from fkbench.site.pareto import Scale, dots_of, front, pareto_svg


@pytest.fixture
def measured(filled):
    from fkbench.boards import BoardKey, errors_beside

    board = build(filled.records)[0]
    own = [record for record in filled.records if BoardKey.of(record) == board.key]
    return measure(board, entries_of(own), errors_beside)


def test_every_row_finds_its_records_and_errors(measured):
    assert all(found.entry is not None for found in measured)
    assert all(found.row.keys == tuple(r.key for r in found.entry.records) for found in measured)
    assert [found.row.model for found in measured if not found.ced] == ["broken"]


def test_curves_and_points_are_of_all_seeds_together(measured):
    from fkbench.boards import errors_beside

    found = next(one for one in measured if one.row.model == "midnet")
    pages = [errors_beside(record) for record in found.entry.done]
    nme = 100 * np.concatenate([page.nme["inter_ocular"] for page in pages])
    assert found.ced[25] == pytest.approx(100 * np.mean(nme <= 5.0), abs=0.06)
    squares = sum(page.point_sum_sq[:, 3].sum() for page in pages)
    assert found.points[3] == pytest.approx(math.sqrt(squares / (2 * 60 * 3)), rel=1e-3)


def test_the_front_is_of_ranked_comparable_rows_that_none_beats_in_both(measured):
    dots = dots_of(measured)
    best = front(dots)
    counted = [dot for dot in dots if dot.counts]
    for dot in counted:
        beaten = any(o.x >= dot.x and o.y <= dot.y and o is not dot for o in counted)
        assert (dot in best) == (not beaten)
    assert [dot.x for dot in best] == sorted(dot.x for dot in best)
    assert "tuned" not in [dot.found.row.model for dot in best]


def test_a_plot_without_a_line_says_why(measured):
    void = [replace(one, row=replace(one.row, same_speed_class=False)) for one in measured]
    assert "No line here" not in _charts("faces", measured, None)
    assert "No line here: no ranked row has a speed that can be compared." in _charts("faces", void, None)


def test_each_point_of_the_plot_links_to_its_row_and_says_its_numbers(measured):
    picture = pareto_svg(measured, "faces")
    place = next(found.place for found in measured if found.row.model == "finenet")
    assert f'href="#faces-r{place}"' in picture
    assert "finenet · rank 1 · rmse 1.2" in picture
    assert pareto_svg([], "faces") == ""


@pytest.mark.parametrize(
    ("low", "high", "logarithmic"), [(1.0, 4.0, False), (1.0, 2e5, True), (3.0, 9.0, True), (1e-9, 1e300, True)]
)
def test_an_axis_has_a_few_round_ticks_inside(low, high, logarithmic):
    scale = Scale(low, high, 0.0, 100.0, logarithmic)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(low <= tick <= high and -1e-6 <= scale(tick) <= 100 + 1e-6 for tick in ticks)


def test_levels_reach_from_the_least_to_the_largest_error():
    assert [level(value, 1.0, 2.0) for value in (0.5, 1.0, 1.5, 2.0, 9.0, math.nan)] == [0, 0, 2, 4, 4, 0]
    assert level(3.0, 3.0, 3.0) == 0


def test_faces_leave_out_what_is_not_finite():
    points = np.array(FACE15.layout, np.float32) * 90
    points[3] = np.inf
    whole = np.array(FACE15.layout, np.float32)
    pictures = predicted_faces(FACE15, np.stack([points, whole, np.full((15, 2), np.nan)]), np.full((3, 15), 1.0), 1.0)
    assert [picture.count("<circle") for picture in pictures] == [14, 15, 0]
    chains = [sum(3 in chain for chain in FACE15.lines), 0, len(FACE15.lines)]
    assert [len(FACE15.lines) - picture.count("<path") for picture in pictures] == chains
    assert not any(word in picture for picture in pictures for word in ("nan", "inf"))
    errors = [math.nan, *[1.0] * 14]
    assert "left_eye_center: not labelled" in error_face(FACE15, errors, 1.0, 1.0)
