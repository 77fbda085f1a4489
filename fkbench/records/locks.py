"""The lock of a run: one process works on it at a time, and nobody deletes it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from filelock import BaseFileLock


class RunBusyError(FkbenchError):
    """Another process works on the run."""


def lock_path(folder: Path) -> Path:
    """Of the lock of a run's folder: beside it, so that it outlives the folder's content."""
    return folder.parent / f".{folder.name}.lock"


def run_lock(folder: Path, timeout: float = -1) -> BaseFileLock:
    """Two processes never work on one run: the second waits, and finds it finished.

    Args:
        timeout: seconds that it waits, then `filelock.Timeout` is raised; negative: for ever.
    """
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(str(lock_path(folder)), timeout=timeout)


def _taken(folder: Path, undone: str) -> BaseFileLock:
    """The run's lock, acquired at once; `undone`: what was not done where another process has it."""
    from filelock import Timeout

    try:
        lock = run_lock(folder, timeout=0)
        lock.acquire()
    except Timeout:
        raise RunBusyError(
            f"The run in '{folder}' is running: {undone}.", "Wait until it has ended, or stop it."
        ) from None
    except OSError as error:
        raise FkbenchError(f"Cannot lock the run in '{folder}': {error.strerror or error}.") from error
    return lock


@contextmanager
def held(folder: Path, undone: str) -> Iterator[None]:
    """The run's lock for changing its record; errors as for `idle`.

    Args:
        undone: what is not done where another process works on the run, in words.
    """
    lock = _taken(folder, undone)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def idle(folder: Path) -> Iterator[None]:
    """The run's lock for deleting what is in its folder; afterwards the lock's file is gone, too.

    Raises:
        RunBusyError: another process works on the run.
        FkbenchError: the lock's file cannot be written.
    """
    lock = _taken(folder, "nothing of it was removed")
    try:
        yield
    finally:
        # Before the release: another process that takes it afterwards must find the file that it has locked. Who waits
        # for the deleted one begins anew, see the least version of filelock in pyproject.toml. Windows deletes no open
        # file, and does it when the lock is released.
        with suppress(OSError):
            lock_path(folder).unlink(missing_ok=True)
        lock.release()
