"""From the command to the first training step, with the data in place. Target: 1 s beyond imports.

`fkbench run --model dfk` in a process of its own, by the uniform recipe. Time spent in import statements, wherever
they stand, is taken off; what is left is reading the data, planning, building and initialising the net. Said apart: the
end of the first step, which also pays for fresh memory, and what a later step takes. youtube15 is measured where
FKBENCH_DATA names a folder with it; the first process of each dataset warms the disk cache and is not counted.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROUNDS = 3
CHILD = """
import builtins, importlib, json, os, sys, time

begun = float(os.environ["BENCH_BEGUN"])  # of the monotonic clock, which all processes share
spent = [0.0, 0.0]
inside = False

def timed(load):
    def timed_load(*arguments, **named):
        global inside
        if inside:
            return load(*arguments, **named)
        inside, wall, cpu = True, time.monotonic(), time.process_time()
        try:
            return load(*arguments, **named)
        finally:
            inside = False
            spent[0] += time.monotonic() - wall
            spent[1] += time.process_time() - cpu
    return timed_load

builtins.__import__ = timed(builtins.__import__)
importlib.import_module = timed(importlib.import_module)

marks = []

def mark():
    marks.append([time.monotonic() - begun - spent[0], time.process_time() - spent[1], *spent])

from torch.optim.optimizer import register_optimizer_step_post_hook
from fkbench.cli.main import entry
from fkbench.train.engine import Trainer

fit = Trainer.fit

def marked_fit(*arguments, **named):
    mark()
    return fit(*arguments, **named)

def stepped(*arguments):
    mark()
    if len(marks) == 5:
        print(json.dumps(marks), flush=True)
        os._exit(0)

Trainer.fit = marked_fit
register_optimizer_step_post_hook(stepped)
entry()
"""
"""Prints, as training begins and after each of four steps, what has been spent since the process was begun: seconds by
the clock and of the processor beyond imports, then both in imports."""

COMMANDS = {
    "synthetic15": ["--dataset", "synthetic15", "--set", "dataset.count=1000"],
    "youtube15": ["--dataset", "youtube15"],
}


def marks_of(dataset: str, data: Path, runs: Path) -> list[list[float]]:
    command = [sys.executable, "-c", CHILD, "run", "--model", "dfk", *COMMANDS[dataset]]
    places = {"FKBENCH_DATA": str(data), "FKBENCH_RUNS": str(runs), "BENCH_BEGUN": str(time.monotonic())}
    done = subprocess.run(command, env={**os.environ, **places}, check=True, capture_output=True, text=True)
    found: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def data_folder(dataset: str, made: Path) -> Path:
    if dataset == "synthetic15":
        return made
    folder = Path(os.environ.get("FKBENCH_DATA", ""))
    if not os.environ.get("FKBENCH_DATA") or not (folder / dataset).is_dir():
        pytest.skip(f"FKBENCH_DATA names no folder with {dataset}")
    return folder


@pytest.mark.parametrize("dataset", COMMANDS)
def test_from_the_command_to_the_first_step(benchmark, dataset, tmp_path):
    data = data_folder(dataset, tmp_path / "data")
    turns = [marks_of(dataset, data, tmp_path / f"runs{turn}") for turn in range(ROUNDS + 1)][1:]
    benchmark.pedantic(marks_of, args=(dataset, data, tmp_path / "last"), rounds=1)
    middle = [[statistics.median(column) for column in zip(*rows, strict=True)] for rows in zip(*turns, strict=True)]
    (wall, cpu, import_wall, import_cpu), (first_wall, first_cpu, *_) = middle[0], middle[1]
    step_wall, step_cpu = ((middle[-1][clock] - middle[1][clock]) / 3 for clock in (0, 1))
    print(f"\n{dataset}, seconds beyond imports by the clock (of the processor), medians of {ROUNDS} processes")
    print(f"to the first step {wall:.2f} ({cpu:.2f}); to its end {first_wall:.2f} ({first_cpu:.2f})")
    print(f"a later step {step_wall:.2f} ({step_cpu:.2f}); imports {import_wall:.2f} ({import_cpu:.2f})")
    assert 0 < cpu < first_cpu
