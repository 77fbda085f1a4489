"""What a sweep shows: its plan, a live table while it runs (plain lines without a terminal), and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fkbench.boards.text import cut, visible
from fkbench.cli.session import console, note
from fkbench.sweep.matrix import span
from fkbench.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from fkbench.sweep import Outcome, Planned
    from fkbench.sweep.running import Running

STATES = {
    "run": "runs",
    "continue": "goes on",
    "again": "runs again",
    "changed": "runs again if it computes another thing",
    "done": "finished",
    "same": "twice here",
    "kept": "left as it is",
    "impossible": "impossible",
}
COUNTED = {
    **STATES,
    "run": "to run",
    "continue": "to go on with",
    "again": "to run again",
    "changed": "to run again if they compute another thing",
}
"""The same after a number."""
REASON = 300


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner on stderr with what is being done; lines without a terminal."""
    screen = console(stderr=True)
    with screen.status(text) as status:
        if not screen.is_terminal:
            note(f"{text} …")
        yield lambda now: status.update(f"{text}: {visible(now)}")


def print_plan(planned: Sequence[Planned]) -> None:
    """The runs with what would happen to them, those that are impossible apart."""
    table, impossible = _table("run", "", "limit", "key"), _table("impossible", "why")
    for one in planned:
        label, state = one.label, STATES[one.state]
        if one.state == "impossible":
            impossible.add_row(*_texts(label, one.reason), style="yellow")
            continue
        why = f"{state}: {one.reason}" if one.reason and one.state != "same" else state
        style = "dim" if one.state in {"done", "same", "kept"} else ""
        table.add_row(*_texts(label, why, span(one.cell.limit), one.key), style=style)
    screen = console()
    for part in (table, impossible):
        if part.row_count:
            screen.print(part)
    counts = {name: sum(one.state == name for one in planned) for name in STATES}
    screen.print(", ".join(f"{count} {COUNTED[name]}" for name, count in counts.items() if count), soft_wrap=True)


def plan_page(planned: Planned) -> dict[str, Any]:
    """A planned run as JSON values."""
    cell = planned.cell
    return {
        "label": planned.label,
        "model": cell.model,
        "dataset": cell.dataset,
        "protocol": cell.protocol,
        "split": cell.split or None,
        "box": cell.box or None,
        "seed": cell.seed,
        "settings": cell.settings,
        "time_limit_s": cell.limit,
        "key": planned.key or None,
        "path": planned.folder,
        "state": planned.state,
        "reason": planned.reason,
        "status": planned.status if planned.state in {"done", "kept"} else None,
        "rmse": planned.rmse,
        "seconds": None,
        "log": planned.log,
    }


def outcome_page(planned: Planned, outcome: Outcome, seconds: float) -> dict[str, Any]:
    """A run that had a worker, as JSON values."""
    return {
        **plan_page(planned),
        "status": outcome.status,
        "reason": outcome.reason,
        "rmse": outcome.record.metric("rmse") if outcome.record is not None else None,
        "seconds": round(seconds, 1),
        "log": outcome.log,
    }


def print_summary(pages: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> None:
    """What became of the runs: those that did not succeed with their reasons, and numbers."""
    bad = [page for page in pages if page["status"] != "done" and page["state"] != "same"]
    if bad:
        table = _table("run", "", "why")
        for page in bad:
            table.add_row(*_texts(page["label"], page["status"] or page["state"], page["reason"]))
        console().print(table)
    console().print(", ".join(f"{count} {word}" for word, count in counts.items()))


def _table(*titles: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="underline")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _texts(*cells: str) -> list[Text]:
    """Cells that mean nothing to Rich or to a terminal: names and reasons may come from others."""
    from rich.text import Text

    return [Text(visible(cut(cell, REASON))) for cell in cells]


class SweepDisplay:
    """Watches a `Sweep`: a line for every run that ends, below them a row for each that runs."""

    def __init__(self, planned: Sequence[Planned], *, debug: bool = False) -> None:
        from rich.live import Live

        self.screen, self.debug = console(stderr=True), debug
        self.total = sum(one.to_run for one in planned)
        self.done = 0
        self.runs: list[Running] = []
        self.live = Live(console=self.screen, get_renderable=self._rows, refresh_per_second=4, transient=True)
        skipped = sum(one.state == "done" for one in planned)
        self.said = f"{counted(self.total, 'run')} to do, {skipped} finished before."

    def __enter__(self) -> SweepDisplay:
        self.say(self.said)
        if self.screen.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self.screen.print(visible(text), markup=False, soft_wrap=True)

    def watch(self, what: str, run: Running | None, outcome: Outcome | None) -> None:
        """Hears what happens."""
        if run is None:
            return
        if what == "started":
            self.runs.append(run)
            if not self.screen.is_terminal:
                self.say(f"started: {run.planned.label}")
        elif what == "ended" and outcome is not None:
            self.runs.remove(run)
            self.done += 1
            self._say_end(run, outcome)

    def _say_end(self, run: Running, outcome: Outcome) -> None:
        rmse = outcome.record.metric("rmse") if outcome.record is not None else None
        score = f", rmse {rmse:.3f} px" if rmse is not None else ""
        why = f": {cut(outcome.reason, REASON)}" if outcome.reason else ""
        place = f"{self.done}/{self.total}"
        self.say(f"{place} {outcome.status}: {run.planned.label}{score}, {span(run.seconds)}{why}")
        if self.debug:
            for line in outcome.log.splitlines():
                self.say(f"    {line}")

    def _rows(self) -> RenderableType:
        from rich.progress_bar import ProgressBar

        table = _table("running", "", "", "time")
        table.columns[0].no_wrap = table.columns[2].no_wrap = True
        table.columns[0].overflow = table.columns[2].overflow = "ellipsis"
        for run in self.runs:
            total, images = _progress(run.worker.said)
            bar = ProgressBar(total=total, completed=images, width=12, pulse=total is None)
            elapsed = f"{span(run.seconds)} of {span(run.planned.cell.limit)}"
            label, state = _texts(run.planned.label, _state(run.worker.said))
            table.add_row(label, bar, state, elapsed)
        table.add_row(f"{self.done} of {self.total} done", "", "", "")
        return table


def _progress(said: Mapping[str, Mapping[str, Any]]) -> tuple[float | None, float]:
    """Images of the whole training (None before it has begun), and those seen."""
    if "training" not in said:
        return None, 0.0
    seen = [said[name]["images"] for name in ("step", "epoch") if name in said]
    return said["training"]["total"], max(seen, default=0.0)


def _state(said: Mapping[str, Mapping[str, Any]]) -> str:
    """How far a worker is: the epoch while it trains, else the stage that it named last."""
    last = list(said)[-1] if said else ""
    if last in {"step", "epoch"} and "epoch" in said:
        row = said["epoch"]
        rmse = f"  val rmse {row['val_rmse']:.2f} px" if "val_rmse" in row else ""
        return f"epoch {row['epoch']:.0f}{rmse}"
    if last in {"training", "step"}:
        return "training"
    return str(said.get("stage", {}).get("text", "starting"))
