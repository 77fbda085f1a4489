"""What a contribution may be: trusted code alone looks at it, and it adds whole results and nothing else."""

from __future__ import annotations

import json
import re
import shutil

import pytest

pytest.importorskip("yaml")

import yaml
from contribution_flow import DETECTOR, FLOW, STEPS, WORKFLOWS, boxed, build, change, record_of

from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, Sides, publish_detectors
from fkbench.publishing import contributions as module
from fkbench.publishing.contributions import Change, changes_of, check_same, fault_of, take
from fkbench.records import RunStore
from fkbench.records.detection_keys import boxed_stem, detector_key, detector_stem
from fkbench.records.detections import detectors_of

EVENTS = FLOW[True]  # YAML 1.1 takes `on` for true
BOARD = "leaderboards/results/faces-honest-fair-v1-whole-01234567"


def test_the_base_branch_is_the_code_and_the_contribution_is_data():
    checkouts = {step["with"]["path"]: step["with"] for step in STEPS if "checkout" in step.get("uses", "")}
    assert checkouts["trusted"]["ref"] == "${{ steps.base.outputs.commit }}"  # which git says, see below
    assert checkouts["contributed"]["ref"] == "refs/pull/${{ github.event.pull_request.number }}/merge"
    assert all(one["persist-credentials"] is False for one in checkouts.values())
    scripts = [step["run"] for step in STEPS if "run" in step]
    installs = [line for script in scripts for line in script.splitlines() if "install" in line]
    assert installs == ["python -I -m pip install ./trusted"]
    assert not [script for script in scripts if "cd " in script or "contributed/" in script]
    for line in (line for script in scripts for line in script.splitlines() if line.strip().startswith("python")):
        assert line.strip().startswith("python -I -m ")  # -I: the working folder is not on the path


@pytest.mark.parametrize("name", ["leaderboard.yml", "ci.yml"])
def test_a_workflow_can_do_no_more_than_it_must(name):
    text = (WORKFLOWS / name).read_text(encoding="utf-8")
    flow = yaml.safe_load(text)
    assert "pull_request" in flow[True]
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert "secrets." not in text
    assert flow["permissions"] == {"contents": "read"}
    for job_name, job in flow["jobs"].items():
        assert job["timeout-minutes"] <= 90
        assert "permissions" not in job or job_name == "publish"
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")  # nothing of a contribution gets into a shell
            assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_only_main_is_published_and_its_page_is_built_anew():
    job = FLOW["jobs"]["publish"]
    assert job["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    assert FLOW["jobs"]["check"]["if"] == "github.event_name == 'pull_request'"
    assert EVENTS["push"]["branches"] == ["main"]
    uses = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert uses[-3:] == ["actions/configure-pages", "actions/upload-pages-artifact", "actions/deploy-pages"]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (change(f"{BOARD}/net-0123456789abcdef.json"), ""),
        (change(f"{BOARD}/net-0123456789abcdef-012345.errors.safetensors"), ""),
        (change("leaderboards/index.md", "M"), ""),
        (change("fkbench/evil.py"), ""),
        (change(f"{BOARD}/net-0123456789abcdef.boxed-find.er-0-0a1b2c3d.score.json"), ""),
        (change("leaderboards/results/detectors-faces-honest-01234567/finder-0123456789abcdef.detector.json"), ""),
        (change(f"{BOARD}/net-0123456789abcdef.json", "M"), "changes what is published"),
        (change(f"{BOARD}/net-0123456789abcdef.errors.safetensors", "M"), "changes what is published"),
        (change(f"{BOARD}/net-0123456789abcdef.boxed-finder-0a1b2c3d.score.json", "T"), "changes what is published"),
        (change(f"{BOARD}/net-0123456789abcdef.py"), "no file of a result"),
        (change(f"{BOARD}/net-0123456789abcdef.score.json"), "no file of a result"),
        (change(f"{BOARD}/net-0123456789abcdef.boxed-finder.score.json"), "no file of a result"),
        (change(f"{BOARD}/net-0123456789abcdef.timing.json"), "no file of a result"),
        (change(f"{BOARD}/evil.json"), "no file of a result"),
        (change(f"{BOARD}/deep/net-0123456789abcdef.json"), "no file of a result"),
        (change("leaderboards/results/conftest.py"), "no file of a result"),
        (change(f"{BOARD}/../net-0123456789abcdef.json"), "no file of a result"),
        (change(f"{BOARD}/<b>-0123456789abcdef.json"), "no file of a result"),
        (change(f"{BOARD}/net-0123456789abcdef.json", mode="120000"), "is a link"),
        (change(f"{BOARD}/net-0123456789abcdef.json", "T", "120000"), "is a link"),
        (change(f"{BOARD}/net-0123456789abcdef.json", mode="100755"), "is a link, executable"),
        (change(BOARD, mode="160000"), "is a link, executable or no file"),
        (change(f"{BOARD}/net-0123456789abcdef.json", "D", "000000"), "removes"),
        (change("leaderboards/verified/b/net-0123456789abcdef.json"), "written by those who keep"),
        (change("leaderboards/verified/b/net-0123456789abcdef.json", "D", "000000"), "removes"),
        (change("leaderboards/conflicts.json"), "written by those who keep"),
        (change("leaderboards/conflicts.json", "M"), "written by those who keep"),
        (change("leaderboards/conflicts.json", "D", "000000"), "removes"),
        (change("leaderboards", mode="120000"), "where the folder"),
        (change(".gitattributes", "M"), "other bytes than those that were checked"),
        (change("docs/.gitattributes"), "other bytes"),
        (change("leaderboards/results/.GitAttributes"), "other bytes"),
        (change("leaderboards/.gitattributes", "D", "000000"), "other bytes"),
        (change("gitattributes"), ""),
        (change("leaderboards", "D", "000000"), "where the folder"),
    ],
)
def test_what_a_contribution_may_touch(one, said):
    fault = fault_of(one)
    assert said in fault
    assert bool(fault) == bool(said)


