"""`fkbench sweep` as a person types it: nets that crash, hang, diverge or run out of memory, and what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fkbench.cli.main import main
from fkbench.cli.sweep_table import print_plan
from fkbench.records import RunStore
from fkbench.sweep import Cell, Planned

NET = """
import os, signal, time
from pathlib import Path
import fkbench
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.last = nn.Linear(inputs, outputs)
        self.steps = 0
    def forward(self, x):
        x = self.last(x.flatten(1))
        self.steps += self.training
        if self.steps:
            BODY
        return x

@fkbench.model("NAME", input=(1, 32))
def build(channels: int, size: int, outputs: int) -> nn.Module:
    return Net(channels * size * size, outputs)
"""
BODIES = {
    "good": "pass",
    "crash": "os.kill(os.getpid(), signal.SIGSEGV)",
    "hang": "time.sleep(1000)",
    "diverge": "x = x * float('nan')",
    "full": "raise MemoryError('no room')",
    # Two epochs of four steps, then it is killed from outside; the second time it is let be.
    "cut": """
            mark = Path("cut.mark")
            if self.steps == 9 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
""",
}
FILE = """
[defaults]
datasets = ["synthetic15"]
protocols = ["smoke"]
set = { "dataset.count" = 80, "protocol.batch" = 16, "protocol.images_seen" = 224 }

[[sweep]]
models = ["good.py", "crash.py", "diverge.py", "full.py", "cut.py"]

[[sweep]]
models = ["hang.py"]
time-limit = "25s"

[[sweep]]
models = ["good.py"]
protocols = ["article"]
"""


@pytest.fixture
def sweep(tmp_path, capsys, monkeypatch):
    """Runs the command on a folder with the nets and the file: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name, body in BODIES.items():
        (tmp_path / f"{name}.py").write_text(NET.replace("NAME", name).replace("BODY", body.strip()))
    (tmp_path / "all.toml").write_text(FILE)

    def run(*words):
        code = main(["--data", "data", "--runs", "runs", "sweep", *words])
        return code, *capsys.readouterr()

    return run


@pytest.mark.slow
def test_what_one_run_does_to_itself_does_not_reach_the_others(sweep, tmp_path):
    code, out, err = sweep("all.toml", "--json")
    assert code == 1, err
    page = json.loads(out)
    found = {(Path(run["model"]).stem, run["protocol"]): run for run in page["runs"]}
    good = found.pop(("good", "smoke"))
    assert (good["status"], good["state"]) == ("done", "run")
    assert good["rmse"] > 0
    impossible = found.pop(("good", "article"))
    assert (impossible["state"], impossible["status"]) == ("impossible", None)
    assert "no recipe of its own" in impossible["reason"]
    records = {record.model.name: record for record in RunStore(tmp_path / "runs").records()}
    for name, status, reason in (
        ("crash", "failed", "crashed (SIGSEGV)"),
        ("hang", "timeout", "time limit of 25s"),
        ("diverge", "failed", "nan"),
        ("full", "oom", "out of memory"),
        ("cut", "failed", "SIGKILL"),
    ):
        run, record = found[name, "smoke"], records[name]
        assert (run["status"], record.status) == (status, status)
        assert reason in record.reason
        assert run["reason"] == record.reason
        assert record.key == run["key"]
    assert records["good"].status == records["mean-shape"].status == "done"
    assert "crash.py" in found["crash", "smoke"]["log"]  # where it crashed
    assert "started: " in err
    assert page["counts"] == {"done": 1, "failed": 3, "impossible": 1, "oom": 1, "timeout": 1}

    code, out, _ = sweep("all.toml", "--dry-run", "--json", "--no-retry")
    states = {Path(run["model"]).stem: run["state"] for run in json.loads(out)["runs"] if run["protocol"] == "smoke"}
    assert code == 0
    assert states == {"good": "done", "crash": "kept", "hang": "kept", "diverge": "kept", "full": "kept",
                      "cut": "kept"}  # fmt: skip
    statuses = {Path(run["model"]).stem: run["status"] for run in json.loads(out)["runs"] if run["protocol"] == "smoke"}
    assert (statuses["hang"], statuses["cut"], statuses["full"]) == ("timeout", "failed", "oom")
    (Path(records["cut"].path) / "record.json").unlink()  # as where the sweep itself was ended
    (Path(records["full"].path) / "record.json").write_text("damaged")
    _, out, _ = sweep("all.toml", "--dry-run", "--json", "--no-retry")
    full = next(run for run in json.loads(out)["runs"] if Path(run["model"]).stem == "full")
    assert (full["state"], full["status"]) == ("kept", None)
    code, out, err = sweep("all.toml", "--no-retry")
    assert code == 1  # those that failed before are still among what was asked for
    assert "1 run to do, 1 finished before" in err
    assert "1/1 done: cut@synthetic15" in err
    cut = next(record for record in RunStore(tmp_path / "runs").records() if record.model.name == "cut")
    assert (cut.status, cut.history.epochs) == ("done", 5)


