"""Progress bars on stderr for long work that is not a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fkbench.cli.session import console
from fkbench.datasets.progress import Progress


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A listener that shows one bar for each stage; they vanish when the work is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    target = console(stderr=True)
    with Bars(*columns, console=target, transient=True, disable=not target.is_terminal) as bars:
        tasks = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report
