"""The commands of the workflow that checks contributions, done in a scratch repository; contributions to do them on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fkbench.publishing.contributions import Change
from fkbench.records.detection_keys import detector_key

yaml = pytest.importorskip("yaml")
WORKFLOWS = Path(__file__).resolve().parents[3] / ".github" / "workflows"
FLOW = yaml.safe_load((WORKFLOWS / "leaderboard.yml").read_text(encoding="utf-8"))
STEPS = FLOW["jobs"]["check"]["steps"]
ONLY, TOGETHER, SCORES, SAME = (step["name"] for step in STEPS[-4:])
"""Names of the steps that can fail, in their order."""

FINDING = {"recall": 0.9, "recall_ci": [0.8, 1.0], "precision": 1.0, "precision_ci": None, "ap": None,
           "extra_per_picture": 0.0, "cover": 0.9, "noise": None}  # fmt: skip
PICTURES = {"corrected": FINDING, "raw": FINDING, "main_recall": 0.9}
DETECTOR = {
    "schema": 1, "kind": "detector",
    "detector": {"name": "finder", "settings": {}, "source": "0a", "weights": "", "versions": {"cv2": "4.14.0"}},
    "dataset": {
        "name": "faces", "split": "honest", "split_version": 1, "fingerprint": "sha256:0123456789", "pictures": 9,
    },
    "correction": {"scale": 1.0, "dx": 0.0, "dy": 0.0, "provenance": {}},
    "clean": PICTURES, "harder": {"dark": PICTURES},
    "timing": {"ms": {"p50": 3.0, "p90": 4.0}, "void": False, "quick": True},
}  # fmt: skip
DETECTOR["key"] = detector_key(DETECTOR)


def boxed(record):
    return {
        "subject": record.key, "model": record.model.name, "seed": record.seed, "protocol": "fair",
        "trained_on": "whole", "box": "finder", "box_settings": {"settings": {}},
        "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:0123456789", "images": 48},
        "metrics": {"rmse": 2.5, "missed_faces": 4},
    }  # fmt: skip


def change(path, status="A", mode="100644"):
    """A file as `git diff` tells of it."""
    return Change(path, mode, status)


def git(folder, *words):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.hooksPath=/dev/null"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


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


def altered(file, part, **values):
    page = json.loads(file.read_text())
    page[part] = {**page[part], **values}
    file.write_text(json.dumps(page, indent=1, sort_keys=True) + "\n")


def build(folder) -> str:
    """The step that builds the page; its output."""
    script = next(step for step in FLOW["jobs"]["publish"]["steps"] if step.get("name") == "Build the page")["run"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GITHUB_OUTPUT": str(folder / "outputs")}
    subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, check=True, capture_output=True)
    return (folder / "outputs").read_text() if (folder / "outputs").exists() else ""