HANGS_LATER = """
import os, sys, time
import fkbench
from pathlib import Path
from torch import nn

if Path("planned").exists():
    Path("pid").write_text(f"{os.getpid()}\\n")
    time.sleep(1000)
Path("planned").touch()

@fkbench.model("later", input=(1, 32))
def later(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_ctrl_c_ends_all_and_says_how_to_go_on(tmp_path):
    (tmp_path / "later.py").write_text(HANGS_LATER)
    words = ["--data", "data", "--runs", "runs", "sweep", "--models", "./later.py", "--datasets", "synthetic15",
             "--set", "dataset.count=40"]  # fmt: skip
    started = subprocess.Popen(
        [sys.executable, "-m", "fkbench.cli.main", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        # It listens to Ctrl-C also where these tests were started in the background and ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    pid = tmp_path / "pid"
    for _ in range(1200):
        if pid.is_file() and pid.read_text().endswith("\n"):
            break
        time.sleep(0.1)
    worker = int(pid.read_text())
    started.send_signal(signal.SIGINT)
    err = started.communicate(timeout=60)[1]
    assert started.returncode == 130, err
    assert "The same command goes on" in err
    assert "Traceback" not in err
    for _ in range(300):
        if not os.path.exists(f"/proc/{worker}"):
            break
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{worker}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "No models are given"),
        (["--models", "good.py"], "No datasets are given"),
        (["--models", "dfkk", "--datasets", "synthetic15"], "Did you mean dfk"),
        (["--models", "dfk", "--datasets", "synthetic51"], "Unknown dataset 'synthetic51'"),
        (["--models", "dfk,", "--datasets", "synthetic15"], "empty name"),
        (["--models", "none.py", "--datasets", "synthetic15"], "none.py"),
        (["--models", "zz*", "--datasets", "synthetic15"], "Unknown model 'zz*'"),
        (["--models", "dfk", "--datasets", "synthetic15", "--protocol", "unifrom"], "Did you mean uniform"),
        (["--models", "dfk", "--datasets", "synthetic15", "--seeds", "a"], "--seeds 'a'"),
        (["--models", "dfk", "--datasets", "synthetic15", "--seeds", "5-2", "--dry-run"], "The range '5-2'"),
        (["--models", "dfk", "--datasets", "synthetic15", "--seeds", "0-999999999", "--dry-run"], "too many seeds"),
        (["--models", "dfk", "--datasets", "synthetic15", "--time-limit", "soon"], "--time-limit 'soon'"),
        (["--models", "dfk", "--datasets", "synthetic15", "--jobs", "0"], "--jobs is 0"),
        (["--models", "dfk", "--datasets", "synthetic15", "--epochs", "0"], "--epochs is 0"),
        (["all.toml", "--models", "dfk"], "--models and a file are given"),
        (["all.toml", "--epochs", "0"], "--epochs and a file are given"),
        (["none.toml"], "Cannot read 'none.toml'"),
    ],
)
def test_wrong_use_is_one_line_before_anything_is_run(sweep, tmp_path, words, said):
    code, out, err = sweep(*words)
    assert code == 2
    assert said in err
    assert (out, "Traceback" in err) == ("", False)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("states", "said"),
    [(["run"], "1 to run"), (["run", "run", "again", "done"], "2 to run, 1 to run again, 1 finished")],
)
def test_a_plan_counts_its_runs_in_words_that_fit_any_number(capsys, states, said):
    print_plan([Planned(Cell("net", "faces"), state) for state in states])
    assert capsys.readouterr().out.splitlines()[-1] == said


@pytest.mark.parametrize(
    ("seeds", "said"), [("0", "The run is not possible"), ("0,1", "None of the 2 runs is possible")]
)
def test_a_dry_run_refuses_what_a_sweep_would_refuse(sweep, tmp_path, monkeypatch, seeds, said):
    def plan(cells, *rest, **more):
        return [Planned(cell, "impossible", "'tpu' is not a device.") for cell in cells]

    monkeypatch.setattr("fkbench.sweep.plan", plan)
    words = ["--models", "dfk", "--datasets", "synthetic15", "--device", "tpu", "--seeds", seeds]
    for more in ([], ["--dry-run"], ["--dry-run", "--json"]):
        code, out, err = sweep(*words, *more)
        assert code == 2
        assert f"{said}: 'tpu' is not a device." in err
        assert ("tpu" in out) == bool(more)  # the dry run shows each
        assert f"planning {'1 run' if seeds == '0' else '2 runs'} …" in err
    assert not (tmp_path / "runs").exists()
