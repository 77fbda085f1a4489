"""Start-up: `fkbench --help` and `fkbench list` beside Python itself and `import torch`. Target: 0.3 s each."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "fkbench --help": [sys.executable, "-m", "fkbench.cli.main", "--help"],
    "fkbench list": [sys.executable, "-m", "fkbench.cli.main", "list"],
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


@pytest.mark.parametrize("name", COMMANDS)
def test_start_up(benchmark, name):
    benchmark.pedantic(seconds, args=(COMMANDS[name],), rounds=9, warmup_rounds=2)


def test_start_up_beside_importing_torch(benchmark):
    torch = statistics.median(seconds([sys.executable, "-c", "import torch"]) for _ in range(3))
    listing = statistics.median(seconds(COMMANDS["fkbench list"]) for _ in range(9))
    benchmark.pedantic(seconds, args=(COMMANDS["fkbench list"],), rounds=3)
    print(f"\nfkbench list {listing:.2f} s, import torch {torch:.2f} s, ratio {listing / torch:.2f}")
    assert listing > 0
