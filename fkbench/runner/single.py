"""One model on one dataset with one seed: fits or goes on, scores, times, and writes the record last."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from fkbench.errors import FkbenchError, NoRoomError, RunFailedError
from fkbench.records import HISTORY_FILE, RunRecord, write_history
from fkbench.runner.device import make_repeatable
from fkbench.runner.fit import Fitted, build_net, native_losses, out_of_memory
from fkbench.runner.inputs import Inputs
from fkbench.runner.outcome import Outcome, draw_outcome, predict_test, score_points, write_outcome
from fkbench.runner.page import make_record
from fkbench.runner.plan import Request
from fkbench.runner.provenance import source_digest
from fkbench.runner.standing import brings_weights, stands
from fkbench.runner.timing import time_run
from fkbench.runner.training import Training
from fkbench.specs import Geometry, ModelSpec, Recipe
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import make_codec
from fkbench.train.cpu_choice import Calibration

if TYPE_CHECKING:
    from fkbench.runner.requests import Runner


@dataclass
class SingleRun:
    """All that one run needs; see `fkbench.runner.requests.Runner`."""

    owner: Runner
    request: Request
    recipe: Recipe | None
    plan: dict[str, Any]
    key: str
    folder: Path
    inputs: Inputs
    device: torch.device
    baselines: Callable[[], Mapping[str, RunRecord]]
    parent: RunRecord | None
    begun: bool = False

    @property
    def model(self) -> ModelSpec:
        return self.request.model

    @cached_property
    def training(self) -> Training:
        return Training(self)

    @property
    def calibration(self) -> Calibration | None:
        """What its net was trained with."""
        return self.training.calibration

    @cached_property
    def source(self) -> str:
        return source_digest(self.model)

    @property
    def beside(self) -> Mapping[str, RunRecord]:
        """The records of the baselines on the same split; they are made now where they are not there yet."""
        return self.baselines()

    @property
    def outputs(self) -> int:
        return 2 * len(self.inputs.scheme.points)

    @property
    def is_there(self) -> bool:
        """Whether a run of this key is finished, with the model's code as it is or as it was."""
        record = self.owner.runs.get(self.folder)
        return record is not None and record.status == "done"

    @property
    def stands(self) -> bool:
        """Whether a run of this key is finished, and what it says holds for the model's code as it is."""
        record = self.owner.runs.get(self.folder)
        return record is not None and record.status == "done" and self._still_stands(record)

    @property
    def brings_weights(self) -> bool:
        """Whether the net's fresh weights come from elsewhere, as its settings ask for."""
        return brings_weights(self.model, self.plan["model"]["settings"])

    def fresh_net(self) -> nn.Module:
        """The net as training starts with it.

        Raises:
            FkbenchError: it cannot be built; weights from elsewhere cannot be had.
        """
        assert self.recipe is not None
        outputs = make_codec(self.recipe.codec, self.model.input[1]).outputs(len(self.inputs.scheme.points))
        return build_net(self.model, self.plan["model"]["settings"], outputs, self.plan["seed"])

    def finished(self) -> RunRecord | None:
        """The finished record of this key, if it still stands for the model's code."""
        record = self.owner.runs.get(self.folder)
        if record is None or record.status != "done":
            return None
        if not self._still_stands(record):
            self.owner.event("stage", {"text": f"{self.model.name}'s code has changed: run again"})
            shutil.rmtree(self.folder)
            return None
        return record.model_copy(update={"reused": True})

    def _still_stands(self, record: RunRecord) -> bool:
        """Whether the model's code is the one that the record was made with, or computes the same."""
        return stands(record, self.model, self.source, lambda: self.outputs)

    def begin(self, *, force: bool) -> None:
        """Make its folder, and say that it begins; once.

        Args:
            force: from the start, whatever is there.
        """
        if self.begun:
            return
        self.begun = True
        if force and self.folder.exists():
            shutil.rmtree(self.folder)
        self.owner.runs.start(self.folder)
        make_repeatable()
        keep_freed_memory()
        self.observe("fkbench_run_started")

    def carry_out(self) -> RunRecord:
        """Run and write the record; a failure is recorded with its reason and raised."""
        try:
            record = self._measure()
        except RunFailedError as error:
            self._fail("oom" if isinstance(error, NoRoomError) else "failed", error.message)
            raise
        except (FkbenchError, OSError):
            raise
        except Exception as error:
            raise self._failed(error) from error
        self._finish(record)
        return record

    def _failed(self, error: Exception) -> RunFailedError:
        """Record what the model's own code, or memory, brought to an end."""
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        if out_of_memory(error):
            self._fail("oom", "out of memory")
            return NoRoomError(
                f"{self.model.name} does not fit into the memory of {self.device}.", "Set a smaller protocol.batch."
            )
        self._fail("failed", text)
        return RunFailedError(f"{self.model.name} failed: {text}.", "--debug shows where.")

    def _finish(self, record: RunRecord) -> None:
        self.observe("fkbench_run_finished", record=record.to_json())
        self.owner.event("finished", {"record": record})

    def observe(self, name: str, **facts: Any) -> None:
        """Call each observer apart; one that raises is reported once and not called again in this process."""
        hooks = self.owner.registry.hooks
        for implementation in list(getattr(hooks.hook, name).get_hookimpls()):
            given = {"plan": {**self.plan, "key": self.key}, **facts}
            try:
                implementation.function(**{argument: given[argument] for argument in implementation.argnames})
            except Exception as error:
                self.owner.registry.fail(implementation.plugin_name, name, error)
                hooks.unregister(plugin=implementation.plugin)
                self.owner.event("stage", {"text": f"an observer failed and is left out: {error}"})

    def _measure(self) -> RunRecord:
        fitted = self.training.fit()
        self.owner.event("stage", {"text": f"scoring {self.model.name}"})
        points = predict_test(fitted.predictor, self.model, self.inputs, self._geometry)
        if not np.isfinite(points).all():
            raise RunFailedError("The model's predictions are not finite.", "Lower protocol.lr, or check the net.")
        outcome = score_points(points, self.inputs, self.owner.registry)
        if self.recipe is not None and self.recipe.native_loss:
            outcome.metrics.update(native_losses(fitted, self.recipe, self.inputs, self.model))
        write_outcome(outcome, self.folder)
        if fitted.history:
            write_history(self.folder / HISTORY_FILE, fitted.history)
        self.owner.event("stage", {"text": f"timing {self.model.name}"})
        timing = self._time(fitted)
        draw_outcome(outcome, self.inputs, fitted.history, self._baseline_rmse(), self.folder, self._title())
        record = make_record(self, "done", "", outcome, fitted, timing)
        passing = () if self._extensible() else self.training.passing
        written = self.owner.runs.write(record, self.folder, without=passing)
        if passing:  # only now: whatever goes wrong before, a full disk say, the training is gone on with
            self.training.forget()
        return written

    def _extensible(self) -> bool:
        """Runs whose schedule does not depend on their length can be gone on from: their state is kept."""
        return self.recipe is not None and self.recipe.schedule == "constant" and self.recipe.selection == "last"

    def _time(self, fitted: Fitted) -> dict[str, Any]:
        quick = self.request.protocol.name == "smoke" or self.model.role == "baseline"
        timing = time_run(fitted.predictor, self.model, self.inputs, self._geometry, quick=quick)
        rate = fitted.images / fitted.seconds if fitted.seconds and fitted.net is not None else None
        trained = {"train_images_per_s": rate, "train_s": fitted.seconds, "train_images": fitted.images}
        return {**timing, **trained, **({"trained_at_once": fitted.together} if fitted.together > 1 else {})}

    @property
    def _geometry(self) -> Geometry | None:
        return self.recipe.geometry if self.recipe is not None else None

    def _baseline_rmse(self) -> dict[str, float]:
        found = {name: record.metric("rmse") for name, record in self.beside.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _title(self) -> str:
        return (
            f"{self.model.name} on {self.request.dataset.name}, {self.request.protocol.name}, seed {self.plan['seed']}"
        )

    def flags(self, outcome: Outcome | None) -> list[str]:
        flags = []
        if self.inputs.split.leaky:
            flags.append("leaky")
        if self.recipe is not None and self.recipe.pool_split and self.recipe.stages:
            flags.append("native-leaky")
        if outcome is None:
            return flags
        limits = (self._collapse_share(name) * rmse for name, rmse in self._baseline_rmse().items())
        if any(0.0 < limit < outcome.metrics["rmse"] for limit in limits):
            flags.append("collapsed")
        return flags

    def _collapse_share(self, baseline: str) -> float:
        return self.owner.registry.get(ModelSpec, baseline).collapse_share

    def _fail(self, status: str, reason: str) -> None:
        """Write why the run ended; its state goes, since the next try must not go on from what failed."""
        self.training.forget()
        record = make_record(self, status, reason, None, None, None)
        self._finish(self.owner.runs.write(record, self.folder))
