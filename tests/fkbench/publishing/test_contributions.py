"""The workflow that checks contributions: trusted code alone, and its own commands on hostile contributions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, Sides, publish, publish_detectors, rebuild
from fkbench.publishing.contributions import Change, changes_of, check_same, fault_of, take
from fkbench.records import RunStore, Verification, subject_of, write_verification

yaml = pytest.importorskip("yaml")
WORKFLOWS = Path(__file__).resolve().parents[3] / ".github" / "workflows"
FLOW = yaml.safe_load((WORKFLOWS / "leaderboard.yml").read_text(encoding="utf-8"))
EVENTS = FLOW[True]  # YAML 1.1 takes `on` for true
STEPS = FLOW["jobs"]["check"]["steps"]


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


def change(path, status="A", mode="100644"):
    return Change(path, mode, status)


BOARD = "leaderboards/results/faces-honest-fair-v1-whole-01234567"


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
        (change("leaderboards", mode="120000"), "where the folder"),
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


@pytest.mark.parametrize("also", [[], ["mine-0123456789abcdef.json"], ["net-0123456789abcdef.detector.json"]])
@pytest.mark.parametrize("ending", ["boxed-finder-0a1b2c3d.score.json", "history.csv", "predictions.safetensors"])
def test_what_belongs_to_a_result_comes_with_it_or_not_at_all(workspace, tmp_path, ending, also):
    """A score beside another's published run could be anything: what it was made of is not there."""
    record = record_of(workspace)
    name = f"net-0123456789abcdef.{ending}"
    shutil.copy(record, record.with_name("net-0123456789abcdef.json"))
    record.with_name(name).write_text(json.dumps(boxed(RunStore(tmp_path / "new").records()[0])))
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


# --- the workflow's own commands, in a scratch repository -----------------------------------------------------------


def git(folder, *words):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.hooksPath=/dev/null"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def workspace(tmp_path, put_in):
    """`trusted` with one published result, and `contributed` that has brought a second one."""
    space = tmp_path / "space"
    contributed = space / "contributed"
    contributed.mkdir(parents=True)
    runs = RunStore(tmp_path / "runs")
    put_in(runs, "old", 2.0)
    publish(runs.records(), contributed / "leaderboards", Scrubber())
    rebuild(contributed / "leaderboards")
    git(contributed, "init", "-q", "-b", "main")
    git(contributed, "add", ".")
    git(contributed, "commit", "-qm", "base")
    shutil.copytree(contributed, space / "trusted", ignore=shutil.ignore_patterns(".git"))
    new = RunStore(tmp_path / "new")
    put_in(new, "new", 1.0)
    publish(new.records(), contributed / "leaderboards", Scrubber())
    return space


def unshielded(out: str) -> str:
    """What a step says between its two lines that stop and resume commands; a step may say nothing at all."""
    if not out:
        return out
    lines = out.splitlines()
    token = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[0])
    assert token is not None
    assert lines[-1] == f"::{token[1]}::"
    assert token[1] not in "".join(lines[1:-1])
    return "\n".join(lines[1:-1]) + "\n"


def check(space) -> tuple[str, str]:
    """Commit what lies in `contributed` and do the workflow's steps: the step that failed, and all that was said."""
    git(space / "contributed", "add", "-A")
    git(space / "contributed", "commit", "-qm", "contribution")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    outputs = space / "outputs"
    environment = {**os.environ, "PATH": path, "FKBENCH_DATA": str(space / "data"), "GITHUB_OUTPUT": str(outputs)}
    said = ""
    for step in STEPS:
        if "run" not in step or step["name"] == "Install":
            continue
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=space, env=environment, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        assert not done.stderr  # one pipe: nothing can overtake the token
        said += unshielded(done.stdout)
        assert "Traceback" not in said
        if done.returncode:
            return step["name"], said
    return "", said


def record_of(space, model="new"):
    return next((space / "contributed" / "leaderboards").glob(f"results/*/{model}-*.json"))


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
    (Path(record.path) / "boxed-finder-0a1b2c3d.json").write_text(json.dumps(boxed(record)))
    (runs.root / "detectors" / "faces").mkdir(parents=True)
    (runs.root / "detectors" / "faces" / "finder-0000000000000000.json").write_text(json.dumps(DETECTOR))
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
    source = tmp_path / "found" / "detectors" / "faces" / "finder-0000000000000000.json"
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


@pytest.mark.slow
def test_a_detectors_published_file_is_not_changed(workspace, tmp_path):
    file = contribute_detector(workspace, tmp_path)
    git(workspace / "contributed", "add", "-A")
    git(workspace / "contributed", "commit", "-qm", "taken before")
    file.write_text(file.read_text().replace("0.9", "0.95"))
    failed, said = check(workspace)
    assert failed == ONLY, said
    assert "changes what is published" in said


FINDING = {"recall": 0.9, "recall_ci": [0.8, 1.0], "precision": 1.0, "precision_ci": None, "ap": None,
           "extra_per_picture": 0.0, "cover": 0.9, "noise": None}  # fmt: skip
PICTURES = {"corrected": FINDING, "raw": FINDING, "main_recall": 0.9}
DETECTOR = {
    "schema": 1, "kind": "detector", "key": "0" * 16, "detector": {"name": "finder", "settings": {}},
    "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:0123456789", "pictures": 9},
    "correction": {"provenance": {}}, "clean": PICTURES, "harder": {"dark": PICTURES},
    "timing": {"ms": {"p50": 3.0, "p90": 4.0}, "void": False, "quick": True},
}  # fmt: skip


