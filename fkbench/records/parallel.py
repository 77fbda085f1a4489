"""Work on very many records, shared by processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MANY = 500
"""So many records are worth the second that it takes to start processes."""


def useful_processes(records: int) -> int:
    """How many processes pay for so many records on this machine, at most four: 1 for few of them."""
    if records < MANY:
        return 1
    # Not the number of all processors: a job may be bound to some of them.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, cores))


def in_processes(work: Callable[[Item], Result], items: Sequence[Item], processes: int) -> Iterator[Result]:
    """The results in the order of the items. What `work` raises is raised here.

    Args:
        work: a function of a module, or a method named by its class.
        items: what it is called with, one by one.
        processes: 1: in this process, without sending anything.
    """
    if processes < 2 or len(items) < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Fresh processes: a fork of one that has threads (numpy's, torch's) may hang.
    with ProcessPoolExecutor(min(processes, len(items)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, items)
