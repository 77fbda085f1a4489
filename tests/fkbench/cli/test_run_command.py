"""The command line as a person types it: exit codes, one clear line, a remedy, never a traceback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fkbench.cli.main import hoist, main
from fkbench.cli.run import parse_seeds
from fkbench.errors import FkbenchError

TINY = """
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 32))
def tinynet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))
"""
FEW = ["--set", "dataset.count=60", "--set", "batch=16", "--set", "images_seen=64"]


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    (tmp_path / "tiny.py").write_text(TINY)
    folders = ["--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    return [
        "run",
        "--model",
        str(tmp_path / "tiny.py"),
        "--dataset",
        "synthetic15",
        "--protocol",
        "smoke",
        *FEW,
        *folders,
    ]


def test_the_whole_job_by_command(tiny, tmp_path, capsys):
    """Run, show again, list, score, predict, rank: what the README shows, on few faces."""
    folders = tiny[-4:]
    assert main([*tiny, "--seeds", "0,1", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["status"] for run in runs] == ["done", "done"]
    assert main([*tiny]) == 0
    text = capsys.readouterr().out
    assert "shown again" in text
    assert "mean-shape" in text
    plugin = ["--plugin", str(tmp_path / "tiny.py")]
    key = runs[0]["key"]
    assert main(["score", key[:8], *folders, *plugin, "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["metrics"]["rmse"] == pytest.approx(runs[0]["metrics"]["rmse"], rel=1e-4)
    points, grid = tmp_path / "points.csv", tmp_path / "grid.png"
    part = ["predict", key, "--part", "test", "--out", str(points), "--grid", str(grid)]
    assert main([*part, *folders, *plugin]) == 0
    assert grid.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    csv = ["score", str(points), "--dataset", "synthetic15", "--set", "dataset.count=60", "--json", *folders]
    assert main(csv) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["rmse"] == pytest.approx(scored["metrics"]["rmse"], rel=1e-4)
    assert main(["predict", key, str(grid), "--json", *folders, *plugin]) == 0
    assert len(json.loads(capsys.readouterr().out)["images"][0]["points"]) == 15
    assert main(["leaderboard", "--json", *folders]) == 0
    assert "tinynet" in capsys.readouterr().out


BAD = [
    (["run", "--model", "dkf", "--dataset", "synthetic15"], "Did you mean dfk"),
    (["run", "--model", "dfk", "--dataset", "kagle15"], "Did you mean kaggle15"),
    (["run", "--model", "dfk", "--dataset", "kaggle15"], "fkbench data"),
    (["run", "--model", "dfk", "--dataset", "synthetic15", "--protocol", "unifrom"], "Did you mean uniform"),
    (["run", "--model", "dfk", "--dataset", "synthetic15", "--epochs", "-3"], "above 0"),
    (["run", "--model", "dfk", "--dataset", "synthetic15", "--seeds", "a"], "--seeds 0,1,2"),
    (["run", "--model", "dfk", "--dataset", "synthetic15", "--set", "lr"], "key=value"),
    (["run", "--model", "dfk", "--dataset", "synthetic15", "--set", "dataset.count=-3"], "not between 10 and 2000000"),
    (["run", "--model", "dfk", "--dataset", "synthetic15", "--device", "tpu"], "device"),
    (["run", "--model", "nothere.py", "--dataset", "synthetic15"], "nothere.py"),
    (["run", "--model", "dfk"], "--dataset"),
    (["frobnicate"], "frobnicate"),
    (["predict", "nothere", "x.png"], "x.png"),
    (["predict", "nothere"], "Nothing to predict"),
    (["score", "nothere.csv", "--dataset", "synthetic15"], "nothere.csv"),
    (["score", "points.csv"], "--dataset"),
    (["list", "modells"], "Did you mean models"),
    (["show", "dkf"], "dfk"),
]


def test_a_bad_setting_of_the_dataset_is_said_before_torch_is_imported(tmp_path):
    words = ["run", "--model", "dfk", "--dataset", "synthetic15", "--set", "dataset.count=-3"]
    told = f"import sys; from fkbench.cli.main import main; code = main({words}); print(code, 'torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", told], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == "2 False\n", found.stderr


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words[:7]) for words, _ in BAD])
def test_bad_use_is_one_line_with_a_remedy_and_exit_code_2(words, message, tmp_path, capsys):
    code = main([*words, "--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")])
    said = capsys.readouterr()
    assert code == 2
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert not (tmp_path / "runs").exists()


def test_a_plugin_that_fails_is_said_on_stderr_whatever_the_command(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("def broken(:")
    assert main(["--plugin", str(tmp_path / "bad.py"), "list", "models", "--json"]) == 0
    said = capsys.readouterr()
    assert "Warning: plugin bad.py" in said.err
    assert "dfk" in {row["name"] for row in json.loads(said.out)}
    assert main(["--plugin", str(tmp_path / "bad.py"), "--strict-plugins", "list"]) == 2
    assert main(["--plugin", str(tmp_path / "nothere.py"), "list"]) == 2


def test_a_gpu_that_is_not_there(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    words = ["run", "--model", "dfk", "--dataset", "synthetic15", "--device", "cuda", "--data", str(tmp_path)]
    assert main(words) == 2
    assert "--device cpu" in capsys.readouterr().err


def test_a_file_that_is_no_picture(tiny, tmp_path, capsys):
    assert main([*tiny, "--json"]) == 0
    key = json.loads(capsys.readouterr().out)["runs"][0]["key"]
    (tmp_path / "x.jpg").write_text("no picture")
    words = ["predict", key, str(tmp_path / "x.jpg"), *tiny[-4:], "--plugin", str(tmp_path / "tiny.py")]
    assert main(words) == 2
    assert "does not decode" in capsys.readouterr().err


def test_a_runs_folder_that_cannot_be_written(tiny, tmp_path, capsys):
    (tmp_path / "runs").write_text("a file where the folder should be")
    assert main(tiny) == 2
    assert "--runs" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_in_training_ends_with_130_and_the_same_command_goes_on(tmp_path):
    (tmp_path / "tiny.py").write_text(TINY)
    folders = ["--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    what = ["--model", str(tmp_path / "tiny.py"), "--dataset", "synthetic15", "--protocol", "smoke"]
    command = [sys.executable, "-m", "fkbench.cli.main", "run", *what, "--set", "dataset.count=200", *folders]
    endless = [*command, "--set", "images_seen=100000000"]
    running = _start(endless)
    for _ in range(1200):
        if list(tmp_path.glob("runs/synthetic15/tinynet/*/checkpoint.safetensors")):
            break  # the first epoch is over
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "same command goes on" in said
    assert "Traceback" not in said
    assert list(tmp_path.glob("runs/synthetic15/tinynet/*/record.json")) == []
    (state,) = tmp_path.glob("runs/synthetic15/tinynet/*/checkpoint.safetensors")
    reached = _epochs(state)
    again = _start(endless)
    for _ in range(600):
        time.sleep(0.1)
        if _epochs(state) > reached:
            break
    again.send_signal(signal.SIGINT)
    _, said = again.communicate(timeout=60)
    assert again.returncode == 130, said
    assert "Going on from" in said
    assert _epochs(state) > reached


def _start(command: list[str]) -> subprocess.Popen[str]:
    """A child that listens to Ctrl-C, also where this process was started in the background and ignores it."""
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _epochs(state: Path) -> int:
    from safetensors import safe_open

    with safe_open(state, "pt") as file:
        return int(json.loads(file.metadata()["progress"])["epoch"])


def test_global_options_may_stand_anywhere():
    words = ["run", "--data", "d", "--model", "m", "--offline", "--plugin=p.py", "--", "--debug"]
    assert hoist(words) == ["--data", "d", "--offline", "--plugin=p.py", "run", "--model", "m", "--", "--debug"]


def test_seeds():
    assert parse_seeds("0") == (0,)
    assert parse_seeds("0,2,5") == (0, 2, 5)
    assert parse_seeds("0-2,7") == (0, 1, 2, 7)
    with pytest.raises(FkbenchError, match="'one' is not a list"):
        parse_seeds("one")


@pytest.mark.parametrize("text", ["0-999999999", "0-9999,10000", "0-" + "9" * 4000])
def test_too_many_seeds_are_refused_before_they_are_counted_out(text):
    with pytest.raises(FkbenchError, match="too many seeds") as error:
        parse_seeds(text)
    assert len(error.value.message) < 150


@pytest.mark.parametrize(("text", "named"), [("5-2", "5-2"), ("0,7-3,9", "7-3")])
def test_an_empty_range_of_seeds_is_refused_by_name(text, named):
    with pytest.raises(FkbenchError, match=f"The range '{named}' of --seeds is empty"):
        parse_seeds(text)