def boxed(record):
    return {
        "subject": record.key, "model": record.model.name, "seed": record.seed, "protocol": "fair",
        "trained_on": "whole", "box": "finder", "box_settings": {"settings": {}},
        "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:0123456789", "images": 48},
        "metrics": {"rmse": 2.5, "missed_faces": 4},
    }  # fmt: skip


ONLY, TOGETHER, SCORES, SAME = (step["name"] for step in STEPS[-4:])


def beside(space):
    record_of(space).with_name("conftest.py").write_text("open('ran', 'w')")


def link(space):
    errors = record_of(space).with_suffix(".errors.safetensors")
    errors.unlink()
    errors.symlink_to("/etc/hostname")


def verified(space):
    file = space / "contributed" / "leaderboards" / "verified" / "b" / record_of(space).name
    file.parent.mkdir(parents=True)
    file.write_text("{}")


def removed(space):
    record_of(space, "old").unlink()


def outside(space):
    shutil.rmtree(space / "contributed" / "leaderboards" / "results" / record_of(space).parent.name)
    git(space / "contributed", "checkout", "-q", "--", ".")
    (space / "contributed" / "evil.py").write_text("open('ran', 'w')")


def better(space):
    file = record_of(space)
    page = json.loads(file.read_text())
    page["metrics"]["rmse"] /= 2
    file.write_text(json.dumps(page))


def damaged(space):
    record_of(space).write_text('{"schema": 1')


def altered(file, part, **values):
    page = json.loads(file.read_text())
    page[part] = {**page[part], **values}
    file.write_text(json.dumps(page, indent=1, sort_keys=True) + "\n")


def taken_over(space):
    """A published result by another device would stand beside the first one, and merge without conflict."""
    altered(record_of(space, "old"), "device", name="A device of mine")


def faster(space):
    altered(record_of(space, "old"), "timing", infer_images_per_s=1e9)


def repeated(space):
    """The published result once more, under the name of another device, and faster."""
    old = record_of(space, "old")
    stem = old.name.removesuffix(".json")
    for file in old.parent.glob(f"{stem}.*"):
        shutil.copy(file, file.with_name(file.name.replace(stem, f"{stem}-012345")))
    altered(old.with_name(f"{stem}-012345.json"), "timing", infer_images_per_s=1e9)


def misplaced(space):
    new = record_of(space)
    board = new.parent.with_name("celebrities-honest-fair-v1-whole-01234567")
    board.mkdir()
    for file in new.parent.glob("new-*"):
        file.rename(board / file.name)


def renamed(space):
    new = record_of(space)
    for file in new.parent.glob("new-*"):
        file.rename(file.with_name(file.name.replace("new-", "famous-")))


def box_score(space, model="new"):
    file = record_of(space, model)
    file.with_name(file.name.replace(".json", ".boxed-finder-0a1b2c3d.score.json")).write_text('{"rmse": 0}')


def foreign_box_score(space):
    box_score(space, "old")


def rewritten(space):
    """Other bytes that say the same."""
    history = record_of(space).with_suffix(".history.csv")
    history.write_bytes(history.read_bytes().replace(b"\n", b"\r\n"))


def table(space):
    (space / "contributed" / "leaderboards" / "index.md").write_text("# We won\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attack", "step", "said"),
    [
        (beside, ONLY, "conftest.py: is no file of a result"),
        (link, ONLY, "is a link"),
        (verified, ONLY, "written by those who keep"),
        (removed, ONLY, "removes what is published"),
        (outside, ONLY, "no new result"),
        (better, TOGETHER, "rmse"),
        (damaged, TOGETHER, "Damaged"),
        (taken_over, ONLY, "changes what is published"),
        (faster, ONLY, "changes what is published"),
        (box_score, ONLY, "no result of a detector"),
        (foreign_box_score, ONLY, "which this contribution does not bring"),
        (repeated, SAME, "-012345.json is not what its content gives"),
        (misplaced, SAME, "is not what its content gives at this place"),
        (renamed, SAME, "is not what its content gives at this place"),
        (rewritten, SAME, ".history.csv is not what its content gives"),
        (table, SAME, "index.md is not what the results give"),
    ],
)
def test_a_hostile_contribution_fails_at_its_step(workspace, attack, step, said):
    attack(workspace)
    failed, text = check(workspace)
    assert failed == step, text
    assert said in text
    assert not (workspace / "ran").exists()


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


def build(folder) -> str:
    """The step that builds the page; its output."""
    script = next(step for step in FLOW["jobs"]["publish"]["steps"] if step.get("name") == "Build the page")["run"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GITHUB_OUTPUT": str(folder / "outputs")}
    subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, check=True, capture_output=True)
    return (folder / "outputs").read_text() if (folder / "outputs").exists() else ""


def test_nothing_is_deployed_before_there_is_a_result(tmp_path):
    assert build(tmp_path) == ""
    (tmp_path / "leaderboards" / "results").mkdir(parents=True)
    assert build(tmp_path) == ""
    later = FLOW["jobs"]["publish"]["steps"][-3:]
    assert [step["if"] for step in later] == ["steps.build.outputs.built == 'yes'"] * 3


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
