"""Workers end with the sweep, and what a dead one has left is understood."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from fkbench.cli.sweep_table import plan_page
from fkbench.records.locks import run_lock
from fkbench.sweep import Cell, Options, outcomes, plan, planning, processes, running
from fkbench.sweep import worker as worker_module
from fkbench.sweep.processes import start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX's")

HANGS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
open({pids!r}, "w").write(f"{{os.getpid()}} {{child.pid}} {{os.getppid()}}\\n")
time.sleep(1000)
"""
PARENT = """
import json, queue, sys, time
from pathlib import Path
from fkbench.sweep.processes import Options, start
cell, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
start({"verb": "run", "cells": [cell]}, Options(folder, folder), queue.Queue())
time.sleep(1000)
"""


@pytest.fixture
def hanging(tmp_path):
    """The cell of a model whose file hangs where it is loaded, with a child; and where the numbers of both stand."""
    (tmp_path / "hang.py").write_text(HANGS.format(pids=str(tmp_path / "pids")))
    return Cell(str(tmp_path / "hang.py"), "synthetic15"), tmp_path / "pids"


def numbers(file: Path) -> list[int]:
    for _ in range(1200):
        if file.is_file() and file.read_text().endswith("\n"):
            return [int(number) for number in file.read_text().split()]
        time.sleep(0.1)
    raise AssertionError("the worker has not started")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def all_gone(pids: list[int]) -> bool:
    for _ in range(300):
        if not any(is_alive(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
def test_worker_and_its_children_die_with_a_sweep_that_is_killed(hanging, tmp_path):
    cell, file = hanging
    parent = subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(asdict(cell)), str(tmp_path)])
    try:
        worker, child, keeper = numbers(file)
        assert is_alive(worker)
        assert is_alive(child)
    finally:
        parent.kill()
        parent.wait()
    assert all_gone([worker, child, keeper])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of Linux does it")
def test_a_worker_dies_with_its_keeper(hanging, tmp_path):
    cell, file = hanging
    heard: queue.Queue = queue.Queue()
    started = start({"verb": "run", "cells": [asdict(cell)]}, Options(tmp_path, tmp_path), heard)
    worker, child, keeper = numbers(file)
    assert keeper == started.process.pid
    os.kill(keeper, signal.SIGKILL)
    assert all_gone([worker])
    while heard.get(timeout=30)[1] is not None:
        pass
    assert "without a word" in outcomes.death(started).reason
    started.stop()
    assert all_gone([child])
    started.tidy()


def test_stopping_ends_the_whole_group(hanging, tmp_path):
    cell, file = hanging
    started = start({"verb": "run", "cells": [asdict(cell)]}, Options(tmp_path, tmp_path), queue.Queue())
    pids = numbers(file)
    started.stop()
    started.stop()
    assert all_gone(pids)
    started.tidy()
    assert not started.log.exists()


LEAVES = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    open({pids!r}, "w").write(f"{{os.getpid()}} {{os.getppid()}}\\n")
    time.sleep(1000)
while not os.path.exists({pids!r}):
    time.sleep(0.01)
