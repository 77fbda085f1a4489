"""How long work reports on itself, without knowing who listens.

Loaders of plugins take a store and settings and nothing else; one that works long asks `listener()` where to report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[str, int, int], None]
"""Called as (what is being done, done so far, total); `done == total` ends that stage. Called from one thread."""


def silent(stage: str, done: int, total: int) -> None:
    """Nobody listens."""


_LISTENER: ContextVar[Progress] = ContextVar("fkbench_progress", default=silent)


def listener() -> Progress:
    """Where long work reports to just now."""
    return _LISTENER.get()


@contextmanager
def listening(progress: Progress | None) -> Iterator[None]:
    """Within this block long work reports to `progress` (None: to whom it did before)."""
    if progress is None:
        yield
        return
    token = _LISTENER.set(progress)
    try:
        yield
    finally:
        _LISTENER.reset(token)
