"""`fkbench time RUN --again`: a run's own timing session once more, kept in its record if it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from fkbench.cli.session import Session, console, note, print_json
from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from fkbench.runtimes import Again


def time_once_more(session: Session, run: str, device: str, as_json: bool, *, alone: bool) -> None:
    """Carry it out and say what came of it; exit code 1 where it was void again.

    Args:
        device: `auto` is the kind of device of the record.
        alone: whether nothing else was asked for.

    Raises:
        FkbenchError: the session may not be repeated, or not here.
    """
    if not alone:
        raise FkbenchError(
            "--again repeats the session of a finished run as it was: it goes with RUN, --device and --json alone.",
            "For example `fkbench time RUN --again` (fkbench runs list).",
        )
    done = _repeated(session, run, device)
    if as_json:
        print_json({"run": done.record.key, "kept": done.kept, "timing": done.timing})
    else:
        _print(done)
    if not done.kept:
        note("The session is void, and the record stays as it is. Try again when nothing else is running.")
        raise typer.Exit(1)


def _repeated(session: Session, run: str, device: str) -> Again:
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.progress import listening
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device, make_repeatable
    from fkbench.runtimes import check_again, open_run, time_again

    record = RunStore(session.runs_root).find(run)
    check_again(record)
    place = choose_device(record.device.type if device == "auto" else device)
    make_repeatable()
    with progress_bars() as say:
        with listening(say):
            timed = open_run(record, session.registry, session.store, place)
        say(f"timing {record.model.name}", 0, 1)
        return time_again(timed)


def _print(done: Again) -> None:
    from fkbench.cli.report import session_line
    from fkbench.records import Timing

    console().print(session_line(done.record, Timing.model_validate(done.timing)), soft_wrap=True)
    if done.kept:
        console().print(f"in the record now: {done.record.path}", soft_wrap=True, markup=False)
