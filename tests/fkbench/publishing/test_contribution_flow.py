"""Honest contributions pass all steps of the workflow, whatever their texts say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from contribution_flow import DETECTOR, ONLY, SAME, boxed, build, check, git, record_of

from fkbench.publishing import Scrubber, Sides, publish, publish_detectors, rebuild
from fkbench.records import RunStore, Verification, subject_of, write_verification
from fkbench.records.detection_keys import boxed_stem, detector_key, detector_stem


@pytest.mark.slow
def test_an_honest_contribution_passes_with_its_tables(workspace):
    rebuild(workspace / "contributed" / "leaderboards")
    (workspace / "contributed" / "setup.py").write_text("open('ran', 'w')")
    failed, said = check(workspace)
    assert failed == "", said
    assert "Not looked at: setup.py" in said
    assert not (workspace / "ran").exists()
    assert len(list((workspace / "merged" / "results").glob("*/*.json"))) == 2


@pytest.mark.slow
def test_code_and_difference_are_of_one_commit_of_the_base_branch(workspace):
    base = subprocess.check_output(["git", "-C", str(workspace / "contributed"), "rev-parse", "HEAD"], text=True)
    check(workspace)
    assert (workspace / "outputs").read_text() == f"commit={base}"


@pytest.mark.slow
def test_what_is_published_from_checked_runs_with_detectors_is_taken(workspace, tmp_path):
    runs = RunStore(tmp_path / "new")
    [record] = runs.records()
    write_verification(record, Verification(key=record.key, subject=subject_of(record), level="arithmetic checked"))
    (Path(record.path) / f"{boxed_stem(boxed(record))}.json").write_text(json.dumps(boxed(record)))
    (runs.root / "detectors" / "faces").mkdir(parents=True)
    (runs.root / "detectors" / "faces" / f"{detector_stem(DETECTOR)}.json").write_text(json.dumps(DETECTOR))
    published = workspace / "contributed" / "leaderboards"
    done = publish(runs.records(), published, Scrubber())
    publish_detectors(runs.root, published, Scrubber(), done.sides)
    assert len(done.sides.written) == 2
    assert not (published / "verified").exists()
    rebuild(published)
    failed, said = check(workspace)
    assert failed == "", said
    assert len(list((workspace / "merged" / "results").glob("*/*.detector.json"))) == 1
    assert len(list((workspace / "merged" / "results").glob("*/*.score.json"))) == 1


def contribute_detector(workspace, tmp_path):
    """A contribution of a detector's score and of no run; returns its file."""
    published = workspace / "contributed" / "leaderboards"
    for file in list((published / "results").glob("*/new-*")):
        file.unlink()
    source = tmp_path / "found" / "detectors" / "faces" / f"{detector_stem(DETECTOR)}.json"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(DETECTOR))
    publish_detectors(tmp_path / "found", published, Scrubber(), Sides())
    (file,) = (published / "results").glob("*/*.detector.json")
    return file


@pytest.mark.slow
def test_detectors_alone_are_taken(workspace, tmp_path):
    contribute_detector(workspace, tmp_path)
    rebuild(workspace / "contributed" / "leaderboards")
    failed, said = check(workspace)
    assert failed == "", said
    assert len(list((workspace / "merged" / "results").glob("*/*.detector.json"))) == 1
    assert (workspace / "merged" / "detectors-faces-honest-01234567.md").is_file()


@pytest.mark.slow
def test_a_detectors_file_that_is_not_as_it_would_be_published_is_refused(workspace, tmp_path):
    file = contribute_detector(workspace, tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text())))
    failed, said = check(workspace)
    assert failed == SAME, said
    assert "is not what its content gives at this place" in said


def of_other_versions(page):
    return {**page, "detector": {**page["detector"], "versions": {"cv2": "4.15.0"}}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda page: {**page, "key": "f" * 16}, "another key than its content gives"),
        (
            lambda page: (page := of_other_versions(page)) | {"key": detector_key(page)},
            "has a score with these settings",
        ),
    ],
)
def test_a_second_row_of_a_detector_is_refused(workspace, tmp_path, change, said):
    file = contribute_detector(workspace, tmp_path)
    git(workspace / "contributed", "add", "-A")
    git(workspace / "contributed", "commit", "-qm", "taken before")
    page = change(json.loads(file.read_text()))
    second = file.with_name(f"finder-{page['key']}.detector.json")
    second.write_text(json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    failed, text = check(workspace)
    assert failed == ONLY, text
    assert said in text


@pytest.mark.slow
def test_a_detectors_published_file_is_not_changed(workspace, tmp_path):
    file = contribute_detector(workspace, tmp_path)
    git(workspace / "contributed", "add", "-A")
    git(workspace / "contributed", "commit", "-qm", "taken before")
    file.write_text(file.read_text().replace("0.9", "0.95"))
    failed, said = check(workspace)
    assert failed == ONLY, said
    assert "changes what is published" in said


@pytest.mark.slow
def test_text_of_a_record_begins_no_line(workspace, tmp_path, put_in):
    for file in record_of(workspace).parent.glob("new-*"):
        file.unlink()
    runs = RunStore(tmp_path / "long")
    put_in(runs, "n" + " ".join(["::error::x", "##[error]x"] * 9), 1.0)
    publish(runs.records(), workspace / "contributed" / "leaderboards", Scrubber())
    failed, said = check(workspace)
    assert failed == "", said
    assert "::error::x" in said
    assert not re.search(r"^\s*(::|##\[)", said, re.MULTILINE)


@pytest.mark.slow
def test_markup_in_a_record_stays_inert_on_the_page(workspace, tmp_path, put_in):
    for file in record_of(workspace).parent.glob("new-*"):
        file.unlink()
    runs = RunStore(tmp_path / "markup")
    put_in(
        runs,
        "x<script>alert(1)</script>",
        1.0,
        environment={"python": "\u202e<img src=x onerror=alert(2)>\n::error::x"},
    )
    publish(runs.records(), workspace / "contributed" / "leaderboards", Scrubber())
    failed, said = check(workspace)
    assert failed == "", said
    shutil.move(workspace / "merged", tmp_path / "leaderboards")
    assert build(tmp_path) == "built=yes\n"
    pages = list((tmp_path / "page").rglob("*.html"))
    assert pages
    for one in pages:
        text = one.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<img src=x" not in text
