"""Keeps freed memory in the process. A net on a CPU frees and takes the same large blocks in every step.

glibc gives large blocks back to the kernel at once, and gets them again page by page: for dfk at batch
64 half of the CPU time of a step went into 3000 page faults an image (measured 2026-11, glibc 2.36: 55 images per
CPU second before, 116 after; three faces through dfk: 15.0 ms of a core before, 9.5 after). PyTorch has no
allocator of its own on the CPU.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc to serve all blocks from its heap and never to shrink it. False where the C library is another."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER))
