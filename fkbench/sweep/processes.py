"""Starting a worker in a process group of its own, hearing from it, and ending it with all its children."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEEPER = Path(__file__).with_name("keeper.py")
WORKER = "fkbench.sweep.worker"
GRACE_S = 5.0
LOG_TAIL = 4000


@dataclass(frozen=True)
class Options:
    """Global options of the command line, as workers need them.

    Attributes:
        threads: for each worker to compute with; None: as the environment says.
    """

    data: Path
    runs: Path
    plugins: tuple[Path, ...] = ()
    strict: bool = False
    offline: bool = False
    threads: int | None = None

    def page(self) -> dict[str, Any]:
        """As JSON values, with paths that do not depend on the folder."""
        return {
            "data": str(self.data.resolve()),
            "runs": str(self.runs.resolve()),
            "plugins": [str(path.resolve()) for path in self.plugins],
            "strict": self.strict,
            "offline": self.offline,
        }


Message = tuple["Worker", Mapping[str, Any] | None]
"""From a worker: what it says; None: it has ended."""


@dataclass(eq=False)
class Worker:
    """A running worker.

    Attributes:
        process: the keeper, leader of the group.
        log: what it and its children wrote to standard error.
        code: of the worker's end, negative for a signal, once `exit` was heard; None: it ended without a word.
        said: its last word of each kind.
        over: set once it was heard, or settled, that nothing more will be said.
    """

    process: subprocess.Popen[bytes]
    log: Path
    started: float
    heard: queue.Queue[Message]
    over: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    said: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def tail(self) -> str:
        """The last line of its log that says something; empty where there is none."""
        lines = [line.strip() for line in self.last_words().splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""

    def last_words(self) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - LOG_TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def interrupt(self) -> None:
        """Ctrl-C, where there are process groups."""
        if hasattr(os, "killpg") and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        self.over.wait(seconds)

    def stop(self) -> None:
        """End it and all that it has started by force; its end then stands in the queue, whoever holds its channel."""
        if self.process.returncode is not None:
            return  # its number may be another process's by now
        if hasattr(os, "killpg"):
            self._ask_keeper()
        kill_group(self.process)
        self.conclude()

    def _ask_keeper(self) -> None:
        """The keeper also finds what has left the group; only where it does not answer is it killed with the group."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.over.wait(GRACE_S)

    def conclude(self) -> None:
        """Put its end into the queue, once."""
        if not self.over.is_set():
            self.over.set()
            self.heard.put((self, None))

    def tidy(self) -> None:
        """Take the log away."""
        with contextlib.suppress(OSError):
            self.log.unlink(missing_ok=True)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a group's leader and all in it. Where there are no groups, the leader's end closes the worker's pipes."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        _kill_tree(process.pid)
    process.wait()


def _kill_tree(pid: int) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        leader = psutil.Process(pid)
        for one in [*leader.children(recursive=True), leader]:
            with contextlib.suppress(psutil.Error):
                one.kill()


def start(job: Mapping[str, Any], options: Options, heard: queue.Queue[Message]) -> Worker:
    """Start a worker on a job; what it says comes into the queue."""
    # -I and -P: neither of the two takes a module from the caller's folder, where a `logging.py` may lie.
    command = [sys.executable, "-I", "-S", str(KEEPER), sys.executable, "-P", "-m", WORKER]
    handle, name = tempfile.mkstemp(prefix="fkbench-", suffix=".log")
    with os.fdopen(handle, "wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            env=_environment(options),
        )  # fmt: skip
    worker = Worker(process, Path(name), time.monotonic(), heard)
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.write(json.dumps({"options": options.page(), **job}).encode() + b"\n")
        process.stdin.flush()  # and stays open: its end is how the keeper hears of ours
    threading.Thread(target=_listen, args=(worker,), daemon=True).start()
    return worker


def _environment(options: Options) -> dict[str, str]:
    found = dict(os.environ)
    # The worker's interpreter finds fkbench where this one did, wherever it was started.
    found["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    if options.threads is not None:
        found.setdefault("OMP_NUM_THREADS", str(options.threads))
    return found


def _listen(worker: Worker) -> None:
    """Until the keeper says that it is over, or there is no keeper: others may hold the channel open for ever."""
    assert worker.process.stdout is not None
    for line in worker.process.stdout:
        try:
            message = json.loads(line)
        except ValueError:  # half a line of a worker that was killed
            continue
        if isinstance(message, dict) and message.get("event") == "exit":
            worker.code = message.get("code")
            break
        if isinstance(message, dict):
            worker.heard.put((worker, message))
    worker.conclude()
