"""What a check may not do to the process around it: take for ever, or leave its random streams in another state."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import numpy as np

COMPUTING_S = 240.0
"""Seconds of computing that one check may take; most take less than one."""
WAITING_S = 900.0
"""Seconds on the clock that one check may take, for those that wait, or for a machine that is busy with other work."""


class TooSlowError(Exception):
    """A check has used up its time."""


@contextmanager
def limited(computing: float = COMPUTING_S, waiting: float = WAITING_S) -> Iterator[None]:
    """Raise `TooSlowError` inside the block after so many seconds of computing, or on the clock.

    Works by an alarm, so in the main thread of a POSIX system alone; elsewhere there is no limit. An alarm that was
    set before is set again afterwards, with the time that it has left.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    started, computed = time.monotonic(), time.thread_time()

    def stop_or_go_on(number: int, frame: FrameType | None) -> None:
        left = min(computing - (time.thread_time() - computed), waiting - (time.monotonic() - started))
        if left <= 0:
            raise TooSlowError
        signal.setitimer(signal.ITIMER_REAL, max(left, 0.01))

    previous = signal.signal(signal.SIGALRM, stop_or_go_on)
    older, interval = signal.setitimer(signal.ITIMER_REAL, min(computing, waiting))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if older:
            rest = max(older - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


@contextmanager
def kept_randomness() -> Iterator[None]:
    """Give Python's, numpy's and torch's global random streams back as they were."""
    python, arrays = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    tensors = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)
        if torch:
            torch.set_rng_state(tensors)
