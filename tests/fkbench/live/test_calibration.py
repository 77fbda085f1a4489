"""What a model was trained on, told from its own run; and how faces are looked at by it."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from live_drawings import around, face

from fkbench.errors import FkbenchError
from fkbench.live.calibration import relation_in_frames, trained_relation
from fkbench.live.keypoints import predict_in
from fkbench.live.tracking import Track, Tracker
from fkbench.records import write_arrays
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


def test_the_relation_leads_back_to_the_frame():
    points = faces_in_frames(96, 0.6, 0.58, 50)
    track = Track(1, np.zeros(4), relation=relation_in_frames(points))
    from fkbench.datasets.boxes import reference_squares

    placed = np.array([track.place(square) for square in reference_squares(points)])
    np.testing.assert_allclose(np.median(placed, axis=0), [0, 0, 96, 96], atol=2)


def test_no_faces_no_relation():
    assert relation_in_frames(np.full((3, 15, 2), np.nan, np.float32)) is None


def with_box(run, tmp_path, **spec):
    spec = SimpleNamespace(**{"needs_labels": False, "find": None} | spec)
    run.record = SimpleNamespace(box="any", path=str(tmp_path))
    run.registry = SimpleNamespace(get=lambda kind, name: spec)
    return run


def test_runs_on_labels_or_detectors_were_trained_on_reference_squares(run, tmp_path):
    for spec in ({"needs_labels": True}, {"find": "some:finder"}):
        np.testing.assert_array_equal(trained_relation(with_box(run, tmp_path, **spec)), [1, 0, 0])


def test_runs_on_frames_are_told_from_their_predictions(run, tmp_path):
    assert trained_relation(with_box(run, tmp_path)) is None  # none are kept
    points = faces_in_frames(96, 0.6, 0.58)
    write_arrays(tmp_path / "predictions.safetensors", {"points": points})
    np.testing.assert_array_equal(trained_relation(with_box(run, tmp_path)), relation_in_frames(points))


def test_a_box_that_is_not_registered_here_is_not_known(run, tmp_path):
    def unknown(kind, name):
        raise FkbenchError("unknown")

    run = with_box(run, tmp_path)
    run.registry.get = unknown
    assert trained_relation(run) is None


def test_detected_faces_are_looked_at_as_in_training(run):
    tracker = Tracker(partial(predict_in, run), relation=np.array([1.2, 0.0, -0.1]))
    off = around(80, 60) + np.array([4.0, -5.0, 6.0, 6.0])
    for step in range(4):
        (found,) = tracker.update(face(80, 60), step / 20, off if step in (0, 3) else None)
        side = 1.2 * 37.5
        np.testing.assert_allclose(found.square[:2] + found.square[2:] / 2, [80.5, 60.5 - 3.75], atol=1.0)
        np.testing.assert_allclose(found.square[2:], side, atol=1.5)
