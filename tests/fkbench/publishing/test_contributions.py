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
from fkbench.publishing import Scrubber, publish, rebuild
from fkbench.publishing.contributions import Change, changes_of, fault_of
from fkbench.records import RunStore

yaml = pytest.importorskip("yaml")
WORKFLOWS = Path(__file__).resolve().parents[3] / ".github" / "workflows"
FLOW = yaml.safe_load((WORKFLOWS / "leaderboard.yml").read_text(encoding="utf-8"))
EVENTS = FLOW[True]  # YAML 1.1 takes `on` for true
STEPS = FLOW["jobs"]["check"]["steps"]


def test_the_base_branch_is_the_code_and_the_contribution_is_data():
    checkouts = {step["with"]["path"]: step["with"] for step in STEPS if "checkout" in step.get("uses", "")}
    assert checkouts["trusted"]["ref"] == "${{ github.event.pull_request.base.ref }}"
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
        (change(f"{BOARD}/net-0123456789abcdef.py"), "no file of a result"),
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


def check(space) -> tuple[str, str]:
    """Commit what lies in `contributed` and do the workflow's steps: the step that failed, and all that was said."""
    git(space / "contributed", "add", "-A")
    git(space / "contributed", "commit", "-qm", "contribution")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "FKBENCH_DATA": str(space / "data")}
    said = ""
    for step in STEPS:
        if "run" not in step or step["name"] == "Install":
            continue
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=space, env=environment, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        said += done.stdout + done.stderr
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


ONLY, TOGETHER, SCORES, TABLES = (step["name"] for step in STEPS[-4:])


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


def overwritten(space):
    old = record_of(space, "old")
    page = json.loads(old.read_text())
    page["seed"] = 7
    old.write_text(json.dumps(page))


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
        (overwritten, TOGETHER, "seed"),
        (table, TABLES, "index.md is not what the results give"),
    ],
)
def test_a_hostile_contribution_fails_at_its_step(workspace, attack, step, said):
    attack(workspace)
    failed, text = check(workspace)
    assert failed == step, text
    assert said in text
    assert not (workspace / "ran").exists()


@pytest.mark.slow
def test_markup_in_a_record_stays_inert_on_the_page(workspace, tmp_path):
    file = record_of(workspace)
    page = json.loads(file.read_text())
    page["model"]["name"] = "<script>alert(1)</script>"
    page["environment"] = {"python": "\u202e<img src=x onerror=alert(2)>\n::error::x"}
    file.write_text(json.dumps(page))
    failed, said = check(workspace)
    assert failed == "", said
    assert not re.search(r"^(::|##\[)", said, re.MULTILINE)  # no command to the machine that runs this
    build = next(step for step in FLOW["jobs"]["publish"]["steps"] if step.get("name") == "Build the page")["run"]
    shutil.move(workspace / "merged", tmp_path / "leaderboards")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-e", "-c", build], cwd=tmp_path, env=environment, check=True, capture_output=True)
    pages = list((tmp_path / "page").rglob("*.html"))
    assert pages
    for one in pages:
        text = one.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<img src=x" not in text
