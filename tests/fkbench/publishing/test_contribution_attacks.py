"""Hostile contributions: each is stopped at the step that is there for it, with the reason."""

from __future__ import annotations

import json
import shutil

import pytest

pytest.importorskip("yaml")

from contribution_flow import ONLY, SAME, TOGETHER, altered, check, git, record_of


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


def expanded(space):
    """What is checked out has another text than what is stored: Git puts a digest into it."""
    (space / "contributed" / ".gitattributes").write_text("leaderboards/results/** ident\n")


def joined(space):
    """A seed of the published row that failed: it would lose its rank."""
    old, stem = record_of(space, "old"), f"old-{'0' * 16}"
    for file in old.parent.glob("old-*.*"):
        shutil.copy(file, file.with_name(f"{stem}.{file.name.partition('.')[2]}"))
    page = json.loads(old.read_text()) | {"key": "0" * 16, "seed": 7, "path": f"results/{old.parent.name}/{stem}.json"}
    old.with_name(f"{stem}.json").write_text(json.dumps(page, indent=1, sort_keys=True) + "\n")


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
        (expanded, ONLY, ".gitattributes: could make Git check out other bytes"),
        (joined, TOGETHER, "row: it would join or change the one of"),
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
