"""One model on one dataset with one seed: fits or goes on, scores, times, and writes the record last."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.records import HISTORY_FILE, RunRecord, write_history
from fkbench.runner.device import make_repeatable
from fkbench.runner.fit import CHECKPOINT, Fitted, build_net, fit_net, fit_predictor, native_losses
from fkbench.runner.inputs import Inputs
from fkbench.runner.loop import time_loop
from fkbench.runner.outcome import Outcome, draw_outcome, predict_test, score_points, write_outcome
from fkbench.runner.page import make_record
from fkbench.runner.plan import Request
from fkbench.runner.provenance import probe, source_digest
from fkbench.specs import Geometry, ModelSpec, Recipe
from fkbench.timing import time_model
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.checkpoint import identity_of
from fkbench.train.codecs import make_codec
from fkbench.train.cpu_choice import CALIBRATION, Calibration, calibrated
from fkbench.train.engine import Listener

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
    calibration: Calibration | None = None

    @property
    def model(self) -> ModelSpec:
        return self.request.model

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
    def brings_weights(self) -> bool:
        """Whether the net's fresh weights come from elsewhere, as its settings ask for."""
        own = self.plan["model"]["settings"]
        return any(setting.fresh and own[name] != setting.default for name, setting in self.model.settings.items())

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
        if record.model.source == self.source and self.source != "unknown":
            return True
        if self.brings_weights:
            return False  # the probe has no fresh weights from elsewhere, which other code may take from elsewhere
        now = probe(self.model, self.plan["model"]["settings"], self.outputs)
        return now is not None and now == record.probe

    def carry_out(self) -> RunRecord:
        """Run and write the record; a failure is recorded with its reason and raised."""
        make_repeatable()
        keep_freed_memory()
        self._observe("fkbench_run_started")
        try:
            record = self._measure()
        except RunFailedError as error:
            self._fail("failed", error.message)
            raise
        except (FkbenchError, OSError):
            raise
        except Exception as error:
            raise self._failed(error) from error
        self._finish(record)
        return record

    def _calibrated(self) -> AbstractContextManager[Calibration]:
        """What the net trains with; a run that goes on trains with what it began with."""
        return calibrated(
            self.device, lambda text: self.owner.event("stage", {"text": text}), kept_in=self.folder / CALIBRATION
        )

    def _failed(self, error: Exception) -> RunFailedError:
        """Record what the model's own code, or memory, brought to an end."""
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in text:
            self._fail("oom", "out of memory")
            return RunFailedError(
                f"{self.model.name} does not fit into the memory of {self.device}.", "Set a smaller protocol.batch."
            )
        self._fail("failed", text)
        return RunFailedError(f"{self.model.name} failed: {text}.", "--debug shows where.")

    def _finish(self, record: RunRecord) -> None:
        self._observe("fkbench_run_finished", record=record.to_json())
        self.owner.event("finished", {"record": record})

    def _observe(self, name: str, **facts: Any) -> None:
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
        fitted = self._fit()
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
        if not self._extensible():
            (self.folder / CHECKPOINT).unlink(missing_ok=True)
            (self.folder / CALIBRATION).unlink(missing_ok=True)
        record = make_record(self, "done", "", outcome, fitted, timing)
        return self.owner.runs.write(record, self.folder)

    def _extensible(self) -> bool:
        """Runs whose schedule does not depend on their length can be gone on from: their state is kept."""
        return self.recipe is not None and self.recipe.schedule == "constant" and self.recipe.selection == "last"

    def _fit(self) -> Fitted:
        settings = self.plan["model"]["settings"]
        if self.recipe is None:
            self.owner.event("stage", {"text": f"fitting {self.model.name}"})
            return fit_predictor(self.model, self.inputs, settings, self.folder)
        start = self._start()
        name = f"{self.model.name} seed {self.plan['seed']}"
        self.owner.event("plan", {"plan": self.plan, "name": name, "recipe": self.recipe, "inputs": self.inputs})
        if start is not None:
            self.owner.event("resumed", {"path": start})
        with self._calibrated() as self.calibration:
            return fit_net(
                self.model,
                self.recipe,
                self.inputs,
                settings=settings,
                seed=self.plan["seed"],
                precision=self.plan["precision"],
                identity=self.identity,
                device=self.device,
                folder=self.folder,
                listener=self._listener(),
                start=start,
                layout=self.calibration.memory_format,
            )

    def _listener(self) -> Listener:
        def epoch(row: dict[str, float]) -> None:
            self.owner.event("epoch", row)
            self._observe("fkbench_epoch_done", row=row)

        return Listener(
            step=lambda images: self.owner.event("step", {"images": images}),
            epoch=epoch,
            note=lambda text: self.owner.event("stage", {"text": text}),
        )

    def _start(self) -> Path | None:
        """Where to go on from: this run's own checkpoint, or that of the run it extends."""
        own = self.folder / CHECKPOINT
        if own.is_file():
            if identity_of(own) in {self.identity, ""}:  # one that cannot be read is refused by name when it is loaded
                return own
            self.owner.event("stage", {"text": f"{self.model.name}'s code has changed: from the start"})
            own.unlink()
        if self.parent is None:
            return None
        path = Path(self.parent.path) / CHECKPOINT
        if not path.is_file():
            raise FkbenchError(
                f"The run {self.parent.key} cannot be extended: its '{CHECKPOINT}' is gone.",
                "Run it again with --force.",
            )
        return path

    @property
    def identity(self) -> str:
        """Of this run and the model's code: a checkpoint of another one is not gone on from."""
        return f"{self.key} {self.source}"

    def _time(self, fitted: Fitted) -> dict[str, Any]:
        channels, size = self.model.input
        views = self.inputs.eval_views(size, channels, self._geometry)
        images = np.ascontiguousarray(views.images[self.inputs.split.test])
        quick = self.request.protocol.name == "smoke" or self.model.role == "baseline"
        if fitted.net is None:
            timing = time_model(fitted.predictor.predict, images, device="cpu", quick=quick)
        else:
            forward = fitted.predictor.forward  # type: ignore[attr-defined]
            precision = self.plan["precision"]
            pictures = torch.from_numpy(images)
            timing = time_model(forward, pictures, device=self.device, precision=precision, quick=quick, net=fitted.net)
        rate = fitted.images / fitted.seconds if fitted.seconds and fitted.net is not None else None
        if self.inputs.detector.find is not None:
            timing["end_to_end"] = time_loop(fitted.predictor, self.model, self.inputs, quick=quick)
        return {**timing, "train_images_per_s": rate, "train_s": fitted.seconds, "train_images": fitted.images}

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
        for name, rmse in self._baseline_rmse().items():
            share = self.owner.registry.get(ModelSpec, name).collapse_share
            if share and outcome.metrics["rmse"] > share * rmse:
                flags.append("collapsed")
        return flags

    def _fail(self, status: str, reason: str) -> None:
        """Write why the run ended; its state goes, since the next try must not go on from what failed."""
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        (self.folder / CALIBRATION).unlink(missing_ok=True)
        record = make_record(self, status, reason, None, None, None)
        self._finish(self.owner.runs.write(record, self.folder))
