"""The pipeline: order, nothing lost from files, old pictures left out when live, errors carried over."""

from __future__ import annotations

import itertools
import threading
import time
from functools import partial

import numpy as np
import pytest
from live_drawings import RATE, Pictures, discs, face

from fkbench.errors import FkbenchError
from fkbench.live.keypoints import predict_in
from fkbench.live.pipeline import Pipeline
from fkbench.live.sources import About
from fkbench.live.tracking import Tracker

LIVE = About("drawn", "camera", True, RATE)


def pipeline(run, source, detect=discs, **options):
    return Pipeline(source, detect, Tracker(partial(predict_in, run)), **options)


def test_a_file_comes_out_whole_in_order_with_its_faces(run):
    source = Pictures([face(30 + 3 * i, 60) for i in range(25)])
    line = pipeline(run, source, every=6)
    frames = list(line.frames())
    assert [frame.index for frame in frames] == list(range(25))
    np.testing.assert_allclose([frame.at for frame in frames], np.arange(25) / RATE)
    assert [frame.index for frame in frames if frame.found is not None] == [0, 6, 12, 18, 24]
    assert line.counts.detections == 5
    assert [len(frame.faces) for frame in frames] == [1] * 25
    middles = [(f.faces[0].points.min(0)[0] + f.faces[0].points.max(0)[0]) / 2 for f in frames]
    np.testing.assert_allclose(middles, 30 + 3 * np.arange(25), atol=1.0)
    assert {frame.faces[0].number for frame in frames} == {1}
    assert line.counts.ended
    assert source.closed


def test_the_detector_goes_on_to_its_next_picture_while_those_between_wait(run):
    calls, twice = itertools.count(1), threading.Event()

    def counted(picture):
        if next(calls) == 2:
            twice.set()
        return discs(picture)

    def patient(picture, squares):
        assert twice.wait(10), "the detector waits for pictures that it does not look at"
        return predict_in(run, picture, squares)

    source = Pictures([face(30 + 3 * i, 60) for i in range(12)])
    assert len(list(Pipeline(source, counted, Tracker(patient), every=8).frames())) == 12


def test_pictures_that_do_not_follow_from_one_another_are_not_tracked(run):
    about = About("drawn", "folder", False, 1.0, moving=False)
    frames = list(pipeline(run, Pictures([face(40, 60), face(44, 60)], about), every=1).frames())
    assert [frame.faces[0].number for frame in frames] == [1, 2]


def test_live_the_newest_picture_is_next_and_old_ones_are_left_out(run):
    gate, given = threading.Event(), threading.Event()

    def slow(picture):
        given.set()
        gate.wait(10)
        return discs(picture)

    def wait(index):
        if index == 0:
            time.sleep(0.05)  # a camera that takes its time to begin
        if index == 1:
            given.wait(10)  # the first picture is with the detector before the others come
        if index == 9:
            gate.set()

    line = pipeline(run, Pictures([face(30 + 3 * i, 60) for i in range(9)] + [face(90, 60)], LIVE, wait), slow)
    frames = list(line.frames())
    shown = [frame.index for frame in frames]
    assert shown[0] == 0
    assert frames[0].at == 0
    assert shown[-1] == 9
    assert shown == sorted(shown)
    assert line.counts.read == 10
    assert line.counts.dropped == 10 - len(shown) >= 6
    assert all(b.at > a.at for a, b in itertools.pairwise(frames))


@pytest.mark.parametrize("where", ["source", "detector", "model"])
def test_an_error_comes_after_the_frames_before_it(run, where):
    def fail(*_):
        raise FkbenchError(f"the {where} is broken")

    pictures = [face(40, 60) for _ in range(6)]
    source = Pictures(pictures, wait=lambda i: fail() if i == 3 and where == "source" else None)
    seen = iter(range(100))
    detect = (lambda p: fail() if next(seen) == 3 else discs(p)) if where == "detector" else discs
    line = pipeline(run, source, detect)
    if where == "model":
        good = line.tracker.predict
        line.tracker.predict = lambda p, s: fail() if next(seen) == 3 else good(p, s)
    shown = []
    with pytest.raises(FkbenchError, match=f"the {where} is broken"):
        shown.extend(frame.index for frame in line.frames())
    assert source.closed
    assert not any(thread.is_alive() for thread in line._threads)


def test_closing_early_ends_the_threads(run):
    source = Pictures([face(40, 60)] * 500)
    line = pipeline(run, source)
    frames = line.frames()
    assert next(frames).index == 0
    frames.close()
    assert source.closed
    assert source.taken < 30
    assert not any(thread.is_alive() for thread in line._threads)