def test_what_git_says_is_read():
    line = b":000000 100644 " + b"0" * 40 + b" " + b"1" * 40 + b" A\0a b\xff\0"
    assert changes_of(line) == [Change("a b\udcff", "100644", "A")]
    for wrong in (b"a\0b\0", line + b":0\0"):
        with pytest.raises(FkbenchError):
            changes_of(wrong)


@pytest.mark.parametrize("also", [[], ["mine-0123456789abcdef.json"], [f"{detector_stem(DETECTOR)}.detector.json"]])
@pytest.mark.parametrize("ending", ["score.json", "history.csv", "predictions.safetensors"])
def test_what_belongs_to_a_result_comes_with_it_or_not_at_all(workspace, tmp_path, ending, also):
    """A score beside another's published run could be anything: what it was made of is not there."""
    record = record_of(workspace)
    score = boxed(RunStore(tmp_path / "new").records()[0])
    whose = f"{boxed_stem(score)}." if ending == "score.json" else ""
    name = f"net-0123456789abcdef.{whose}{ending}"
    shutil.copy(record, record.with_name("net-0123456789abcdef.json"))
    record.with_name(name).write_text(json.dumps(score))
    for other in also:
        record.with_name(other).write_text(json.dumps(DETECTOR))
    board = f"leaderboards/results/{record.parent.name}"
    added = [change(f"{board}/{one}") for one in (name, *also)]
    said: list[str] = []
    out = tmp_path / "out"
    assert take(workspace / "contributed", added, out, said.append) == (1 if also else 2)
    assert f"{name}: belongs to net-0123456789abcdef.json, which this contribution does not bring." in said[0]
    assert sorted(file.name for file in out.rglob("*.*")) == also
    whole = [*added, change(f"{board}/net-0123456789abcdef.json")]
    assert take(workspace / "contributed", whole, out, said.append) == 0
    assert (out / "results" / record.parent.name / name).is_file()


def test_the_base_results_have_to_be_what_was_merged(tmp_path):
    """Whatever merging has done to another result: it would not be done to what is published."""
    here, made = tmp_path / "c" / "leaderboards" / "results" / "b", tmp_path / "made" / "results" / "b"
    for folder in (here, made):
        folder.mkdir(parents=True)
        (folder / "old-0123456789abcdef.json").write_text("{}")
    said: list[str] = []
    assert check_same(tmp_path / "c", [], tmp_path / "made", said.append) == 0
    (made / "old-0123456789abcdef.json").write_text("[]")
    assert check_same(tmp_path / "c", [], tmp_path / "made", said.append) == 1
    assert "old-0123456789abcdef.json" in said[0]


def test_nothing_is_deployed_before_there_is_a_result(tmp_path):
    assert build(tmp_path) == ""
    (tmp_path / "leaderboards" / "results").mkdir(parents=True)
    assert build(tmp_path) == ""
    later = FLOW["jobs"]["publish"]["steps"][-3:]
    assert [step["if"] for step in later] == ["steps.build.outputs.built == 'yes'"] * 3


def test_published_detectors_are_read_once_for_all_that_are_brought(tmp_path, monkeypatch):
    published, brought = tmp_path / "leaderboards", []
    for name in ("finder", "seeker", "seer"):
        page = {**DETECTOR, "detector": {**DETECTOR["detector"], "name": name}}
        page["key"] = detector_key(page)
        file = tmp_path / "found" / "detectors" / "faces" / f"{detector_stem(page)}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(page))
    publish_detectors(tmp_path / "found", published, Scrubber(), Sides())
    for file in (published / "results").glob("*/*.detector.json"):
        brought.append(Change(str(file.relative_to(tmp_path)), "100644", "A"))
    calls = []
    monkeypatch.setattr(module, "detectors_of", lambda *values: calls.append(values) or detectors_of(*values))
    assert take(tmp_path, brought, tmp_path / "taken", calls.append) == 0
    assert len(brought) == 3
    assert len(calls) == 1
