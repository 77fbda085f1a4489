"""Video files and windows: what they write, and what is said where they cannot be had."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from live_drawings import RATE, VIDEO, face, read_video, write_video

from fkbench.errors import FkbenchError
from fkbench.live import sinks
from fkbench.live.sinks import VideoFile, Window, check_window, fitted
from fkbench.live.sources import About


@pytest.fixture
def codec(tmp_path):
    """Skips where mp4v cannot be written."""
    write_video(tmp_path / "probe.mp4", [face(40, 60)])


@pytest.mark.usefixtures("codec")
def test_a_video_holds_every_picture_at_the_sources_rate(tmp_path):
    path = tmp_path / "new" / "drawn.mp4"
    video = VideoFile(path, VIDEO)
    for i in range(9):
        assert video.show(face(20 + 10 * i, 60), i / RATE)
        assert not path.exists()  # until it is whole
    video.close()
    video.close()
    found = read_video(path)
    assert len(found) == 9
    middles = [np.nonzero(p[60, :, 0] > 128)[0].mean() for p in found]
    np.testing.assert_allclose(middles, 20 + 10 * np.arange(9), atol=2)
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) == pytest.approx(RATE)
    assert [p.name for p in path.parent.iterdir()] == ["drawn.mp4"]


@pytest.mark.usefixtures("codec")
def test_odd_and_differing_sizes_are_fitted(tmp_path):
    video = VideoFile(tmp_path / "v.mp4", VIDEO)
    for shape in ((121, 161), (60, 160), (400, 30)):
        video.show(np.full((*shape, 3), 255, np.uint8), 0.0)
    video.close()
    assert [picture.shape for picture in read_video(tmp_path / "v.mp4")] == [(120, 160, 3)] * 3
    about = About("d", "folder", False, 1.0, size=(300, 200))
    video = VideoFile(tmp_path / "w.mp4", about)
    video.show(face(40, 60), 0.0)
    video.close()
    assert read_video(tmp_path / "w.mp4")[0].shape == (200, 300, 3)


@pytest.mark.usefixtures("codec")
def test_pictures_of_a_camera_stay_as_long_as_they_stood(tmp_path):
    video = VideoFile(tmp_path / "v.mp4", About("0", "camera", True, 10.0))
    for at in (0.0, 0.1, 0.12, 0.5):
        video.show(face(20 + 200 * at, 60), at)
    video.close()
    assert len(read_video(tmp_path / "v.mp4")) == 6  # 0 to 0.5 s at ten a second


def test_nothing_shown_leaves_no_file(tmp_path):
    VideoFile(tmp_path / "v.mp4", VIDEO).close()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_codec_is_a_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "VideoWriter", type("None", (), {
        "__init__": lambda self, *given: None, "isOpened": lambda self: False, "fourcc": staticmethod(lambda *c: 0)
    }))  # fmt: skip
    with pytest.raises(FkbenchError, match="has no codec 'mp4v'") as caught:
        VideoFile(tmp_path / "v.mp4", VIDEO).show(face(40, 60), 0.0)
    assert ".avi" in caught.value.remedy


class Closed:
    """A video writer that cannot be opened."""

    def __init__(self, *arguments):
        pass

    fourcc = staticmethod(cv2.VideoWriter.fourcc)

    def isOpened(self):  # noqa: N802
        return False


def test_a_place_that_cannot_be_written_is_not_a_missing_codec(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "VideoWriter", Closed)
    video = VideoFile(tmp_path / "v.mp4", VIDEO)
    with pytest.raises(FkbenchError, match="no codec 'mp4v'"):
        video.show(face(40, 60), 0.0)
    video = VideoFile(tmp_path / "v.mp4", VIDEO)
    video._scratch = tmp_path / "gone" / "v.mp4"
    with pytest.raises(FkbenchError, match=r"Cannot write '.*v.mp4': No such file"):
        video.show(face(40, 60), 0.0)


def test_places_that_cannot_be_written_are_told_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.mp4").mkdir()
    for name, words in (("v.gif", "does not end like a video"), ("v", "does not end like a video"),
                        ("folder.mp4", "is a folder"), ("file/v.mp4", "Cannot make the folder")):  # fmt: skip
        with pytest.raises(FkbenchError, match=words):
            VideoFile(tmp_path / name, VIDEO)
    monkeypatch.setattr(os, "access", lambda *given: False)
    with pytest.raises(FkbenchError, match="cannot be written"):
        VideoFile(tmp_path / "v.mp4", VIDEO)


def test_fitting_keeps_the_proportions():
    out = fitted(np.full((50, 100, 3), 255, np.uint8), 60, 60)
    assert out.shape == (60, 60, 3)
    rows = np.nonzero((out > 200).all(axis=(1, 2)))[0]
    assert (rows.min(), rows.max()) == (15, 44)


@pytest.mark.parametrize(("gui", "headless"), [("NONE", True), ("QT5", False), ("", True), ("GTK3", False)])
def test_a_headless_build_is_told_from_its_own_report(monkeypatch, gui, headless):
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: f"General\n\n  GUI: {gui:>20}\n  Media I/O:\n")
    assert (sinks.framework() == "") == headless


def test_a_window_that_cannot_be_had_is_a_clear_line(monkeypatch):
    def refused(words):
        with pytest.raises(FkbenchError, match=words) as caught:
            check_window()
        assert "--serve" in caught.value.remedy

    monkeypatch.setattr(sinks, "framework", lambda: "")
    refused("headless")
    monkeypatch.setattr(sinks, "framework", lambda: "QT5")
    monkeypatch.setattr(sinks.sys, "platform", "linux")
    for name in ("DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    refused("There is no display")
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.setattr(subprocess, "run", lambda *given, **named: SimpleNamespace(returncode=-6))
    refused("cannot open a window")


@pytest.mark.parametrize(
    ("key", "visible", "going"),
    [(-1, 1.0, True), (ord("x"), 1.0, True), (ord("q"), 1.0, False), (ord("Q"), 1.0, False), (27, 1.0, False),
     (-1, 0.0, False)],
)  # fmt: skip
def test_keys_and_closing_end_a_window(monkeypatch, key, visible, going):
    calls = []
    monkeypatch.setattr(sinks, "check_window", lambda: None)
    monkeypatch.setattr(cv2, "namedWindow", lambda *given: calls.append("open"))
    monkeypatch.setattr(cv2, "imshow", lambda title, picture: calls.append(picture.shape))
    monkeypatch.setattr(cv2, "waitKey", lambda wait: key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *given: visible)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: calls.append("closed"))
    window = Window("demo")
    assert window.show(face(40, 60), 0.0) == going
    window.show(face(40, 60), 0.1)
    window.close()
    assert calls == ["open", (120, 160, 3), (120, 160, 3), "closed"]
