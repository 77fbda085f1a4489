"""Progress of runs on stderr: a bar for training with loss and rmse, a line for everything else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fkbench.cli.session import console

if TYPE_CHECKING:
    from fkbench.train.optimisation import Budget

LINE_EVERY_S = 10.0


class RunDisplay:
    """Listens to a `Runner`."""

    def __init__(self) -> None:
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console(stderr=True),
            transient=True,
        )
        self.lines = not self.progress.console.is_terminal
        self.said = 0.0
        self.training: TaskID | None = None
        self.budget: Budget | None = None
        self.stages: dict[str, TaskID] = {}
        self.stage: TaskID | None = None

    def __enter__(self) -> RunDisplay:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def say(self, text: str) -> None:
        self.progress.console.print(text, markup=False)

    def event(self, name: str, facts: Mapping[str, Any]) -> None:
        """One event of a runner."""
        handler = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(facts)

    def _on_data(self, facts: Mapping[str, Any]) -> None:
        stage, done, total = facts["stage"], facts["done"], facts["total"]
        if stage not in self.stages:
            self.stages[stage] = self.progress.add_task(stage, total=total, state="")
        self.progress.update(self.stages[stage], completed=done, total=total, state=f"{done}/{total}")
        if done >= total:
            self.progress.remove_task(self.stages.pop(stage))

    def _line(self, text: str, every: float = 0.0) -> None:
        """Without a terminal there are no bars: a line for each stage, and for an epoch every few seconds."""
        if self.lines and time.monotonic() - self.said >= every:
            self.said = time.monotonic()
            self.say(text)

    def _on_stage(self, facts: Mapping[str, Any]) -> None:
        self._line(facts["text"])
        if self.stage is not None:
            self.progress.remove_task(self.stage)
        self.stage = self.progress.add_task(facts["text"], total=None, state="")

    def _on_plan(self, facts: Mapping[str, Any]) -> None:
        from fkbench.runner.fit import images_seen, training_budget

        self._clear_stage()
        self._clear_training()
        self._line(f"training {facts['name']}")
        self.budget = training_budget(facts["inputs"], facts["recipe"])
        total = facts["trainings"] * images_seen(self.budget, self.budget.epochs)
        self.training = self.progress.add_task(f"training {facts['name']}", total=total, state="")

    def _on_resumed(self, facts: Mapping[str, Any]) -> None:
        from fkbench.runner.fit import images_seen
        from fkbench.train.checkpoint import epochs_in

        self.say(f"Going on from {facts['path']}")
        if self.training is not None and self.budget is not None:
            self.progress.advance(self.training, images_seen(self.budget, epochs_in(facts["path"])))

    def _on_step(self, facts: Mapping[str, Any]) -> None:
        if self.training is not None:
            self.progress.advance(self.training, facts["images"])

    def _on_epoch(self, row: Mapping[str, Any]) -> None:
        if self.training is not None and self.budget is not None:
            seed = f"seed {row['seed']}  " if "seed" in row else ""
            state = f"{seed}epoch {row['epoch']:.0f} of {self.budget.epochs}  loss {row['train_loss']:.4f}"
            if row["val_rmse"] == row["val_rmse"]:
                state += f"  val rmse {row['val_rmse']:.2f} px"
            self.progress.update(self.training, state=state)
            self._line(state, every=LINE_EVERY_S)

    def _on_reused(self, facts: Mapping[str, Any]) -> None:
        self._clear_stage()

    def _on_finished(self, facts: Mapping[str, Any]) -> None:
        self._clear_stage()
        self._clear_training()

    def _clear_training(self) -> None:
        if self.training is not None:
            self.progress.remove_task(self.training)
            self.training = None

    def _clear_stage(self) -> None:
        if self.stage is not None:
            self.progress.remove_task(self.stage)
            self.stage = None
