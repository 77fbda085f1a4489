"""What a model was trained on, told from its own run, and how it is brought to look there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fkbench.datasets.boxes import reference_squares
from fkbench.errors import FkbenchError
from fkbench.records import write_arrays
from fkbench.runner.calibration import placed, relation_in_frames, settled, trained_relation
from fkbench.schemes import FACE15


def faces_in_frames(side, share, middle, count=200):
    """(N, 15, 2): faces `share` of the frame high and wide, their middle at `middle` of its height, moved a little."""
    layout = np.array(FACE15.layout)
    extent = (layout.max(0) - layout.min(0)).max()
    unit = (layout - (layout.max(0) + layout.min(0)) / 2) / extent
    moves = np.random.default_rng(5).normal(0, 0.02, (count, 1, 2))
    return ((unit * share + [0.5, middle] + moves) * side).astype(np.float32)


@pytest.mark.parametrize("side", [64, 96, 224])
def test_frames_are_told_from_the_faces_in_them(side):
    found = relation_in_frames(faces_in_frames(side, 0.6, 0.58))
    # the reference square is 1.25 · 0.6 of the frame; the frame's middle lies 0.08 of it above the faces'
    np.testing.assert_allclose(found, [1 / 0.75, 0, -0.08 / 0.75], atol=0.02)


def test_frames_of_many_sizes_are_told_as_well():
    points = np.concatenate([faces_in_frames(side, 0.6, 0.58) for side in (72, 96, 300)])
    np.testing.assert_allclose(relation_in_frames(points), [1 / 0.75, 0, -0.08 / 0.75], atol=0.02)


def test_the_relation_leads_back_to_the_frame():
    points = faces_in_frames(96, 0.6, 0.58, 50)
    squares = placed(relation_in_frames(points), reference_squares(points))
    np.testing.assert_allclose(np.median(squares, axis=0), [0, 0, 96, 96], atol=2)


def test_no_faces_no_relation():
    assert relation_in_frames(np.full((3, 15, 2), np.nan, np.float32)) is None


def a_run(folder, **spec):
    spec = SimpleNamespace(**{"needs_labels": False, "find": None} | spec)
    record = SimpleNamespace(box="any", path=str(folder))
    return SimpleNamespace(record=record, registry=SimpleNamespace(get=lambda kind, name: spec))


def test_runs_on_labels_or_detectors_were_trained_on_reference_squares(tmp_path):
    for spec in ({"needs_labels": True}, {"find": "some:finder"}):
        np.testing.assert_array_equal(trained_relation(a_run(tmp_path, **spec)), [1, 0, 0])


def test_runs_on_frames_are_told_from_their_predictions(tmp_path):
    assert trained_relation(a_run(tmp_path)) is None  # none are kept
    points = faces_in_frames(96, 0.6, 0.58)
    write_arrays(tmp_path / "predictions.safetensors", {"points": points})
    np.testing.assert_array_equal(trained_relation(a_run(tmp_path)), relation_in_frames(points))


def test_a_box_that_is_not_registered_here_is_not_known(tmp_path):
    def unknown(kind, name):
        raise FkbenchError("unknown")

    run = a_run(tmp_path)
    run.registry.get = unknown
    assert trained_relation(run) is None


FACE = faces_in_frames(96, 0.6, 0.5, 1)


def seen_from(asked):
    """A model that sees the same face wherever it is asked to look, and tells where it was asked."""

    def look(squares):
        asked.append(squares.copy())
        return np.repeat(FACE, len(squares), axis=0)

    return look


def test_squares_are_moved_to_what_the_model_was_trained_on():
    asked = []
    found = np.array([[0.0, 0.0, 40.0, 40.0], [50.0, 50.0, 20.0, 20.0]])
    relation = np.array([1.2, 0.0, -0.1])
    moved = settled(seen_from(asked), found, relation)
    wanted = placed(relation, reference_squares(FACE))
    np.testing.assert_allclose(moved, np.repeat(wanted, 2, axis=0))
    np.testing.assert_array_equal(asked[0], found)
    np.testing.assert_allclose(asked[-1], moved)  # the second look is where the first one led


def test_who_was_trained_on_reference_squares_or_nobody_knows_on_what_sees_the_box_as_it_is():
    found = np.array([[0.0, 0.0, 40.0, 40.0]])
    for relation in (None, np.array([1.0, 0.0, 0.0])):
        asked = []
        np.testing.assert_array_equal(settled(seen_from(asked), found, relation), found)
        assert not asked


def test_a_face_in_which_nothing_is_seen_stays_where_it_was_found():
    found = np.array([[0.0, 0.0, 40.0, 40.0], [50.0, 50.0, 20.0, 20.0]])

    def look(squares):
        points = np.repeat(FACE, len(squares), axis=0)
        points[1] = np.nan
        return points

    moved = settled(look, found, np.array([1.2, 0.0, 0.0]))
    np.testing.assert_array_equal(moved[1], found[1])
    assert (moved[0] != found[0]).any()
