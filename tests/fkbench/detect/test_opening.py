"""Opened detectors: presets, files, faults of finders, answers kept in the store."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fkbench.datasets.boxes import find_boxes
from fkbench.datasets.samples import Frames, Samples
from fkbench.detect import detector_settings, open_detector
from fkbench.detect.finding import detector_facts, find_all
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.registry import load_registry
from fkbench.specs import Correction, DetectorSpec, Setting

SETTINGS = {
    "preset": Setting("plain", "which", ("plain", "fine")),
    "step": Setting(4, "px"),
    "grey": Setting(True, "g"),
}


def spec(finder=lambda image: [[1, 2, 30, 40]], **fields) -> DetectorSpec:
    return DetectorSpec(name="mine", find=lambda **settings: finder, **fields)


def test_a_preset_fills_what_is_not_given():
    made = spec(settings=SETTINGS, presets={"fine": {"step": 1, "grey": False}})
    assert detector_settings(made, {}) == {"preset": "plain", "step": 4, "grey": True}
    assert detector_settings(made, {"preset": "fine", "step": "2"}) == {"preset": "fine", "step": 2, "grey": False}
    resolved = detector_settings(made, {"preset": "fine"})
    assert detector_settings(made, resolved) == resolved
    with pytest.raises(UnknownNameError):
        detector_settings(made, {"preset": "coarse"})


def test_a_file_must_be_named_and_be_there(tmp_path):
    made = spec(settings={"model_path": Setting("", "f")}, files={"model_path": "weights"})
    assert made.unavailable() == "needs --set detector.model_path=FILE (weights)"
    with pytest.raises(FkbenchError, match="needs weights"):
        open_detector(made, {})
    with pytest.raises(FkbenchError, match="There is no file"):
        open_detector(made, {"model_path": str(tmp_path / "none")})
    (tmp_path / "net").write_bytes(b"1")
    opened = open_detector(made, {"model_path": str(tmp_path / "net")})
    assert detector_facts(opened)["settings"] == {"model_path": "net"}  # nobody's folders leave this machine


def test_packages_that_are_lacking_are_named_with_the_extra():
    made = spec(needs=("no_such_package",))
    with pytest.raises(FkbenchError, match="needs the package no_such_package") as caught:
        open_detector(made, {})
    assert "fkbench[detectors]" in caught.value.remedy
    told = spec(needs=("no_such_package",), install="fkbench[extra]").unavailable()
    assert told == "needs the package no_such_package: pip install 'fkbench[extra]'"


def test_what_a_finder_raises_is_one_line():
    def broken(image):
        return cv2.resize(image, (0, 0))

    with pytest.raises(FkbenchError, match=r"'mine' fails on a picture of 7×5 pixels: error"):
        open_detector(spec(broken), {}).find(np.zeros((5, 7), np.uint8))


def test_a_picture_without_pixels_has_no_faces_and_is_not_searched():
    def never(image):
        raise AssertionError

    assert len(open_detector(spec(never), {}).find(np.zeros((0, 7, 3), np.uint8))) == 0


def test_squares_are_corrected():
    made = open_detector(spec(corrections=(Correction(2.0, 0.5, 0),)), {})
    side = 2 * np.sqrt(30 * 40)
    found = made.find(np.zeros((99, 99), np.uint8))
    np.testing.assert_allclose(made.squares(found), [[16 + 15 - side / 2, 22 - side / 2, side, side]])


@pytest.mark.parametrize("name", ["truth", "frame"])
def test_oracles_look_for_no_faces(name):
    with pytest.raises(FkbenchError, match=f"'{name}' does not look for faces"):
        open_detector(load_registry().get(DetectorSpec, name), {})


class Counting:
    """Finds the bright box of a picture, the largest without a score first, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image):
        self.calls += 1
        rows, columns = np.nonzero(image[:, :, 0])
        if not len(rows):
            return None
        x, y = columns.min(), rows.min()
        return [[x, y, columns.max() + 1 - x, rows.max() + 1 - y, 0.5], [0, 0, 3, 3, 0.1]]


def bright() -> Samples:
    frames = [np.zeros((40, 60), np.uint8) for _ in range(3)]
    frames[0][10:20, 30:50] = 255
    frames[2][:] = 255
    return Samples(("a", "b", "c"), Frames.pack(frames), np.zeros((3, 2, 2), np.float32), ("a", "b", "c"), "sha256:1")


def test_boxes_of_a_dataset_are_main_faces_corrected_and_missed_ones_the_frame(store):
    counting = Counting()
    made = spec(counting, corrections=(Correction(1.0, 0.0, 0.1),), settings={"n": Setting(0, "n")})
    boxes, missed = find_boxes(made, bright(), {"n": 0}, store)
    side = np.sqrt(200)
    assert missed.tolist() == [False, True, False]
    np.testing.assert_allclose(boxes[0], [40 - side / 2, 16 - side / 2, side, side])
    np.testing.assert_allclose(boxes[1], [0, -10, 60, 60])
    assert counting.calls == 3
    again, _ = find_boxes(made, bright(), {"n": 0}, store)
    np.testing.assert_array_equal(again, boxes)
    assert counting.calls == 3  # kept
    find_boxes(made, bright(), {"n": 1}, store)
    assert counting.calls == 6  # other settings
    opened = open_detector(made, {}, store)
    some = find_all(opened, bright().frames, [2, 0], {"fingerprint": "sha256:1"}, store)  # known from all of them
    assert [len(each) for each in some] == [2, 2]
    assert some[0].boxes[0].tolist() == [0, 0, 60, 40]
    find_all(opened, bright().frames, [2, 0], {"fingerprint": "sha256:2"}, store)
    assert counting.calls == 8  # other frames


def test_only_the_pictures_that_are_asked_for_are_searched_and_none_twice(store):
    counting = Counting()
    made = spec(counting, settings={"n": Setting(0, "n")})
    boxes, missed = find_boxes(made, bright(), {"n": 0}, store, rows=[0, 1])
    assert counting.calls == 2
    assert missed.tolist() == [False, True, False]
    assert np.isfinite(boxes).all(axis=1).tolist() == [True, True, False]
    whole, _ = find_boxes(made, bright(), {"n": 0}, store)
    np.testing.assert_array_equal(boxes[:2], whole[:2])
    calls = counting.calls
    again, missed = find_boxes(made, bright(), {"n": 0}, store, rows=[2, 1])
    assert counting.calls == calls  # all of them were searched before
    assert missed.tolist() == [False, True, False]
    np.testing.assert_array_equal(again[1:], whole[1:])
