"""What is published: nothing private, no names that act, and nothing that does not hold together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from published_folder import content, publish_all, tables

from fkbench.publishing import RefusedError, Scrubber, published_form
from fkbench.publishing.contributions import Change, fault_of
from fkbench.records import (
    ERRORS_FILE,
    PREDICTIONS_FILE,
    RECORD_FILE,
    ResultStore,
    read_errors,
    read_points,
    write_arrays,
    write_errors,
    write_predictions,
)
from fkbench.records.arrays import read_arrays


def test_nothing_private_is_published(store, put, tmp_path):
    put("net", 1.0, environment={"platform": "Linux", "cpu": "CPU", "user": "jane"}, model__plugin="/home/jane/net.py")
    put("broken", status="failed", reason="no file '/home/jane/x'", metrics={}, timing=None)
    publish_all(store, tmp_path / "lb")
    for name, data in content(tmp_path / "lb").items():
        assert b"jane" not in data, name
        assert b"/home" not in data, name
        assert str(tmp_path).encode() not in data, name


NAMES = ["<script>alert(1)</script>", "..up", "a\"b'c", "\u202egnp.exe", "x" * 200, "a\\b", "...", "con", "é✓"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_in_the_folder_and_do_nothing(store, put, tmp_path, name):
    put(name, 1.0, dataset__split=name, box=name, flags=[name])
    publish_all(store, tmp_path / "deep" / "lb")
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(tmp_path / "deep" / "lb")]
    assert all(path.is_relative_to(tmp_path / "runs") for path in outside)
    assert len(ResultStore(tmp_path / "deep" / "lb").records()) == 1
    for path, data in tables(tmp_path / "deep" / "lb").items():
        assert len(path) < 160
        if path.endswith(".md"):
            assert b"<script" not in data
            assert "\u202e".encode() not in data


def _tamper_errors(folder, change):
    errors = read_errors(folder / ERRORS_FILE)
    change(errors)
    write_errors(folder / ERRORS_FILE, errors)


def _relist(folder):
    page = json.loads((folder / RECORD_FILE).read_text())
    page["files"] = {}
    (folder / RECORD_FILE).write_text(json.dumps(page))


def _halve(errors):
    for sums in (errors.sum_sq, errors.sum_sq_x, errors.sum_sq_y, errors.point_sum_sq):
        sums[:] /= 2


def _negative(errors):
    errors.sum_abs[0] = -1.0


def _uncount(errors):
    errors.count[0] += 2


def _swap(folder):
    ids, points = read_points(folder / PREDICTIONS_FILE)
    write_predictions(folder / PREDICTIONS_FILE, ids[::-1], points)


def _far(folder):
    ids, points = read_points(folder / PREDICTIONS_FILE)
    write_predictions(folder / PREDICTIONS_FILE, ids, points + 1e6)


REFUSED = {
    "do not give its rmse": lambda f: (_tamper_errors(f, _halve), _relist(f)),
    "negative or not finite": lambda f: (_tamper_errors(f, _negative), _relist(f)),
    "other coordinates": lambda f: (_tamper_errors(f, _uncount), _relist(f)),
    "not the file that the record lists": lambda f: _tamper_errors(f, _halve),
    "there is no file": lambda f: (f / ERRORS_FILE).unlink(),
    "in another order": lambda f: (_swap(f), _relist(f)),
    "beyond the range of float16": lambda f: (_far(f), _relist(f)),
    "is damaged": lambda f: ((f / PREDICTIONS_FILE).write_bytes(b"\x00" * 40), _relist(f)),
    "no history of a run": lambda f: (f / "history.csv").write_text("a,b\n1,2\n"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_does_not_hold_together_is_refused_with_the_reason_and_the_rest_is_published(store, put, tmp_path, reason):
    put("fine", 1.0)
    bad = put("bad", 2.0)
    REFUSED[reason](Path(bad.path))
    done = publish_all(store, tmp_path / "lb")
    assert reason in done.refused[bad.path]
    assert [record.model.name for record in ResultStore(tmp_path / "lb").records()] == ["fine"]


@pytest.mark.parametrize("name", [" ", "\t\u00a0", "\u200b"])
@pytest.mark.parametrize("part", ["model", "dataset"])
def test_blank_names_are_refused(put, part, name):
    with pytest.raises(RefusedError, match="is blank"):
        published_form(put(**{f"{part}__name": name}), Scrubber())


@pytest.mark.parametrize("name", ["=cmd()|x", "-rf", ".hidden", "é✓", "net"])
def test_files_of_what_is_published_have_names_that_a_contribution_may_have(store, put, tmp_path, name):
    put("any", 1.0, model__name=name)
    publish_all(store, tmp_path / "lb")
    files = [file for file in (tmp_path / "lb" / "results").rglob("*") if file.is_file()]
    assert len(files) == 4
    for file in files:
        path = f"leaderboards/results/{file.parent.name}/{file.name}"
        assert fault_of(Change(path, "100644", "A")) == "", path
    [record] = ResultStore(tmp_path / "lb").records()
    assert record.model.name == name


def test_paths_in_names_are_refused(store, put):
    with pytest.raises(RefusedError, match="is a path of a machine"):
        published_form(put("/home/jane/net"), Scrubber())
    for name in ("../../../etc/passwd", "a\\..\\b", ".."):
        with pytest.raises(RefusedError, match="is a path"):
            published_form(put(name), Scrubber())
    record = put("net")
    path = Path(record.path) / ERRORS_FILE
    arrays, _ = read_arrays(path)
    text = bytes(arrays["group"]).replace(b"person3", b"/home/j").replace(b"/home/j", b"/ab/cde")
    write_arrays(path, {**arrays, "group": np.frombuffer(text, np.uint8)})
    _relist(Path(record.path))
    with pytest.raises(RefusedError, match="'/ab/cde' of an image or group is a path"):
        published_form(store.records()[-1], Scrubber())
