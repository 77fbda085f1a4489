"""The training of one run: from where, with what the machine trains fastest with, and who hears of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.runner.fit import CHECKPOINT, Fitted, Parts, fit_net, fit_predictor, make_trainer
from fkbench.train.checkpoint import identity_of
from fkbench.train.cpu_choice import CALIBRATION, Calibration, calibrated
from fkbench.train.engine import Listener, Trainer

if TYPE_CHECKING:
    from fkbench.runner.single import SingleRun


@dataclass
class Training:
    """Fits the model of a run.

    Attributes:
        calibration: what the net was trained with, once that is settled.
        failure: why it ended, where it has been trained beside others before (see `fkbench.runner.together`).
        beside_others: it has been, and its checkpoint says how far.
    """

    run: SingleRun
    calibration: Calibration | None = None
    failure: RunFailedError | None = None
    beside_others: bool = False

    def fit(self) -> Fitted:
        """Fit the model, from the last checkpoint where there is one.

        Raises:
            RunFailedError: the training diverged, now or beside others.
        """
        run = self.run
        if run.recipe is None:
            run.owner.event("stage", {"text": f"fitting {run.model.name}"})
            return fit_predictor(run.model, run.inputs, run.plan["model"]["settings"], run.folder)
        if self.failure is not None:
            raise self.failure
        start = self.start()
        if not self.beside_others:
            self.announce(f"{run.model.name} seed {run.plan['seed']}")
            if start is not None:
                run.owner.event("resumed", {"path": start})
        with self.calibrated() as self.calibration:
            return fit_net(self.trainer(start), run.folder, self.listener())

    def announce(self, name: str, trainings: int = 1) -> None:
        """Say that so many trainings like this one begin."""
        run = self.run
        facts = {"plan": run.plan, "name": name, "recipe": run.recipe, "inputs": run.inputs, "trainings": trainings}
        run.owner.event("plan", facts)

    def calibrated(self) -> AbstractContextManager[Calibration]:
        """What the net trains with; a run that goes on trains with what it began with."""
        run = self.run
        return calibrated(
            run.device, lambda text: run.owner.event("stage", {"text": text}), kept_in=run.folder / CALIBRATION
        )

    def trainer(self, start: Path | None, parts: Parts | None = None) -> Trainer:
        """A trainer that goes on from a checkpoint, or begins; what it trains with is settled.

        Args:
            parts: on the device already, where trainings share them.
        """
        run = self.run
        assert run.recipe is not None
        assert self.calibration is not None
        return make_trainer(
            run.model,
            run.recipe,
            run.inputs,
            settings=run.plan["model"]["settings"],
            seed=run.plan["seed"],
            precision=run.plan["precision"],
            identity=self.identity,
            device=run.device,
            start=start,
            layout=self.calibration.memory_format,
            parts=parts,
        )

    def listener(self, **facts: Any) -> Listener:
        """Passes progress on.

        Args:
            facts: said with each epoch.
        """
        run = self.run

        def epoch(row: dict[str, float]) -> None:
            run.owner.event("epoch", {**row, **facts})
            run.observe("fkbench_epoch_done", row=row)

        return Listener(
            step=lambda images: run.owner.event("step", {"images": images}),
            epoch=epoch,
            note=lambda text: run.owner.event("stage", {"text": text}),
        )

    def start(self) -> Path | None:
        """Where to go on from: this run's own checkpoint, or that of the run it extends."""
        run = self.run
        own = run.folder / CHECKPOINT
        if own.is_file():
            if identity_of(own) in {self.identity, ""}:  # one that cannot be read is refused by name when it is loaded
                return own
            run.owner.event("stage", {"text": f"{run.model.name}'s code has changed: from the start"})
            own.unlink()
        if run.parent is None:
            return None
        path = Path(run.parent.path) / CHECKPOINT
        if not path.is_file():
            raise FkbenchError(
                f"The run {run.parent.key} cannot be extended: its '{CHECKPOINT}' is gone.",
                "Run it again with --force.",
            )
        return path

    @property
    def identity(self) -> str:
        """Of this run and the model's code: a checkpoint of another one is not gone on from."""
        return f"{self.run.key} {self.run.source}"

    passing = (CHECKPOINT, CALIBRATION)
    """Names of the files that only a training that goes on needs."""

    def forget(self) -> None:
        """Take away what only a training that goes on needs."""
        for name in self.passing:
            (self.run.folder / name).unlink(missing_ok=True)
