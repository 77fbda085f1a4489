"""What is drawn: points, meshes, boxes, the line of figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.live.frames import Face
from fkbench.live.overlays import OVERLAYS, make_overlay, status_line, triangulated
from fkbench.schemes import FACE15, FACE68


def drawn(name, scheme=FACE15, offset=(40, 30), size=100):
    points = np.array(scheme.layout) * size + offset
    square = np.array([offset[0] - 10.0, offset[1] - 10.0, size + 20.0, size + 20.0])
    canvas = np.full((160, 200, 3), 120, np.uint8)
    make_overlay(name, scheme)(canvas, [Face(1, points, square, 0.5)])
    return canvas, points, square


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("scheme", [FACE15, FACE68], ids=lambda s: s.name)
def test_every_overlay_draws_a_face_also_where_it_leaves_the_picture(name, scheme):
    assert (drawn(name, scheme)[0] != 120).any()
    for offset in ((-60, -60), (170, 140), (-4000, 50)):
        canvas, _, _ = drawn(name, scheme, offset)
        assert canvas.shape == (160, 200, 3)


def test_points_are_dots_on_the_points():
    canvas, points, _ = drawn("points")
    for x, y in np.rint(points).astype(int):
        assert tuple(canvas[y, x]) != (120, 120, 120)
    assert (canvas != 120).any(axis=2).mean() < 0.1


def test_boxes_have_their_edges_where_the_square_is():
    canvas, _, (x, y, width, height) = drawn("boxes")
    for row, column in (
        (y, x + width / 2),
        (y + height, x + width / 2),
        (y + height / 2, x),
        (y + height / 2, x + width),
    ):
        assert (canvas[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2] != 120).any()
    assert (canvas[60:100, 60:100] == 120).all()


def test_a_mesh_follows_the_schemes_lines_or_is_triangulated():
    canvas, points, _ = drawn("mesh")
    x, y = np.rint((points[2] + points[3]) / 2).astype(int)  # the middle of an eye's line
    assert (canvas[y, x] != 120).any()
    bare = replace(FACE15, lines=())
    more, _, _ = drawn("mesh", bare)
    assert (more != 120).any(axis=2).sum() > (canvas != 120).any(axis=2).sum()


def test_triangles_have_each_edge_once():
    square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10], [5, 4]])
    edges = triangulated(square)
    assert {tuple(edge) for edge in edges} == {(0, 1), (1, 2), (2, 3), (0, 3), (0, 4), (1, 4), (2, 4), (3, 4)}
    assert len(edges) == 8


@pytest.mark.parametrize("points", [np.arange(6.0).reshape(3, 2), np.zeros((2, 2)), np.full((5, 2), np.nan)])
def test_points_on_a_line_have_no_triangles(points):
    assert triangulated(points).shape == (0, 2)


def test_unknown_overlays_and_schemes_without_eyes_are_named():
    with pytest.raises(UnknownNameError, match="Unknown --overlay 'glasses'"):
        make_overlay("glasses", FACE15)
    bare = replace(FACE15, points=tuple("abcdefghijklmno"), normalisers={})
    for name in ("sunglasses", "sunglasses-fixed"):
        with pytest.raises(FkbenchError, match="corners"):
            make_overlay(name, bare)


@pytest.mark.parametrize("shape", [(480, 640), (20, 20), (3, 400)])
def test_the_line_of_figures_fits_any_picture(shape):
    canvas = np.full((*shape, 3), 120, np.uint8)
    status_line(canvas, "31.2 frames/s   12 ms   2 faces")
    assert (canvas != 120).any()
