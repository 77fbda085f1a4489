"""Grids: the right colour at the right pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fkbench.draw import canvas
from fkbench.draw.grids import GAP, draw_points, letterbox, sample_grid, save
from fkbench.errors import FkbenchError
from fkbench.schemes import FACE15


def centre_of(image, colour):
    """Centre of mass of the pixels of this colour, (x, y)."""
    ys, xs = np.nonzero((image == np.array(colour)).all(axis=2))
    assert len(xs), "the colour is not there"
    return xs.mean(), ys.mean()


@pytest.mark.parametrize(("shape", "cell"), [((96, 96), 192), ((60, 90), 192), ((300, 171), 96), ((97, 61), 200)])
def test_point_lies_on_its_pixel_after_letterboxing(shape, cell):
    x, y = shape[1] / 2 + 3.25, shape[0] / 3
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    spot = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    out, placed = letterbox(spot.round().astype(np.uint8), cell)
    weight = out[:, :, 0] * (out[:, :, 0] > canvas.BACKDROP[0]).astype(float)
    rows, columns = np.mgrid[:cell, :cell]
    seen = [(columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()]
    assert placed.map(np.array([[x, y]]))[0] == pytest.approx(seen, abs=0.1)


def test_letterbox_maps_by_pixel_centres():
    _, placed = letterbox(np.zeros((96, 96), np.uint8), 192)
    assert placed.map(np.array([[-0.5, -0.5], [95.5, 95.5], [0.0, 10.0]])) == pytest.approx(
        np.array([[-0.5, -0.5], [191.5, 191.5], [0.5, 20.5]])
    )


def test_letterbox_keeps_the_shape_and_centres():
    out, placed = letterbox(np.full((50, 100, 3), 200, np.uint8), 100)
    assert (placed.left, placed.top) == (0, 25)
    assert (out[:25] == canvas.BACKDROP).all()
    assert (out[75:] == canvas.BACKDROP).all()
    assert (out[25:75] == 200).all()


def test_truth_and_prediction_have_their_colours_and_places():
    image = np.zeros((100, 100), np.uint8)
    truth, guess = np.array([[20.0, 30.0]]), np.array([[70.0, 60.0]])
    grid = sample_grid([image], [truth], predicted=[guess], cell=200)
    cell = grid[GAP : GAP + 200, GAP : GAP + 200]
    assert centre_of(cell, canvas.TRUTH) == pytest.approx((40.5, 60.5), abs=0.3)
    assert centre_of(cell, canvas.PREDICTED) == pytest.approx((140.5, 120.5), abs=0.3)
    # The error line runs between them.
    between = cell[85:97, 85:97].reshape(-1, 3)
    assert (between == np.array(canvas.ERROR)).all(axis=1).any() or between.max() > 100


def test_second_cell_carries_its_own_points():
    images = np.zeros((3, 50, 50), np.uint8)
    points = np.full((3, 1, 2), np.nan)
    points[1] = [25.0, 10.0]
    grid = sample_grid(images, points, columns=2, cell=100)
    left = GAP + 100 + GAP
    assert not (grid[GAP : GAP + 100, GAP : GAP + 100] == np.array(canvas.TRUTH)).all(axis=2).any()
    assert centre_of(grid[GAP : GAP + 100, left : left + 100], canvas.TRUTH) == pytest.approx((50.5, 20.5), abs=0.3)


def test_points_far_outside_stay_in_their_cell():
    images = np.zeros((2, 50, 50), np.uint8)
    guess = np.array([[[1e12, 25.0]], [[25.0, 25.0]]])
    grid = sample_grid(images, np.full((2, 1, 2), 25.0), predicted=guess, columns=2, cell=100)
    right = grid[GAP : GAP + 100, GAP + 100 + GAP : GAP + 200 + GAP]
    assert (grid[GAP : GAP + 100, GAP + 100 : GAP + 100 + GAP] == 255).all()
    assert not (right == np.array(canvas.ERROR)).all(axis=2).any()


def test_missing_points_leave_no_trace():
    image = np.zeros((40, 40), np.uint8)
    gone = np.full((1, 15, 2), np.nan)
    with_missing = sample_grid([image], gone, predicted=gone, scheme=FACE15)
    legend_top = GAP + 192 + GAP
    assert (with_missing[GAP : GAP + 192, GAP : GAP + 192] == 0).all()
    assert (with_missing[legend_top:] != 255).any()


def test_colours_are_rgb_in_and_bgr_out():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, :, 0] = 250
    for given in (image, np.dstack([image, np.full((20, 20), 9, np.uint8)])):
        grid = sample_grid([given], cell=40)
        assert grid[GAP + 20, GAP + 20].tolist() == [0, 0, 250]


def test_titles_take_room_below_each_cell_and_are_cut():
    images = np.zeros((2, 20, 20), np.uint8)
    plain = sample_grid(images, cell=100, columns=2)
    titled = sample_grid(
        images, titles=["a", "a very long title that does not fit below its cell"], cell=100, columns=2
    )
    assert titled.shape[0] > plain.shape[0]
    strip = titled[GAP + 100 :]
    assert (strip[:, GAP : GAP + 100] < 200).any()
    assert (strip[:, GAP + 100 : GAP + 100 + GAP - 1] == 255).all()
    assert canvas.fitted("a very long title", 10, 40).endswith("...")


def test_grid_layout():
    assert sample_grid(np.zeros((12, 9, 9), np.uint8), cell=50).shape[1] == GAP + 4 * (50 + GAP)
    assert sample_grid(np.zeros((2, 9, 9), np.uint8), columns=6, cell=50).shape[1] == GAP + 2 * (50 + GAP)


@pytest.mark.parametrize("bad", [{"images": []}, {"points": np.zeros((3, 1, 2))}, {"titles": ["one"]}])
def test_grid_refuses_what_does_not_match(bad):
    with pytest.raises(ValueError, match="grid needs"):
        sample_grid(**{"images": np.zeros((2, 9, 9), np.uint8), **bad})


def test_grid_refuses_floats():
    with pytest.raises(ValueError, match="uint8"):
        sample_grid([np.zeros((9, 9))])


def test_draw_points_on_several_faces():
    image = np.zeros((200, 300, 3), np.uint8)
    points = np.stack([np.full((15, 2), np.nan), np.full((15, 2), np.nan)])
    points[0, :2] = [[40, 50], [90, 50]]
    points[1, :2] = [[200, 150], [260, 150]]
    out = draw_points(image, points, boxes=np.array([[20.0, 30, 90, 60], [np.nan] * 4]), scores=[0.5, None])
    found = (out == np.array(canvas.PREDICTED)).all(axis=2)
    for face in points[:, :2].reshape(-1, 2).astype(int):
        assert found[face[1], face[0]]
    line = out[24:36, 60].astype(float).sum(axis=1)  # the box's upper edge: between the centres of rows 29 and 30
    assert (line * np.arange(24, 36)).sum() / line.sum() == pytest.approx(29.5, abs=0.1)
    assert out[29:31, 60].sum(axis=0) / np.array(canvas.ERROR).clip(1) == pytest.approx(1.0, abs=0.5)
    assert image.max() == 0, "the picture that was given has been changed"
    assert (draw_points(image, points, truth=True) == np.array(canvas.TRUTH)).all(axis=2).any()


def test_save_round_trip_and_makes_folders(tmp_path):
    grid = sample_grid(np.zeros((1, 9, 9), np.uint8), np.full((1, 1, 2), 4.0))
    path = save(grid, tmp_path / "new" / "grid.png")
    assert (cv2.imread(str(path)) == grid).all()
    assert [p.name for p in path.parent.iterdir()] == ["grid.png"]


@pytest.mark.parametrize(("name", "words"), [("grid.xyz", ".xyz"), ("grid", "no ending")])
def test_save_refuses_unknown_endings(tmp_path, name, words):
    with pytest.raises(FkbenchError, match=words) as caught:
        save(np.zeros((4, 4, 3), np.uint8), tmp_path / name)
    assert ".png" in caught.value.remedy


def test_save_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FkbenchError, match="Cannot write"):
        save(np.zeros((4, 4, 3), np.uint8), tmp_path / "file" / "grid.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FkbenchError, match="it is a folder"):
        save(np.zeros((4, 4, 3), np.uint8), tmp_path / "folder.png")
