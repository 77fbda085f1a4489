"""What became of a worker, and the record of a run whose worker could not write one."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.errors import FkbenchError
from fkbench.records import RunRecord, RunStore, Status, utc_now
from fkbench.sweep.matrix import span

if TYPE_CHECKING:
    from fkbench.sweep.planning import Planned
    from fkbench.sweep.processes import Worker

OUT_OF_MEMORY = ("MemoryError", "OutOfMemoryError", "can't allocate memory", "bad_alloc")
NOT_RUN_SO = 2
LOCK_S = 3.0
"""How long the lock of a run is waited for whose worker was killed: the system may still be taking it down."""
VMSTAT = Path("/proc/vmstat")


@dataclass(frozen=True)
class Outcome:
    """How a run has ended.

    Attributes:
        record: as it lies in the runs folder; None where none could be written.
        log: the end of what the worker wrote to standard error, where that helps.
    """

    status: Status
    reason: str = ""
    record: RunRecord | None = None
    log: str = ""


def killed_for_memory() -> int | None:
    """How often the system has killed a process for lack of memory since it started; None where it does not say."""
    with contextlib.suppress(OSError, ValueError):
        for line in VMSTAT.read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


def death(worker: Worker, kills_before: int | None = None) -> Outcome:
    """Why a worker has ended that has left no record, as far as that can be known.

    Args:
        kills_before: `killed_for_memory` when it was started.
    """
    code, tail = worker.code, worker.tail()
    word = worker.said.get("refused") or worker.said.get("error")
    if word is not None:
        reason = str(word["reason"])
        if code == NOT_RUN_SO:
            return Outcome("skipped", reason)
        return Outcome("oom" if _of_memory(reason) else "failed", reason, log=worker.last_words())
    if code is None:
        return Outcome("failed", _with("its process ended without a word", tail), log=worker.last_words())
    if code < 0:
        return _by_signal(-code, tail, kills_before, worker.last_words())
    status: Status = "oom" if _of_memory(tail) else "failed"
    return Outcome(status, _with(f"its process ended with exit code {code}", tail), log=worker.last_words())


def _by_signal(number: int, tail: str, kills_before: int | None, log: str) -> Outcome:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    now = killed_for_memory()
    if name == "SIGKILL" and kills_before is not None and now is not None and now > kills_before:
        return Outcome("oom", "the system killed it for lack of memory")
    if _of_memory(tail):
        return Outcome("oom", _with("out of memory", tail), log=log)
    if name == "SIGKILL":
        return Outcome("failed", "something outside killed it (SIGKILL)", log=log)
    return Outcome("failed", f"its process crashed ({name})", log=log)


def _of_memory(text: str) -> bool:
    return any(mark in text for mark in OUT_OF_MEMORY)


def _with(what: str, tail: str) -> str:
    return f"{what}: {tail}" if tail else what


def conclude(
    planned: Planned, worker: Worker, store: RunStore, before: str, kills_before: int | None, *, timed_out: bool
) -> Outcome:
    """How a run has ended whose worker is gone; the record that is missing then is written.

    Args:
        before: canonical form of the record that lay there when the worker was started; empty: none.
        timed_out: its worker was ended for that.
    """
    assert planned.folder is not None
    record = _record(store, planned.folder)
    own = record is not None and (worker.code == 0 or record.canonical() != before)
    if record is not None and own:
        return Outcome(record.status, record.reason, record)
    if timed_out:
        found = Outcome("timeout", f"ended after its time limit of {span(planned.cell.limit)}")
    else:
        found = death(worker, kills_before)
    written = write_failure(planned, store, found)
    return Outcome(found.status, found.reason, written, found.log)


def _record(store: RunStore, folder: Path) -> RunRecord | None:
    try:
        return store.get(folder)
    except FkbenchError:
        return None


def write_failure(planned: Planned, store: RunStore, found: Outcome) -> RunRecord | None:
    """Write the record of a run that could not do it itself; a checkpoint stays, for the next try to go on from.

    Nothing is written while another process works on the run, nor over the record of a finished one.
    """
    from filelock import Timeout

    from fkbench.records.locks import run_lock

    assert planned.folder is not None
    assert planned.skeleton is not None
    changes = {"status": found.status, "reason": found.reason[:4000], "created": utc_now()}
    with contextlib.suppress(Timeout, FkbenchError, OSError), run_lock(planned.folder, timeout=LOCK_S):
        there = _record(store, planned.folder)
        if there is not None and there.status == "done":
            return None
        store.start(planned.folder)
        return store.write(planned.skeleton.model_copy(update=changes), planned.folder)
    return None
