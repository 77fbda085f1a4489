"""`fkbench check`, and the ten-line file of an author: counted, checked and run."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from fkbench.cli.main import main

TINYNET = '''\
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 96))
def tinynet(channels: int, size: int, outputs: int) -> nn.Module:
    """A tiny net."""
    return nn.Sequential(nn.Conv2d(channels, 32, 3, 2, 1), nn.ReLU(),
                         nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(64 * 36, outputs))
'''
BAD = TINYNET.replace("nn.Linear(64 * 36, outputs)", "nn.Linear(64 * 36, 30)")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mynet.py").write_text(TINYNET)
    return tmp_path / "mynet.py"


def test_a_new_architecture_in_ten_lines_runs(file, tmp_path, capsys):
    """The author's whole file: unregistered, never installed, trained and scored by one command."""
    code = [line for line in TINYNET.splitlines() if line.strip() and not line.strip().startswith(('"""', "#"))]
    assert len(code) <= 10
    assert len(ast.parse(TINYNET).body) == 3  # an import of fkbench, one of torch, and the function
    few = ["--set", "dataset.count=60", "--set", "batch=16", "--set", "images_seen=64"]
    folders = ["--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    words = ["run", "--model", str(file), "--dataset", "synthetic15", "--protocol", "smoke", *few, *folders, "--json"]
    assert main(words) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["model"]["name"], run["status"]) == ("tinynet", "done")
    assert run["metrics"]["rmse"] > 0


def test_the_ten_lines_pass_the_kit(file, capsys):
    assert main(["check", str(file)]) == 0
    said = capsys.readouterr().out
    assert "model tinynet (mynet.py)" in said
    assert "✓ overfits" in said
    assert "15 checks: 15 passed" in said


def test_a_fault_is_said_with_its_remedy_and_exit_code_1(tmp_path, capsys):
    (tmp_path / "mynet.py").write_text(BAD)
    assert main(["check", str(tmp_path / "mynet.py")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "✗ points For 2 pictures the net gives (2, 30), but (2, 136) is needed." in said
    assert "→ The last layer must have `outputs` outputs" in said
    assert "15 checks: 14 passed, 1 failed" in said


def test_json_is_one_object_and_says_the_same(tmp_path, capsys):
    (tmp_path / "mynet.py").write_text(BAD)
    assert main(["check", str(tmp_path / "mynet.py"), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    (plugin,) = said["plugins"]
    assert (plugin["name"], plugin["kind"], plugin["plugin"]) == ("tinynet", "model", "mynet.py")
    assert (said["failed"], plugin["failed"], plugin["passed"], plugin["skipped"]) == (1, 1, 14, 0)
    (points,) = [check for check in plugin["checks"] if check["check"] == "points"]
    assert points["status"] == "failed"
    assert set(points) == {"check", "about", "status", "message", "remedy", "seconds"}


def test_every_plugin_of_a_file_is_checked(tmp_path, capsys):
    second = TINYNET.split("\n\n", 1)[1].replace("tinynet", "second")
    (tmp_path / "two.py").write_text(TINYNET + "\n" + second)
    assert main(["check", str(tmp_path / "two.py"), "--json"]) == 0
    assert [plugin["name"] for plugin in json.loads(capsys.readouterr().out)["plugins"]] == ["tinynet", "second"]


def test_what_is_skipped_says_why_once(capsys):
    assert main(["check", "truth"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("role oracle") == 1
    assert said.count("for the same reason") == 6


def test_an_embedded_dataset_is_checked_on_few_pictures_and_leaves_nothing(tmp_path, capsys):
    data = tmp_path / "data"
    assert main(["check", "synthetic15", "--data", str(data), "--json"]) == 0
    (plugin,) = json.loads(capsys.readouterr().out)["plugins"]
    assert plugin["skipped"] == 0
    assert not data.exists()


def test_a_setting_reaches_the_plugin(tmp_path, capsys):
    words = ["check", "synthetic15", "--set", "count=40", "--data", str(tmp_path), "--json"]
    assert main(words) == 0
    (plugin,) = json.loads(capsys.readouterr().out)["plugins"]
    assert "40 labelled pictures" in next(check["message"] for check in plugin["checks"] if check["check"] == "loads")


def test_own_data_of_a_toml_file_passes_the_same_kit(tmp_path, capsys):
    import cv2
    import numpy as np

    source = np.random.default_rng(0)
    rows = ["picture," + ",".join(f"x{i},y{i}" for i in range(3))]
    for index in range(60):
        cv2.imwrite(str(tmp_path / f"{index}.png"), source.integers(0, 255, (48, 48), np.uint8))
        left, right, nose = np.array([[30, 15], [18, 15], [24, 28]]) + source.normal(size=(3, 2))
        rows.append(f"{index}.png," + ",".join(f"{value:.2f}" for value in (*left, *right, *nose)))
    (tmp_path / "points.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "mine.toml").write_text(OWN)
    assert main(["check", str(tmp_path / "mine.toml"), "--data", str(tmp_path / "data"), "--json"]) == 0
    (plugin,) = json.loads(capsys.readouterr().out)["plugins"]
    assert (plugin["kind"], plugin["failed"], plugin["skipped"]) == ("dataset", 0, 0)


OWN = """
name = "mine"
format = "csv"
labels = "points.csv"
pictures = "."
crops = true

[scheme]
points = ["left_eye", "right_eye", "nose"]
normalisers = {inter_pupil = ["left_eye", "right_eye"]}
"""

WRONG = [
    (["check", "dkf"], "Did you mean dfk"),
    (["check", "nothere.py"], "nothere.py"),
    (["check", "dfk", "--kind", "modell"], "Did you mean model"),
    (["check", "dfk", "--kind", "dataset"], "Unknown dataset 'dfk'"),
    (["check", "dfk", "--set", "width=2"], "width"),
    (["check", "dfk", "--set", "dataset.count=2"], "dataset settings do not apply"),
    (["check", "timm:no_such_net_at_all"], "no_such_net_at_all"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_bad_use_is_exit_code_2(words, message, tmp_path, capsys):
    assert main([*words, "--data", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


def test_a_file_that_cannot_be_loaded(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("def broken(:")
    assert main(["check", str(tmp_path / "bad.py")]) == 2
    assert "SyntaxError" in capsys.readouterr().err
    (tmp_path / "bare.py").write_text("x = 1\n")
    assert main(["check", str(tmp_path / "bare.py")]) == 2
    assert "@fkbench.model" in capsys.readouterr().err
