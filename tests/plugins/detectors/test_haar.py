"""`haar`: its presets and files, builds of OpenCV without it, and the articles' picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fkbench_plugins.detectors import haar

from fkbench.detect import detector_settings, open_detector
from fkbench.detect.correction import choose_correction
from fkbench.errors import FkbenchError


def opened(**settings):
    return open_detector(haar.SPEC, settings)


def test_presets_are_the_articles_settings():
    assert haar.SPEC.unavailable() is None
    chosen = {name: detector_settings(haar.SPEC, {"preset": name}) for name in ("default", *haar.SPEC.presets)}
    asked = {name: (c["scale_factor"], c["min_neighbors"], c["grey"]) for name, c in chosen.items()}
    assert asked["default"] == (1.2, 2, True)
    assert asked["dfk"] == (1.25, 6, True)
    assert asked["kshirsagar"] == asked["fiyero"] == (1.2, 2, False)
    assert chosen["fiyero"]["pad"] == pytest.approx(1 / 3, abs=0.01)
    assert chosen["alt2"]["cascade"] == "frontalface_alt2"
    for settings in chosen.values():
        assert choose_correction(haar.SPEC, settings).provenance["dataset"] == "youtube68"


def test_a_build_without_the_classifier_is_said(monkeypatch):
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(FkbenchError, match="has no CascadeClassifier") as caught:
        opened()
    assert "opencv-contrib-python" in caught.value.remedy


def test_a_build_without_cascade_files_is_said_and_takes_a_file(monkeypatch, tmp_path):
    own = haar.cascade_file("frontalface_alt2").read_bytes()
    monkeypatch.setattr(haar, "folder", lambda: tmp_path)
    assert "brings no cascade files" in str(haar.probe())
    with pytest.raises(FkbenchError, match="There is no cascade 'frontalface_default'"):
        opened()
    (tmp_path / "mine.xml").write_bytes(own)
    assert len(opened(cascade=str(tmp_path / "mine.xml")).weights) == 16


def test_a_file_that_is_no_cascade_is_refused(tmp_path):
    (tmp_path / "a.xml").write_text("<opencv_storage></opencv_storage>")
    with pytest.raises(FkbenchError, match="does not load"):
        opened(cascade=str(tmp_path / "a.xml"))


def test_settings_out_of_range_are_refused():
    for bad in ({"scale_factor": 1.0}, {"min_neighbors": -1}, {"pad": -0.1}):
        with pytest.raises(FkbenchError, match="haar"):
            opened(**bad)


def test_padded_boxes_stay_in_the_picture():
    boxes = np.array([[-3.0, 5, 20, 20], [90, 90, 30, 5]])
    np.testing.assert_allclose(haar.clamped(boxes, 100, 92), [[0, 5, 17, 20], [90, 90, 10, 2]])


@pytest.mark.realdata
def test_both_faces_of_the_articles_picture_are_found_where_the_article_found_them(shared_data):
    picture = cv2.imread(str(shared_data / "photos" / "obamas.jpg"), cv2.IMREAD_COLOR_RGB)
    assert len(opened().find(picture)) == 2
    found = opened(preset="kshirsagar", longest=0).find(picture)
    assert sorted(found.boxes.tolist()) == [[179, 75, 173, 173], [371, 144, 159, 159]]
    padded = opened(preset="fiyero").find(picture)
    assert sorted(padded.boxes[:, 0].tolist())[0] == pytest.approx(179 - 0.33 * 173, abs=0.1)