END
"""


def leaving(folder: Path, end: str) -> Cell:
    """A model whose file forks a process into a session of its own, which keeps all that was open, then does `end`."""
    (folder / "leave.py").write_text(LEAVES.format(pids=str(folder / "left")).replace("END", end))
    return Cell(str(folder / "leave.py"), "synthetic15", limit=15.0)


def ended(heard: queue.Queue) -> None:
    while heard.get(timeout=60)[1] is not None:
        pass


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of Linux does it")


@linux
def test_a_process_that_has_left_the_group_does_not_keep_a_run_from_ending(tmp_path):
    heard: queue.Queue = queue.Queue()
    job = {"verb": "run", "cells": [asdict(leaving(tmp_path, "os._exit(7)"))]}
    started = start(job, Options(tmp_path, tmp_path), heard)
    ended(heard)
    assert started.code == 7
    assert all_gone(numbers(tmp_path / "left")[:1])
    started.stop()
    started.tidy()


@linux
def test_stopping_also_ends_what_has_left_the_group(tmp_path):
    heard: queue.Queue = queue.Queue()
    job = {"verb": "run", "cells": [asdict(leaving(tmp_path, "time.sleep(1000)"))]}
    started = start(job, Options(tmp_path, tmp_path), heard)
    left = numbers(tmp_path / "left")[0]
    assert is_alive(left)
    started.stop()
    assert all_gone([left])
    ended(heard)
    started.tidy()


@linux
def test_a_run_is_concluded_though_its_keeper_is_dead_and_its_channel_held(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_S", 0.2)
    heard: queue.Queue = queue.Queue()
    job = {"verb": "run", "cells": [asdict(leaving(tmp_path, "time.sleep(1000)"))]}
    started = start(job, Options(tmp_path, tmp_path), heard)
    left = numbers(tmp_path / "left")[0]
    os.kill(started.process.pid, signal.SIGKILL)
    try:
        started.stop()
        ended(heard)
        assert started.code is None
    finally:
        os.kill(left, signal.SIGKILL)
    started.tidy()


def test_modules_in_the_callers_folder_are_not_taken(tmp_path, monkeypatch):
    for name in ("logging", "json", "torch", "subprocess", "fkbench"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w')\nraise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    heard: queue.Queue = queue.Queue()
    started = start({"verb": "plan", "cells": []}, Options(tmp_path / "data", tmp_path / "runs"), heard)
    ended(heard)
    assert started.code == 0, started.last_words()
    assert not (tmp_path / "executed").exists()
    started.stop()
    started.tidy()


def test_a_worker_says_that_it_waits_and_when_the_run_is_its_own(tmp_path):
    cell = Cell("mean-shape", "synthetic15", settings={"dataset": {"count": "40"}})
    options = Options(tmp_path / "data", tmp_path / "runs")
    (planned,) = plan([cell], options)
    heard: queue.Queue = queue.Queue()
    with run_lock(planned.folder):
        started = start({"verb": "run", "cells": [asdict(cell)]}, options, heard)
        while (message := heard.get(timeout=120)[1])["event"] != "waiting":
            assert message["event"] == "stage"
    events = []
    while (message := heard.get(timeout=120)[1]) is not None:
        events.append(message["event"])
    assert "held" in events
    assert started.code == 0, started.last_words()
    started.stop()
    started.tidy()


def test_waiting_for_another_process_is_not_the_runs_own_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    run = running.Running(SimpleNamespace(), SimpleNamespace(started=100.0, said={}))
    for seconds, event, own in ((5, "waiting", 5.0), (50, "held", 5.0), (3, "stage", 8.0)):
        now[0] += seconds
        run.hear({"event": event})
        assert run.seconds == own


def worker(code, tail="", **said):
    return SimpleNamespace(code=code, said=said, tail=lambda: tail, last_words=lambda: tail)


@pytest.mark.parametrize(
    ("dead", "status", "reason"),
    [
        (worker(-signal.SIGSEGV), "failed", "its process crashed (SIGSEGV)"),
        (worker(-signal.SIGABRT, "std::bad_alloc"), "oom", "out of memory"),
        (worker(-signal.SIGKILL), "failed", "something outside killed it"),
        (worker(7, "the last line"), "failed", "exit code 7: the last line"),
        (worker(1, "MemoryError"), "oom", "MemoryError"),
        (worker(None), "failed", "without a word"),
        (worker(2, refused={"reason": "The weights cannot be had."}), "skipped", "The weights cannot be had."),
        (worker(3, error={"reason": "ValueError: no"}), "failed", "ValueError: no"),
        (worker(3, error={"reason": "MemoryError: no"}), "oom", "MemoryError: no"),
    ],
)
def test_how_a_worker_has_died(dead, status, reason):
    found = outcomes.death(dead)
    assert found.status == status
    assert reason in found.reason


def test_a_kill_for_lack_of_memory_is_known_by_the_systems_count(tmp_path, monkeypatch):
    counts = tmp_path / "vmstat"
    counts.write_text("nr_free 7\noom_kill 4\n")
    monkeypatch.setattr(outcomes, "VMSTAT", counts)
    assert outcomes.killed_for_memory() == 4
    assert outcomes.death(worker(-signal.SIGKILL), 3).status == "oom"
    assert outcomes.death(worker(-signal.SIGKILL), 4).status == "failed"
    monkeypatch.setattr(outcomes, "VMSTAT", tmp_path / "none")
    assert outcomes.death(worker(-signal.SIGKILL), outcomes.killed_for_memory()).status == "failed"


def test_an_error_that_nobody_expected_in_planning_comes_with_its_traceback(monkeypatch):
    def planned(_request):
        raise KeyError("a plugin's fault")

    heard = []
    monkeypatch.setattr(worker_module, "_runner", lambda session, event: SimpleNamespace(planned=planned))
    monkeypatch.setattr(worker_module, "_request", lambda session, cell: None)
    cell = Cell("net", "faces")
    assert worker_module._plan(None, [cell], lambda event, **facts: heard.append({"event": event, **facts})) == 0
    one = planning._planned(cell, heard[-1])
    assert (one.state, one.reason) == ("impossible", 'KeyError: "a plugin\'s fault"')
    assert "in planned\n" in one.log
    assert plan_page(one)["log"] == one.log
