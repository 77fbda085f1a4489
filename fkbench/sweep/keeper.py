"""Stands between a sweep and one worker: when the sweep is gone, however it went, the worker and its children go too.

Run as a script by an interpreter without site packages; it does nothing but wait, so that a worker which holds the
interpreter's lock, or hangs in C code, is ended all the same. Its standard input is a pipe from the sweep: when that
ends, the sweep has. What it says goes to standard output, one JSON line: `{"event": "exit", "code": …}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> None:
    """Start the command in this process's group, and end the group when the command or the sweep ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides what Ctrl-C means
    read, write = os.pipe()
    environment = {**os.environ, "FKBENCH_KEEPER": str(os.getpid())}
    worker = subprocess.Popen(command, stdin=read, env=environment)
    os.close(read)
    threading.Thread(target=_feed, args=(write, worker), daemon=True).start()
    code = worker.wait()
    with contextlib.suppress(OSError):
        os.write(1, f"\n{json.dumps({'event': 'exit', 'code': code})}\n".encode())
    _end(worker)


def _feed(write: int, worker: subprocess.Popen[bytes]) -> None:
    """Hand the job on (the first line), then wait for the end of the sweep."""
    with contextlib.suppress(OSError), os.fdopen(write, "wb") as job:
        job.write(sys.stdin.buffer.readline())
    sys.stdin.buffer.read()
    _end(worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)  # its leader is this process: children of the worker are in it, too
    worker.kill()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
