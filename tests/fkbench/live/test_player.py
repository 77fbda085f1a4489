"""A show from its first frame to the line that says why it ended."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from live_drawings import RATE, VIDEO, Pictures, discs, face

from fkbench.errors import FkbenchError
from fkbench.live.keypoints import predict_in
from fkbench.live.meter import Meter
from fkbench.live.overlays import make_overlay
from fkbench.live.pipeline import Pipeline
from fkbench.live.player import Show
from fkbench.live.sinks import Window
from fkbench.live.sources import About
from fkbench.live.tracking import Tracker
from fkbench.schemes import FACE15


class Kept:
    paced = False

    def __init__(self, until=10**9, error=None):
        self.pictures, self.until, self.error, self.closed = [], until, error, 0

    def show(self, canvas, at):
        self.pictures.append(canvas.copy())
        if self.error is not None and len(self.pictures) >= self.until:
            raise self.error
        return len(self.pictures) < self.until

    def close(self):
        self.closed += 1


def show(run, pictures, sink, about=VIDEO, **options):
    pipeline = Pipeline(Pictures(pictures, about), discs, Tracker(partial(predict_in, run)), every=3)
    return Show(pipeline, make_overlay("points", FACE15), [sink], **options)


def test_every_frame_is_drawn_counted_and_told(run):
    sink, told = Kept(), []
    about = About("film.mp4", "video", False, RATE, total=8)
    pictures = [face(40 + i, 60) for i in range(6)] + [face(900, 900)] * 2
    demo = show(run, pictures, sink, about, progress=lambda done, total: told.append((done, total)))
    before = [picture.copy() for picture in pictures]
    demo.play()
    assert [bool((a != b).any()) for a, b in zip(sink.pictures[:6], before[:6], strict=True)] == [True] * 6
    assert told == [(i, 8) for i in range(1, 9)]
    facts = demo.summary()
    assert (facts["frames"], facts["frames_with_faces"], facts["faces"]) == (8, 6, 6)
    assert (facts["detections"], facts["dropped"], facts["ended"]) == (3, 0, "end")
    assert facts["size"] == [160, 120]
    assert facts["fps"] == pytest.approx(8 / facts["seconds"], abs=0.002 * facts["fps"] / facts["seconds"])  # rounded
    assert 0 < facts["latency_ms"]["p50"] <= facts["latency_ms"]["p90"]
    assert demo.reason() == "The end of 'film.mp4'."
    assert sink.closed == 1


def test_the_line_of_figures_can_be_left_out(run):
    plain, lined = Kept(), Kept()
    for sink, status in ((plain, False), (lined, True)):
        show(run, [face(40, 90)] * 4, sink, status=status).play()
    assert (plain.pictures[-1][:8, :60] == 20).all()
    assert (lined.pictures[-1][:8, :60] != 20).any()


@pytest.mark.parametrize(
    ("options", "until", "ended", "words"),
    [({"most": 3}, 99, "limit", "Stopped after 3 frames, as asked."), ({}, 2, "quit", "Quit.")],
)
def test_it_stops_when_it_is_told_to(run, options, until, ended, words):
    sink = Kept(until)
    demo = show(run, [face(40, 60)] * 50, sink, **options)
    demo.play()
    assert (demo.ended, demo.reason()) == (ended, words)
    assert demo.meter.shown == min(until, 3)
    assert sink.closed == 1


def test_a_lost_camera_and_a_cut_off_video_are_said_to_be(run):
    demo = show(run, [face(40, 60)] * 3, Kept(), About("0", "camera", True, RATE))
    demo.play()
    assert demo.ended == "lost"
    assert "The camera '0' gives no more pictures" in demo.reason()
    demo = show(run, [face(40, 60)] * 3, Kept(), About("f.mp4", "video", False, RATE, total=90))
    demo.play()
    assert demo.reason() == "The end of 'f.mp4': 3 of the 90 frames that it states could be read."


def test_a_source_without_any_picture_is_an_error(run):
    sink = Kept()
    with pytest.raises(FkbenchError, match="'drawn' gave no picture"):
        show(run, [], sink).play()
    assert sink.closed == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), FkbenchError("the disk is full")])
def test_whatever_ends_it_the_sinks_are_closed_and_the_figures_stay(run, error):
    sink = Kept(2, error)
    demo = show(run, [face(40, 60)] * 50, sink)
    with pytest.raises(type(error)):
        demo.play()
    assert sink.closed == 1
    assert demo.summary()["ended"] == "interrupted"
    assert demo.pipeline.source.closed


def test_a_file_somebody_looks_at_is_played_at_its_own_rate(run, monkeypatch):
    slept = []
    monkeypatch.setattr("fkbench.live.player.time.sleep", slept.append)
    sink = Kept()
    sink.paced = True
    show(run, [face(40, 60)] * 10, sink).play()
    assert len(slept) == 10
    assert sum(slept) > 0
    assert max(np.diff(slept)) <= 1.5 / RATE
    slept.clear()
    show(run, [face(40, 60)] * 3, sink, About("0", "camera", True, RATE)).play()
    assert slept == []


def test_the_meter_by_hand():
    meter = Meter()
    assert (meter.rate, meter.mean_rate, meter.latency_ms) == (0.0, 0.0, 0.0)
    for i in range(100):
        meter.tick(taken=10 + i / 10, now=10 + i / 10 + (0.1 if i % 2 else 0.2))
    assert meter.rate == pytest.approx(10, rel=0.04)
    assert meter.seconds == pytest.approx(10.0)
    assert meter.mean_rate == pytest.approx(10.0)
    assert meter.latencies() == {"p50": pytest.approx(150), "p90": pytest.approx(200)}


class Pane(Window):
    """A window without a screen, in which q is pressed while the first picture stands."""

    def __init__(self):
        self.shown, self.asked, self.closed = 0, 0, 0

    def show(self, canvas, at):
        self.shown += 1
        return True

    def quit_asked(self):
        self.asked += 1
        return self.asked == 3

    def close(self):
        self.closed += 1


def test_a_key_is_heard_while_a_picture_stands(run):
    pane = Pane()
    demo = show(run, [face(40, 60)] * 3, pane, About("faces", "folder", False, 0.01, moving=False))
    demo.play()
    assert (demo.ended, pane.shown, pane.asked, pane.closed) == ("quit", 1, 3, 1)


def test_a_sink_that_cannot_be_closed_keeps_none_of_the_others_open(run):
    class Stuck(Kept):
        def close(self):
            super().close()
            raise FkbenchError("the disk is full")

    first, second = Stuck(), Kept()
    demo = show(run, [face(40, 60)] * 2, first)
    demo.sinks = [first, second]
    with pytest.raises(FkbenchError, match="the disk is full"):
        demo.play()
    assert (first.closed, second.closed) == (1, 1)
