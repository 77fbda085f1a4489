"""Every detector that can be used here, on odd pictures and on real faces; files that are not what they should be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fkbench_plugins.detectors import blazeface, mtcnn, yunet

from fkbench.detect import open_detector
from fkbench.errors import FkbenchError
from fkbench.registry import load_registry
from fkbench.specs import DetectorSpec

USABLE = [spec for spec in load_registry().all(DetectorSpec) if spec.find is not None and spec.unavailable() is None]
SEARCHING = [spec for spec in load_registry().all(DetectorSpec) if spec.find is not None]
SOURCE = np.random.default_rng(0)
ODD = {
    "empty": np.zeros((0, 0, 3), np.uint8),
    "one pixel": np.full((1, 1, 3), 7, np.uint8),
    "one row": SOURCE.integers(0, 256, (1, 40, 3), np.uint8),
    "one column": SOURCE.integers(0, 256, (40, 1), np.uint8),
    "3×2": SOURCE.integers(0, 256, (2, 3, 3), np.uint8),
    "12×12": SOURCE.integers(0, 256, (12, 12, 3), np.uint8),
    "10 000 wide": np.tile(SOURCE.integers(0, 256, (60, 100, 3), np.uint8), (1, 100, 1)),
    "grey": np.full((90, 90), 128, np.uint8),
    "RGBA": np.full((90, 90, 4), 128, np.uint8),
    "16 bits": np.full((90, 90), 30_000, np.uint16),
    "not writable": np.broadcast_to(np.full((1, 1, 3), 90, np.uint8), (64, 64, 3)),
}


@pytest.mark.parametrize("spec", SEARCHING, ids=lambda spec: spec.name)
def test_each_says_its_licence_and_settings(spec):
    assert spec.licence
    assert all(setting.help for setting in spec.settings.values())
    assert set(spec.files) <= set(spec.settings)
    for values in spec.presets.values():
        assert set(values) <= set(spec.settings)
    for correction in spec.corrections:
        assert set(correction.settings) <= set(spec.settings)
        assert {"dataset", "fingerprint", "split", "part", "frames", "faces", "versions"} <= set(correction.provenance)


@pytest.mark.parametrize("spec", USABLE, ids=lambda spec: spec.name)
def test_odd_pictures_have_an_answer_that_does_not_depend_on_the_one_before(spec):
    detector = open_detector(spec, {})
    found = {name: detector.find(picture) for name, picture in ODD.items()}
    for name in ("empty", "one pixel", "one row", "one column", "3×2", "grey", "RGBA", "16 bits", "not writable"):
        assert len(found[name]) == 0, name
    for name in reversed(ODD):
        assert detector.find(ODD[name]).rows == found[name].rows


@pytest.mark.realdata
@pytest.mark.parametrize("spec", USABLE, ids=lambda spec: spec.name)
def test_two_faces_are_two_faces_in_colour_grey_and_after_another_picture(spec, shared_data):
    picture = cv2.imread(str(shared_data / "photos" / "obamas.jpg"), cv2.IMREAD_COLOR_RGB)
    detector = open_detector(spec, {})
    found = detector.find(picture)
    assert len(found) == 2
    left, right = sorted(detector.squares(found).tolist())
    for box, (x, y) in ((left, (262, 180)), (right, (455, 232))):  # about where the noses are
        assert box[0] < x - 30 < x + 30 < box[0] + box[2]
        assert box[1] < y - 30 < y + 30 < box[1] + box[3]
    grey = detector.find(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    assert len(grey) == 2
    assert detector.find(picture).rows == found.rows


@pytest.mark.parametrize("spec", [yunet.SPEC, blazeface.SPEC], ids=lambda spec: spec.name)
def test_a_file_that_is_no_net_is_refused_in_one_line(spec, tmp_path):
    path = tmp_path / "net.bin"
    path.write_bytes(b"no net at all" * 50)
    with pytest.raises(FkbenchError, match=r"does not (load|run)"):
        open_detector(spec, {"model_path": str(path)})


def test_anchors_are_the_cells_of_the_grids():
    for name, side in (("short", 128), ("back", 256), ("full", 192)):
        layout = blazeface.LAYOUTS[name]
        anchors = layout.anchors()
        assert layout.side == side
        assert len(anchors) == (2304 if name == "full" else 896)
        assert anchors.min() > 0
        assert anchors.max() < 1
    anchors = blazeface.LAYOUTS["back"].anchors()
    np.testing.assert_allclose(anchors[:3], [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]])
    np.testing.assert_allclose(anchors[512], [1 / 16, 1 / 16])
    np.testing.assert_allclose(anchors[-1], [15 / 16, 15 / 16])


def test_raw_outputs_become_boxes_and_probabilities():
    raw = np.zeros((1, 16))
    raw[0, :4] = 16, -32, 64, 32
    boxes, scores = blazeface.decode(raw, np.array([0.0]), np.array([[0.5, 0.5]]), 128)
    np.testing.assert_allclose(boxes, [[0.5 + 0.125 - 0.25, 0.5 - 0.25 - 0.125, 0.5, 0.25]])
    assert scores.tolist() == [0.5]


def test_overlapping_boxes_are_averaged_by_their_scores():
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 10, 10]])
    merged = blazeface.merge(boxes, np.array([0.25, 0.75, 0.5]), 0.3)
    np.testing.assert_allclose(merged, [[0.75, 0, 10, 10, 0.75], [50, 50, 10, 10, 0.5]])
    assert blazeface.merge(np.zeros((0, 4)), np.zeros(0), 0.3).shape == (0, 5)


class Net:
    """Answers at one anchor with a box about it, whatever it sees; remembers the picture's blob."""

    def setInput(self, blob):  # noqa: N802 - OpenCV's name
        self.blob = blob

    def forward(self, names):
        raw, logits = np.zeros((1, 896, 16), np.float32), np.full((1, 896, 1), -9, np.float32)
        raw[0, 0, 2:4], logits[0, 0] = 64, 3
        return raw, logits


def test_a_box_comes_back_through_the_letterbox():
    layout = blazeface.LAYOUTS["back"]
    net = Net()
    finder = blazeface.BlazeFace(net, ("a", "b"), "", layout.side, layout.anchors(), 0.5, 0.3)
    picture = np.full((100, 400, 3), 255, np.uint8)
    (row,) = finder(picture)
    # anchor (1/32, 1/32) of a square of 400 px in which the picture lies 150 px from the top; the box is 100 px large
    np.testing.assert_allclose(row[:4], [12.5 - 50, 12.5 - 50 - 150, 100, 100])
    assert net.blob.shape == (1, 3, 256, 256)
    assert (net.blob[0, :, 128] == 1).all()
    assert (net.blob[0, :, 10] == -1).all()


@pytest.mark.parametrize("detector", [mtcnn, yunet], ids=lambda module: module.SPEC.name)
def test_each_setting_that_is_out_of_range_is_named(detector):
    defaults = {name: setting.default for name, setting in detector.SPEC.settings.items()}
    numbers = [name for name, value in defaults.items() if isinstance(value, int | float)]
    assert "longest" in numbers
    for name in numbers:
        with pytest.raises(FkbenchError) as caught:
            detector.find(**{**defaults, name: 0})
        assert name in caught.value.message
