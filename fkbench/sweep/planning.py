"""Which runs a sweep means, and how each of them stands: found out by a worker, since it opens data and plugins."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fkbench.errors import FkbenchError
from fkbench.records import RunRecord, Status
from fkbench.sweep.matrix import Cell
from fkbench.sweep.outcomes import death
from fkbench.sweep.processes import Message, Options, start

State = Literal["run", "continue", "again", "changed", "done", "same", "kept", "impossible"]
TO_RUN = frozenset({"run", "continue", "again", "changed"})


@dataclass(frozen=True)
class Planned:
    """A cell as the run that it is.

    Attributes:
        state: `run`; `continue` from a checkpoint; `again` after a failure; `changed`: finished with other code, which
            the worker compares; `done`: skipped; `same`: another cell is the same run; `kept`: failed before and not
            tried again; `impossible`.
        reason: why it is in that state.
        key: of the run; empty where it is impossible.
        folder: of the run.
        skeleton: the record as it is at a run's start; None where it is impossible.
        status: in the record that is there; None where there is none, or it cannot be read.
        rmse: of a finished run.
        unknown: it is impossible because a name is not known: rather a slip than a pair that does not go together.
        log: the traceback where planning it met an error that nobody expected; else empty.
    """

    cell: Cell
    state: State
    reason: str = ""
    key: str = ""
    folder: Path | None = None
    skeleton: RunRecord | None = None
    status: Status | None = None
    rmse: float | None = None
    unknown: bool = False
    log: str = ""

    @property
    def label(self) -> str:
        """The cell's for people, with the names of records and tables where it names files (`./mynet.py`)."""
        if self.skeleton is None:
            return self.cell.label
        return replace(self.cell, model=self.skeleton.model.name, dataset=self.skeleton.dataset.name).label

    @property
    def to_run(self) -> bool:
        """Whether it gets a worker."""
        return self.state in TO_RUN


def plan(
    cells: Sequence[Cell], options: Options, note: Callable[[str], None] = lambda text: None, *, retry: bool = True
) -> list[Planned]:
    """The cells in their order, each as the run that it is.

    Args:
        note: told of what takes long.
        retry: runs that failed before are tried again.
    """
    found: dict[int, Planned] = {}
    while len(found) < len(cells):
        left = [number for number in range(len(cells)) if number not in found]
        found |= _plan_some(cells, left, options, note)
    planned, keys = [], set()
    for number in range(len(cells)):
        one = found[number]
        if one.key and one.key in keys:
            one = replace(one, state="same", reason="the same run as another of this sweep")
        elif not retry and (one.state == "again" or (one.state == "continue" and one.status is not None)):
            one = replace(one, state="kept")
        keys.add(one.key)
        planned.append(one)
    return planned


def slip(planned: Sequence[Planned]) -> Planned | None:
    """A cell with a name that nobody knows: it is nowhere possible, so it is no pair that only does not go together."""
    fine = [one.cell for one in planned if one.state != "impossible"]
    for one in planned:
        cell = one.cell
        parts = {name: getattr(cell, name) for name in ("model", "dataset", "protocol", "split", "box", "settings")}
        if one.unknown and not all(any(getattr(other, k) == v for other in fine) for k, v in parts.items()):
            return one
    return None


def _plan_some(
    cells: Sequence[Cell], left: Sequence[int], options: Options, note: Callable[[str], None]
) -> dict[int, Planned]:
    """What one worker finds out about the cells that are left; one that it dies of is impossible."""
    heard: queue.Queue[Message] = queue.Queue()
    worker = start({"verb": "plan", "cells": [asdict(cells[number]) for number in left]}, options, heard)
    found: dict[int, Planned] = {}
    at: int | None = None
    try:
        while True:
            message = heard.get()[1]
            if message is None:
                break
            if message["event"] == "at":
                at = left[message["number"]]
            elif message["event"] == "planned":
                number = left[message["number"]]
                found[number] = _planned(cells[number], message)
            elif message["event"] == "stage":
                note(message["text"])
        if len(found) < len(left):
            if at is None or at in found:
                why = f"Planning failed: {death(worker).reason}"
                raise FkbenchError(why, "`fkbench plugins` shows what is loaded.")
            found[at] = Planned(cells[at], "impossible", f"planning it failed: {death(worker).reason}")
    finally:
        worker.stop()
        worker.tidy()
    return found


def _planned(cell: Cell, page: Mapping[str, Any]) -> Planned:
    if page["state"] == "impossible":
        unknown = page.get("kind") == "unknown"
        return Planned(cell, "impossible", page["reason"], unknown=unknown, log=page.get("log", ""))
    skeleton = RunRecord.model_validate(page["skeleton"])
    return Planned(
        cell, page["state"], page["reason"], page["key"], Path(page["folder"]), skeleton,
        status=page.get("status"), rmse=page.get("rmse"),
    )  # fmt: skip
