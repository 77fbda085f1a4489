"""Sources: files, folders and what cannot be opened."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from live_drawings import RATE, face, write_video

from fkbench.errors import FkbenchError
from fkbench.live import sources
from fkbench.live.sources import LONGEST, open_source


def everything(source):
    pictures = []
    while (picture := source.read()) is not None:
        pictures.append(picture)
    source.close()
    return pictures


def test_a_video_gives_all_its_frames_in_order(tmp_path):
    path = write_video(tmp_path / "v.mp4", [face(20 + 10 * i, 60) for i in range(12)])
    source = open_source(str(path))
    assert (source.about.kind, source.about.live, source.about.moving) == ("video", False, True)
    assert source.about.rate == pytest.approx(RATE)
    assert source.about.total == 12
    found = everything(source)
    middles = [np.nonzero(p[60, :, 0] > 128)[0].mean() for p in found]
    np.testing.assert_allclose(middles, 20 + 10 * np.arange(12), atol=2)
    assert open_source(str(path), rate=5).about.rate == 5


def test_a_folder_gives_its_pictures_by_name_large_ones_shrunk(tmp_path):
    cv2.imwrite(str(tmp_path / "b.png"), np.full((30, 3000, 3), (1, 2, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 50), 9, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path))
    assert source.about.size == (LONGEST, 40)
    assert (source.about.total, source.about.moving, source.about.rate) == (2, False, 1.0)
    one, two = everything(source)
    assert one.shape == (40, 50, 3)
    assert two.shape == (19, LONGEST, 3)
    assert tuple(two[5, 5]) == (1, 2, 3)  # BGR, as OpenCV shows it
    assert open_source(str(tmp_path / "a.png")).about.total == 1


def assert_refused(text, words, **options):
    with pytest.raises(FkbenchError, match=words) as caught:
        open_source(text, **options)
    assert "\n" not in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_each_source_that_cannot_be_opened_gets_a_line(tmp_path, monkeypatch, capfd):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(500))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG and no more")
    assert_refused(str(tmp_path / "none.mp4"), "There is no source")
    assert_refused(str(tmp_path / "empty"), "holds no picture")
    assert_refused(str(tmp_path / "broken.mp4"), "cannot be read as a video")
    assert_refused(str(tmp_path / "broken.png"), "does not decode")
    assert_refused("gopher://old/film", "is no address that can be read")
    assert_refused("http://127.0.0.1:9/film.mp4", "--offline forbids", offline=True)
    assert_refused("http://127.0.0.1:9/film.mp4", "cannot be opened as a video stream")
    monkeypatch.setattr(sources, "_opened", lambda *given: None)
    assert_refused("3", "Camera 3 cannot be opened")
    assert capfd.readouterr() == ("", "")  # OpenCV and FFmpeg keep quiet


def test_a_camera_is_live_and_ends_when_it_is_lost(monkeypatch):
    class Camera:
        def __init__(self):
            self.frames = [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8)]

        def get(self, what):
            return 0.0

        def set(self, what, value):
            return True

        def read(self):
            return (True, self.frames.pop(0)) if self.frames else (False, None)

        def release(self):
            return None

    monkeypatch.setattr(sources, "_opened", lambda *given: Camera())
    source = open_source("0")
    assert source.about.live
    assert source.about.rate == sources.USUAL_RATE
    assert [picture.shape for picture in everything(source)] == [(4, 6, 3), (4, 6, 3)]


def test_a_camera_that_hangs_in_a_read_is_not_let_go_of_under_it(monkeypatch):
    began, go, released = threading.Event(), threading.Event(), []

    class Camera:
        def read(self):
            began.set()
            go.wait(10)
            return True, np.zeros((4, 6, 3), np.uint8)

        def release(self):
            released.append(go.is_set())

    monkeypatch.setattr(sources, "CLOSE_S", 0.05)
    source = sources.Capture(sources.About("0", "camera", True, RATE), Camera())
    reader = threading.Thread(target=source.read)
    reader.start()
    assert began.wait(10)
    source.close()
    assert released == []
    go.set()
    reader.join(10)
    source.close()
    assert released == [True]
