"""Scores computed again: what a check finds, what it cannot see, and that each of its steps is taken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, form, publish
from fkbench.publishing import verifying as module
from fkbench.publishing.labels import Labels
from fkbench.publishing.predictions import rounding_of
from fkbench.publishing.verifying import verify
from fkbench.records import (
    ERRORS_FILE,
    PREDICTIONS_FILE,
    RECORD_FILE,
    ResultStore,
    read_errors,
    read_points,
    verification_of,
    write_errors,
    write_predictions,
    write_verification,
)
from fkbench.registry import Registry
from fkbench.specs import DatasetSpec, MetricSpec, Plugin

IMAGES = 48


@pytest.fixture
def truth(monkeypatch):
    """The dataset of the runs is at hand: gives its labels, which a test may change."""
    points = np.random.default_rng(8).uniform(4.0, 92.0, (IMAGES, 5, 2))
    names = tuple(f"image{i}" for i in range(IMAGES))
    spec = DatasetSpec(name="faces", load=lambda *_: None, scheme="face15", splits=())
    found = Labels(
        spec, names, tuple(f"person{i // 3}" for i in range(IMAGES)), None, None, points,
        np.ones(points.shape[:2], bool), np.ones(IMAGES), {"inter_ocular": ((0,), (1,))},
    )  # fmt: skip
    monkeypatch.setattr(module, "labels_of", lambda *_: found)
    return found


def check(record, tmp_path, predict=None, registry=None):
    return verify(record, registry or Registry(), tmp_path / "data", predict)


def rewrite(record, **metrics):
    path = Path(record.path) / RECORD_FILE
    page = json.loads(path.read_text())
    page["metrics"].update(metrics)
    page["files"] = {}
    path.write_text(json.dumps(page))
    return ResultStore(path.parents[3]).find(record.key)


def test_a_sound_run_is_arithmetic_checked_with_the_labels_and_less_without(put, tmp_path, truth, monkeypatch):
    record = put("net", 2.0)
    found = check(record, tmp_path)
    assert (found.level, found.mismatches) == ("arithmetic checked", [])
    assert {line.verdict for line in found.lines} == {"equal"}
    assert found.from_predictions["rmse"] == pytest.approx(record.metric("rmse"), rel=1e-6)
    monkeypatch.undo()
    found = check(record, tmp_path)
    assert (found.level, found.mismatches) == ("arithmetic checked (errors only)", [])
    assert "not registered here" in found.notes[0]


@pytest.mark.parametrize("metric", ["rmse", "mae", "nme@inter_ocular", "auc@8", "rmse_x", "rmse_native"])
def test_every_metric_is_checked(put, tmp_path, truth, metric):
    record = put("net", 2.0)
    changed = rewrite(record, **{metric: record.metrics[metric] * 1.0001})
    [line] = check(changed, tmp_path).mismatches
    assert line.startswith(f"{metric}: ")


def test_lists_intervals_and_metrics_of_other_forms_are_checked(put, tmp_path, truth):
    record = put("net", 2.0)
    points = [*record.metrics["rmse_by_point"][:-1], 9.0]
    found = check(rewrite(record, rmse_by_point=points, rmse_ci=None, mae="1.0", unheard_of=3.0), tmp_path)
    assert {line.split(":")[0] for line in found.mismatches} == {"rmse_by_point", "rmse_ci", "mae"}
    assert {line.metric for line in found.lines if line.verdict == "not recomputed"} == {"unheard_of"}


def test_a_plugins_metric_is_computed_again_where_the_plugin_is_here(put, tmp_path, truth):
    registry = Registry()
    registry.add([MetricSpec(name="first", compute=lambda errors: float(errors.sum_sq[0]))], Plugin("test", "1"))
    record = put("net", 2.0)
    right = float(read_errors(Path(record.path) / ERRORS_FILE).sum_sq[0])
    assert check(rewrite(record, first=right), tmp_path, registry=registry).mismatches == []
    assert "first" in check(rewrite(record, first=right + 1), tmp_path, registry=registry).mismatches[0]


def test_errors_that_are_not_those_of_the_predictions_are_found(put, tmp_path, truth):
    record = put("net", 2.0)
    ids, points = read_points(Path(record.path) / PREDICTIONS_FILE)
    points[7, 2, 0] += 0.01
    write_predictions(Path(record.path) / PREDICTIONS_FILE, ids, points)
    found = check(rewrite(record), tmp_path)
    assert any("sum_sq: 1 of 48 images differ, 'image7' most" in line for line in found.mismatches)


def test_groups_that_are_not_the_datasets_are_found(put, tmp_path, truth):
    record = put("net", 2.0)
    path = Path(record.path) / ERRORS_FILE
    errors = read_errors(path)
    object.__setattr__(errors, "group", tuple(errors.ids))
    write_errors(path, errors)
    assert "group: not those of the dataset" in check(rewrite(record, rmse_ci=None), tmp_path).mismatches


FACTS = {
    "official": {"labels": True, "pixels": False},
    "counts": {"train": 80, "val": 10, "test": IMAGES},
    "leaky": False,
    "leaks": {"clips": {"total": 3}},
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"dataset__official": {"labels": True, "pixels": None}}, []),
        ({"dataset__official": {"labels": False, "pixels": False}}, ["official labels: the record has false, the"]),
        ({"dataset__official": {"labels": True, "pixels": True}}, ["official pixels: the record has true, the"]),
        ({"dataset__counts": {"train": 80, "val": 10, "test": IMAGES}}, []),
        ({"dataset__counts": {"train": 800, "test": IMAGES}}, ["images in train: the record has 800, the dataset"]),
        ({"flags": ["leaky"]}, ["flag leaky: the record has true, the dataset here false"]),
        ({"dataset__leaks": {"clips": {"total": 3}}}, []),
        ({"dataset__leaks": {"clips": {"total": 0}}}, ["leaks: the record has other numbers"]),
    ],
)
def test_what_a_record_says_of_its_data_is_held_to_the_dataset(put, tmp_path, truth, changes, said):
    truth.facts.update(FACTS)
    found = check(put("net", 2.0, **changes), tmp_path).mismatches
    assert len(found) == len(said)
    assert all(line.startswith(text) for line, text in zip(found, said, strict=True))


def test_published_points_are_held_to_the_bound_of_their_rounding(put, store, tmp_path, truth):
    put("net", 2.0)
    publish(store.records(), tmp_path / "lb", Scrubber())
    [record] = ResultStore(tmp_path / "lb").records()
    found = check(record, tmp_path)
    assert (found.level, found.mismatches) == ("arithmetic checked", [])
    assert "float16" in found.notes[-1]
    path = Path(record.path.removesuffix("json") + PREDICTIONS_FILE)
    ids, points = read_points(path)
    points = points.copy()
    points[3] += 4 * np.spacing(points[3])
    from fkbench.records import encode_predictions

    path.write_bytes(encode_predictions(ids, points, np.float16))
    lines = check(record, tmp_path).mismatches
    assert any("'image3' most" in line for line in lines)
    assert any("not the file that the record lists" in line for line in lines)


def test_files_that_cannot_be_read_are_mismatches(put, tmp_path, truth, monkeypatch):
    def locked(path):
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(form, "sha256_of", locked)
    lines = check(put("net", 2.0), tmp_path).mismatches
    assert lines == [f"{name}: it cannot be read" for name in (ERRORS_FILE, PREDICTIONS_FILE)]


def test_rounding_to_float16_stays_within_the_stated_bound():
    exact = np.random.default_rng(0).uniform(-600, 600, (500, 4, 2)).astype(np.float32)
    stored = exact.astype(np.float16)
    assert (np.abs(stored.astype(np.float64) - exact) <= rounding_of(stored)).all()
    assert not rounding_of(exact).any()


@pytest.mark.parametrize(("shift", "level"), [(0.0, "predicted again"), (0.02, "predicted again"), (0.5, None)])
def test_weights_must_give_the_stored_predictions(put, tmp_path, truth, shift, level):
    record = put("net", 2.0)
    ids, points = read_points(Path(record.path) / PREDICTIONS_FILE)
    found = check(record, tmp_path, lambda _: (ids, points + np.float32(shift)))
    assert found.deviation == pytest.approx(shift, abs=1e-3)
    assert bool(found.mismatches) == (level is None)
    if level:
        assert found.level == level


def test_what_was_found_is_stored_and_counts_until_something_changes(put, tmp_path, truth):
    record = put("net", 2.0)
    write_verification(record, check(record, tmp_path).verification)
    assert verification_of(record).level == "arithmetic checked"
    ids, points = read_points(Path(record.path) / PREDICTIONS_FILE)
    write_predictions(Path(record.path) / PREDICTIONS_FILE, ids, points + 1)
    assert verification_of(record) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"verification": 1, "level": "absolute"}', "[" * 5000])
def test_a_damaged_verification_says_nothing(put, tmp_path, text):
    record = put("net", 2.0)
    (Path(record.path) / "verification.json").write_text(text)
    assert verification_of(record) is None


def test_an_unfinished_run_cannot_be_checked(put, tmp_path):
    with pytest.raises(FkbenchError, match="nothing to check"):
        check(put("net", status="failed", reason="NaN", metrics={}), tmp_path)
