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

LIMIT_S = 300.0
"""Seconds that one check may take. Most take less than one; a machine that is busy with other work takes longer."""


class TooSlowError(Exception):
    """A check has used up its time."""


@contextmanager
def limited(seconds: float = LIMIT_S) -> Iterator[None]:
    """Raise `TooSlowError` inside the block after so many seconds.

    Works by an alarm, so in the main thread of a POSIX system alone; elsewhere there is no limit. An alarm that was
    set before is set again afterwards, with the time that it has left.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.monotonic()
    previous = signal.signal(signal.SIGALRM, _stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if left:
            rest = max(left - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


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
