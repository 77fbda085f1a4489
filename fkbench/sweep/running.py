"""Carrying out a plan: so many workers at a time, each until it ends or its time is over."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.records import RunStore
from fkbench.sweep.outcomes import Outcome, conclude, killed_for_memory
from fkbench.sweep.planning import Planned
from fkbench.sweep.processes import GRACE_S, Message, Options, Worker, start

POLL_S = 0.2
KEPT = {"stage", "training", "step", "epoch", "waiting", "held", "refused", "error"}


@dataclass(eq=False)
class Running:
    """A run with its worker.

    Attributes:
        planned: what it is.
        worker: its process; what it has said last is in `worker.said`.
        before: canonical form of the record that lay there at its start.
        kills: times that the system had killed for memory at its start.
        timed_out: its time was over.
        waiting: moment since when it waits for another process that works on the same run; None: it does not.
        waited: seconds that it has waited before.
    """

    planned: Planned
    worker: Worker
    before: str = ""
    kills: int | None = None
    timed_out: bool = False
    waiting: float | None = None
    waited: float = 0.0

    @property
    def seconds(self) -> float:
        """Since its start, without those in which it waited for another process."""
        now = time.monotonic() if self.waiting is None else self.waiting
        return now - self.worker.started - self.waited

    def hear(self, message: Mapping[str, Any]) -> None:
        """Keep what the worker says; `waiting` stops the clock of the time limit, `held` lets it go on."""
        event = message["event"]
        if event == "waiting" and self.waiting is None:
            self.waiting = time.monotonic()
        elif event == "held" and self.waiting is not None:
            self.waited += time.monotonic() - self.waiting
            self.waiting = None
        self.worker.said.pop(event, None)  # the last word shall stand last
        self.worker.said[event] = message


Watch = Callable[[str, Running | None, Outcome | None], None]
"""Told of (`started` | `said` | `ended` | `tick`, the run, how it ended)."""


@dataclass
class Sweep:
    """A plan being carried out.

    Attributes:
        jobs: workers at a time.
        watch: hears what happens, and a tick several times a second.
        ended: what became of the runs, in the order in which they ended.
    """

    planned: Sequence[Planned]
    options: Options
    jobs: int = 1
    watch: Watch = lambda what, run, outcome: None
    ended: list[tuple[Planned, Outcome, float]] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    _heard: queue.Queue[Message] = field(default_factory=queue.Queue)

    def carry_out(self) -> list[tuple[Planned, Outcome, float]]:
        """Run what is to be run; returns the runs with their outcomes and seconds.

        However this is left, with Ctrl-C or an error, no worker outlives it.
        """
        left = [one for one in self.planned if one.to_run]
        try:
            while left or self.running:
                while left and len(self.running) < self.jobs:
                    self._start(left.pop(0))
                self._hear()
                self._end_late()
                self.watch("tick", None, None)
        finally:
            self._stop_all()
        return self.ended

    def _start(self, planned: Planned) -> None:
        before, kills = self._before(planned), killed_for_memory()
        worker = start({"verb": "run", "cells": [asdict(planned.cell)]}, self.options, self._heard)
        run = Running(planned, worker, before, kills)
        self.running.append(run)
        self.watch("started", run, None)

    def _before(self, planned: Planned) -> str:
        assert planned.folder is not None
        try:
            record = RunStore(self.options.runs).get(planned.folder)
        except FkbenchError:
            return ""
        return record.canonical() if record is not None else ""

    def _hear(self) -> None:
        """What workers have said until now; waits a moment where that is nothing."""
        wait = POLL_S
        while True:
            try:
                worker, message = self._heard.get(timeout=wait)
            except queue.Empty:
                return
            wait = 0.0
            run = next((one for one in self.running if one.worker is worker), None)
            if run is None:
                continue
            if message is None:
                self._ended(run)
            else:
                self._said(run, message)

    def _said(self, run: Running, message: Mapping[str, Any]) -> None:
        if message["event"] in KEPT:
            run.hear(message)
            self.watch("said", run, None)

    def _ended(self, run: Running) -> None:
        run.worker.stop()
        self.running.remove(run)
        store = RunStore(self.options.runs)
        outcome = conclude(run.planned, run.worker, store, run.before, run.kills, timed_out=run.timed_out)
        run.worker.tidy()
        self.ended.append((run.planned, outcome, run.seconds))
        self.watch("ended", run, outcome)

    def _end_late(self) -> None:
        for run in self.running:
            if not run.timed_out and run.seconds > run.planned.cell.limit:
                run.timed_out = True
                run.worker.stop()  # its end is heard like any other

    def _stop_all(self) -> None:
        """Ctrl-C for all workers at once, then force: what they were writing is whole or gone."""
        deadline = time.monotonic() + GRACE_S
        for run in self.running:
            run.worker.interrupt()
        for run in self.running:
            run.worker.wait(max(0.0, deadline - time.monotonic()))
            run.worker.stop()
            run.worker.tidy()
        self.running.clear()
