"""The process that plans the runs of a sweep, or carries out one of them. Its job is a JSON line on standard input.

It answers in JSON lines on what was its standard output; whatever plugins print goes to the log. Exit codes: 0 done,
1 the run failed and its record says why, 2 it cannot be run so, 3 an error that nobody expected, 130 interrupted.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.cli.session import Session
from fkbench.errors import FkbenchError
from fkbench.sweep.matrix import Cell

if TYPE_CHECKING:
    from fkbench.runner.plan import Request
    from fkbench.runner.requests import Runner
    from fkbench.runner.single import SingleRun
    from fkbench.train.optimisation import Budget

Say = Callable[..., None]

PR_SET_PDEATHSIG = 1
STEP_EVERY_S = 0.5


def main() -> int:
    """Do the job."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the keeper ignores it, and what it starts would, too
    _die_with_keeper()
    faulthandler.enable()
    say = _channel()
    job = json.loads(sys.stdin.readline())
    options = job["options"]
    session = Session(
        data=Path(options["data"]),
        runs=Path(options["runs"]),
        plugins=[Path(path) for path in options["plugins"]],
        strict=options["strict"],
        offline=options["offline"],
    )
    if session.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        return {"plan": _plan, "run": _run}[job["verb"]](session, [Cell(**page) for page in job["cells"]], say)
    except KeyboardInterrupt:
        return 130


def _die_with_keeper() -> None:
    """The keeper ends this process when the sweep has ended; where the keeper itself is killed, Linux does it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    keeper = os.environ.get("FKBENCH_KEEPER")
    if keeper is not None and os.name == "posix" and os.getppid() != int(keeper):
        os._exit(1)  # it was gone before that was asked for


def _channel() -> Say:
    """What was standard output is for the sweep alone: from here on, printing goes to the log."""
    channel = os.dup(1)
    os.set_inheritable(channel, False)
    os.dup2(2, 1)

    def say(event: str, **facts: Any) -> None:
        os.write(channel, json.dumps({"event": event, **facts}).encode() + b"\n")

    return say


def _request(session: Session, cell: Cell) -> Request:
    from fkbench.runner.plan import Request, find_model, find_protocol

    return Request(
        model=find_model(session.registry, cell.model),
        dataset=session.dataset(cell.dataset),
        protocol=find_protocol(cell.protocol),
        split=cell.split,
        box=cell.box,
        seeds=(cell.seed,),
        device=cell.device,
        epochs=cell.epochs,
        settings=cell.settings,
    )


def _runner(session: Session, event: Callable[[str, Mapping[str, Any]], None]) -> Runner:
    from fkbench.records import RunStore
    from fkbench.runner.requests import Runner

    return Runner(session.registry, data=session.store.root, runs=RunStore(session.runs_root), event=event)


def _plan(session: Session, cells: list[Cell], say: Say) -> int:
    """Say of each cell which run it is, and how that stands; nothing is written."""

    def event(name: str, facts: Mapping[str, Any]) -> None:
        if name in {"data", "stage"}:
            say("stage", text=facts.get("text") or f"{facts['stage']} {facts['done']}/{facts['total']}")

    runner = _runner(session, event)
    for number, cell in enumerate(cells):
        say("at", number=number)
        try:
            (single,) = runner.planned(_request(session, cell))
            say("planned", number=number, **_standing(single))
        except FkbenchError as error:
            kind = "unknown" if type(error).__name__ == "UnknownNameError" else "impossible"
            say("planned", number=number, state="impossible", reason=str(error), kind=kind)
        except Exception as error:
            log = "".join(traceback.format_exception(error))
            say("planned", number=number, state="impossible", reason=_in_a_line(error), log=log)
    return 0


def _in_a_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"


def _standing(single: SingleRun) -> dict[str, Any]:
    """How a run stands, its key and folder, and the record that is written if its worker cannot write one."""
    from fkbench.runner.fit import CHECKPOINT
    from fkbench.runner.page import make_record

    skeleton = make_record(single, "failed", "", None, None, None).to_json()
    found: dict[str, Any] = {"key": single.key, "folder": str(single.folder), "skeleton": skeleton}
    found |= {"state": "run", "reason": "", "status": None}
    try:
        record = single.owner.runs.get(single.folder)
    except FkbenchError as error:
        return found | {"state": "again", "reason": error.message}
    if record is not None and record.status == "done":
        same = record.model.source == single.source and single.source != "unknown"
        changed = {"state": "changed", "reason": "the model's code has changed"}
        return found | ({"state": "done", "status": "done", "rmse": record.metric("rmse")} if same else changed)
    there = (single.folder / CHECKPOINT).is_file()
    if record is not None:
        reason = f"{record.status} before: {record.reason}"
        return found | {"state": "continue" if there else "again", "reason": reason, "status": record.status}
    return found | ({"state": "continue", "reason": "was cut off"} if there else {})


def _run(session: Session, cells: list[Cell], say: Say) -> int:
    """Carry out one run, and say how far it is."""
    from fkbench.errors import RunFailedError

    say("stage", text="starting")
    runner = _runner(session, Teller(say).event)
    try:
        request = _request(session, cells[0])
        _wait_for_others(runner, request, say)
        runner.run(request)
    except RunFailedError:
        return 1
    except FkbenchError as error:
        say("refused", reason=str(error))
        return 2
    except Exception as error:
        traceback.print_exception(error)
        say("error", reason=_in_a_line(error))
        return 3
    return 0


def _wait_for_others(runner: Runner, request: Request, say: Say) -> None:
    """Wait while another process works on the run, saying so: that time is not the run's own."""
    from filelock import Timeout

    from fkbench.records.locks import run_lock

    (single,) = runner.planned(request)
    try:
        with run_lock(single.folder, timeout=0):
            return
    except Timeout:
        say("waiting")
        say("stage", text="waiting for another process")
    except OSError:
        return  # the run itself says why its folder cannot be written
    with run_lock(single.folder):
        say("held")
    say("stage", text="starting")


