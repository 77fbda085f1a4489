"""Peak memory of a prediction, and what exactly was measured: the two kinds must not be compared."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable

import psutil
import torch

MIB = 2**20
INTERVAL_S = 0.0005


def peak_memory(work: Callable[[], object], device: torch.device) -> tuple[float, str]:
    """Memory that `work` needs beyond what was held before it: MiB, and the name of the measure.

    CUDA: the allocator's peak minus what was allocated before (weights and resident data). Elsewhere: growth of the
    process's resident set, sampled; memory that the process already held and used again does not show.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return (
            torch.cuda.max_memory_allocated(device) - before
        ) / MIB, "allocated on the device beyond what was resident"
    _return_freed_memory()
    return _resident_growth(work) / MIB, "growth of the process's resident set, sampled"


def _resident_growth(work: Callable[[], object]) -> int:
    process = psutil.Process()
    before = peak = int(process.memory_info().rss)
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(INTERVAL_S):
            peak = max(peak, int(process.memory_info().rss))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return max(peak, int(process.memory_info().rss)) - before


def _return_freed_memory() -> None:
    """Hand freed memory back to the system, so that using it again counts as growth. Only glibc can be asked."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return
