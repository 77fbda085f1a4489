"""Rendering by several processes.

The workers are plain child processes that run `worker.py` and answer over pipes. `multiprocessing` is not used: its
fork is unsafe beside torch's threads, and its spawn and forkserver import the caller's main script again, which breaks
a script without a `__main__` guard.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

ANSWER = np.dtype([("job", "<i8"), ("length", "<i8")])
"""What precedes each answer on a worker's pipe: the job's number and the bytes that follow."""

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {module} import main; main()"


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start() -> subprocess.Popen[bytes]:
    module = f"{__package__}.worker"
    paths = [str(Path(p).resolve()) if p else str(Path.cwd()) for p in sys.path]
    command = [sys.executable, "-c", _BOOT.format(module=module), json.dumps(paths)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _read(pipe: IO[bytes], answers: queue.Queue[tuple[int, bytes] | None]) -> None:
    """Puts a worker's answers into the queue, then None when its pipe ends."""
    while len(head := pipe.read(ANSWER.itemsize)) == ANSWER.itemsize:
        job, length = (int(v) for v in np.frombuffer(head, ANSWER)[0])
        body = pipe.read(length)
        if len(body) < length:
            break
        answers.put((job, body))
    answers.put(None)


def answers(seed: int, batches: Sequence[Sequence[int]], size: int, workers: int) -> Iterator[tuple[int, bytes]]:
    """(batch number, packed pictures) in order of completion; batches whose worker died are missing.

    Each worker gets every `workers`-th batch at once, so that nobody waits for a reply. All workers are ended when
    the iterator is closed.
    """
    done: queue.Queue[tuple[int, bytes] | None] = queue.Queue()
    processes = [_start() for _ in range(workers)]
    try:
        for k, process in enumerate(processes):
            jobs = [[n, [int(i) for i in batches[n]]] for n in range(k, len(batches), workers)]
            assert process.stdin is not None
            assert process.stdout is not None
            threading.Thread(target=_read, args=(process.stdout, done), daemon=True).start()
            try:
                process.stdin.write(json.dumps({"seed": seed, "size": size, "jobs": jobs}).encode())
                process.stdin.close()
            except OSError:
                continue
        running = workers
        while running:
            answer = done.get()
            if answer is None:
                running -= 1
            else:
                yield answer
    finally:
        for process in processes:
            process.kill()
            process.wait()
