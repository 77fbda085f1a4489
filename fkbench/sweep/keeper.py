"""Stands between a sweep and one worker: when the sweep is gone, however it went, the worker and its children go too.

Run as a script by an interpreter without site packages; it does nothing but wait, so that a worker which holds the
interpreter's lock, or hangs in C code, is ended all the same. Its standard input is a pipe from the sweep: when that
ends, the sweep has, or wants this run to end. What it says goes to standard output once nothing of the run is left, one
JSON line: `{"event": "exit", "code": …}`, with null where the worker did not end by itself.

On Linux what the worker has started falls to the keeper when its parent dies, also from another group or session, so
that all of it can be found and ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
ENDING_S = 3.0
"""How long descendants are hunted that go on starting others."""
_ending = threading.Lock()


def main(command: list[str]) -> None:
    """Start the command in this process's group, and end all that came of it when the command or the sweep ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides what Ctrl-C means
    _adopt()
    read, write = os.pipe()
    environment = {**os.environ, "FKBENCH_KEEPER": str(os.getpid())}
    worker = subprocess.Popen(command, stdin=read, env=environment)
    os.close(read)
    threading.Thread(target=_feed, args=(write, worker), daemon=True).start()
    _end(worker, worker.wait())


def _adopt() -> None:
    if sys.platform.startswith("linux"):
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _feed(write: int, worker: subprocess.Popen[bytes]) -> None:
    """Hand the job on (the first line), then wait for the end of the sweep."""
    with contextlib.suppress(OSError), os.fdopen(write, "wb") as job:
        job.write(sys.stdin.buffer.readline())
    sys.stdin.buffer.read()
    _end(worker, None)


def _end(worker: subprocess.Popen[bytes], code: int | None) -> None:
    """End what is left, then say how the worker ended. The first of the two threads that comes here does it."""
    with _ending:
        worker.kill()
        _end_descendants()
        with contextlib.suppress(OSError):
            os.write(1, f"\n{json.dumps({'event': 'exit', 'code': code})}\n".encode())
        if hasattr(os, "killpg"):
            os.killpg(os.getpgrp(), signal.SIGKILL)  # its leader is this process
        os._exit(0)


def _end_descendants() -> None:
    deadline = time.monotonic() + ENDING_S
    while (left := _descendants()) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _descendants() -> list[int]:
    """Living processes below this one; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and (parent := _living_parent(name)) is not None:
                children.setdefault(parent, []).append(int(name))
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _living_parent(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except (OSError, ValueError):
        return None
    return None if state in {b"Z", b"X"} else int(parent)


if __name__ == "__main__":
    main(sys.argv[1:])