class Teller:
    """Hears a runner's events and passes on what a table shows, not more often than it is looked at."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.images = 0
        self.budget: Budget | None = None
        self.last = 0.0

    def event(self, name: str, facts: Mapping[str, Any]) -> None:
        """One event of a runner."""
        handler = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(facts)

    def _on_plan(self, facts: Mapping[str, Any]) -> None:
        from fkbench.runner.fit import images_seen, training_budget

        self.images, self.budget = 0, training_budget(facts["inputs"], facts["recipe"])
        self.say("training", total=images_seen(self.budget, self.budget.epochs))

    def _on_step(self, facts: Mapping[str, Any]) -> None:
        self.images += facts["images"]
        if time.monotonic() - self.last >= STEP_EVERY_S:
            self.last = time.monotonic()
            self.say("step", images=self.images)

    def _on_epoch(self, row: Mapping[str, Any]) -> None:
        from fkbench.runner.fit import images_seen

        found = {name: row[name] for name in ("epoch", "train_loss", "val_rmse") if row[name] == row[name]}
        if self.budget is not None:  # a run that goes on has epochs that were not stepped here
            self.images = images_seen(self.budget, int(row["epoch"]))
        self.say("epoch", images=self.images, **found)

    def _on_stage(self, facts: Mapping[str, Any]) -> None:
        self.say("stage", text=facts["text"])

    def _on_resumed(self, facts: Mapping[str, Any]) -> None:
        from fkbench.runner.fit import images_seen
        from fkbench.train.checkpoint import epochs_in

        if self.budget is not None:
            self.images = images_seen(self.budget, epochs_in(facts["path"]))
        self.say("stage", text="going on from its checkpoint")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # nothing is left to do, and threads of libraries must not keep a run from ending
