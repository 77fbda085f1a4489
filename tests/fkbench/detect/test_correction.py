"""Corrections: by hand, fitted, chosen and kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fkbench.detect.correction import choose_correction, corrected, fit_correction, residuals, store_correction
from fkbench.errors import FkbenchError
from fkbench.specs import Correction, DetectorSpec

BOXES = np.array([[10.0, 20, 40, 90]])


def test_a_corrected_box_by_hand():
    square = corrected(BOXES, Correction(scale=1.5, dx=0.1, dy=-0.2))
    side = 1.5 * 60  # √(40·90) = 60
    np.testing.assert_allclose(square, [[30 + 4 - side / 2, 65 - 18 - side / 2, side, side]])


def test_no_correction_keeps_area_and_centre():
    np.testing.assert_allclose(corrected(BOXES, Correction()), [[0, 35, 60, 60]])


def test_the_fit_finds_the_correction_that_made_the_boxes_through_a_third_of_nonsense():
    source = np.random.default_rng(0)
    boxes = np.column_stack([source.uniform(0, 99, (90, 2)), source.uniform(20, 60, (90, 2))])
    wanted = Correction(1.25, 0.03, 0.11)
    truth = corrected(boxes, wanted)
    truth[::3] += source.uniform(-9, 9, (30, 4)) * [1, 1, 0, 0]
    truth[::3, 2:] *= source.uniform(0.5, 2, (30, 1))
    fitted = fit_correction(boxes, truth)
    assert fitted.scale == pytest.approx(1.25, abs=0.02)
    assert fitted.dx == pytest.approx(0.03, abs=0.02)
    assert fitted.dy == pytest.approx(0.11, abs=0.02)
    np.testing.assert_allclose(residuals(corrected(boxes, wanted), corrected(boxes, wanted)), 0, atol=1e-12)


def test_too_few_faces_give_no_correction():
    with pytest.raises(FkbenchError, match="found 3 of the training faces"):
        fit_correction(np.ones((3, 4)), np.ones((3, 4)))


def test_what_is_left_over_is_in_shares_of_the_side():
    off = residuals(np.array([[12.0, 21, 55, 55]]), np.array([[10.0, 20, 50, 50]]))
    np.testing.assert_allclose(off, [[(12 + 27.5 - 35) / 50, (21 + 27.5 - 45) / 50, 0.1]])


SPEC = DetectorSpec(
    name="d",
    find=lambda: None,
    corrections=(Correction(2.0), Correction(3.0, settings={"model": "b"}), Correction(4.0, settings={"model": "c"})),
)


def test_the_correction_that_names_the_settings_is_chosen_and_one_fitted_here_first(store):
    assert choose_correction(SPEC, {"model": "a"}).scale == 2
    assert choose_correction(SPEC, {"model": "b"}).scale == 3
    assert choose_correction(DetectorSpec(name="bare"), {}).scale == 1
    mine = Correction(5.0, 0.1, 0.2, provenance={"dataset": "own"})
    store_correction(SPEC, {"model": "b"}, mine, store)
    assert choose_correction(SPEC, {"model": "b"}, store) == mine
    assert choose_correction(SPEC, {"model": "a"}, store).scale == 2


def test_a_correction_that_cannot_be_written_leaves_the_one_before(store, monkeypatch):
    """Others read the folder, too: they find a whole file."""
    store_correction(SPEC, {}, Correction(5.0, provenance={"a": 1}), store)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("fkbench.records.files.os.fsync", full)
        with pytest.raises(FkbenchError, match="No space left on device"):
            store_correction(SPEC, {}, Correction(6.0), store)
    assert choose_correction(SPEC, {}, store).scale == 5


def test_a_detectors_name_cannot_lead_out_of_the_folder(store):
    spec = DetectorSpec(name="../../d", find=lambda: None)
    path = Path(store_correction(spec, {}, Correction(5.0), store))
    assert path.resolve().parent == (store.root / "detectors" / "corrections").resolve()
    assert choose_correction(spec, {}, store).scale == 5


@pytest.mark.parametrize("bad", ["nonsense", '{"scale": 1}', '{"scale": -1, "dx": 0, "dy": 0, "provenance": {}}'])
def test_a_damaged_correction_is_named(store, bad):
    path = store_correction(SPEC, {}, Correction(provenance={"a": 1}), store)
    assert json.loads(Path(path).read_text())["fitted"]
    Path(path).write_text(bad)
    with pytest.raises(FkbenchError, match="correction"):
        choose_correction(SPEC, {}, store)
