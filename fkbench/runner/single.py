"""One model on one dataset with one seed: fits or goes on, scores, times, and writes the record last."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.records import HISTORY_FILE, RunRecord, environment, utc_now, write_history
from fkbench.runner.device import describe_device, make_repeatable
from fkbench.runner.fit import CHECKPOINT, Fitted, fit_net, fit_predictor, native_loss, precision_of
from fkbench.runner.inputs import Inputs
from fkbench.runner.outcome import Outcome, draw_outcome, predict_test, score_points, write_outcome
from fkbench.runner.plan import Request
from fkbench.runner.provenance import probe, source_digest
from fkbench.specs import ModelSpec, Recipe
from fkbench.timing import time_model
from fkbench.train.allocator import keep_freed_memory
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
    beside: Mapping[str, RunRecord]
    parent: RunRecord | None

    @property
    def model(self) -> ModelSpec:
        return self.request.model

    @property
    def outputs(self) -> int:
        return 2 * len(self.inputs.scheme.points)

    def finished(self) -> RunRecord | None:
        """The finished record of this key, if it still stands for the model's code."""
        record = self.owner.runs.get(self.folder)
        if record is None or record.status != "done":
            return None
        same = record.model.source == source_digest(self.model)
        if not same and record.probe != probe(self.model, self.plan["model"]["settings"], self.outputs):
            self.owner.event("stage", {"text": f"{self.model.name}'s code has changed: run again"})
            shutil.rmtree(self.folder)
            return None
        return record.model_copy(update={"reused": True})

    def carry_out(self) -> RunRecord:
        """Run and write the record; a failure is recorded with its reason and raised."""
        make_repeatable()
        keep_freed_memory()
        hooks = self.owner.registry.hooks.hook
        plan = {**self.plan, "key": self.key}
        self._observe(hooks.fkbench_run_started, plan=plan)
        try:
            record = self._measure()
        except RunFailedError as error:
            self._fail("failed", str(error.message))
            raise
        except (torch.OutOfMemoryError, MemoryError) as error:
            self._fail("oom", "out of memory")
            raise RunFailedError(
                f"{self.model.name} does not fit into the memory of {self.device}.", "Set a smaller protocol.batch."
            ) from error
        self._observe(hooks.fkbench_run_finished, plan=plan, record=record.to_json())
        self.owner.event("finished", {"record": record})
        return record

    def _observe(self, hook: Any, **facts: Any) -> None:
        try:
            hook(**facts)
        except Exception as error:
            self.owner.registry.fail("an observer", hook.name, error)
            self.owner.event("stage", {"text": f"an observer failed and is left out: {error}"})

    def _measure(self) -> RunRecord:
        fitted = self._fit()
        self.owner.event("stage", {"text": f"scoring {self.model.name}"})
        points = predict_test(fitted.predictor, self.model, self.inputs)
        if not np.isfinite(points).all():
            raise RunFailedError("The model's predictions are not finite.", "Lower protocol.lr, or check the net.")
        outcome = score_points(points, self.inputs, self.owner.registry)
        if self.recipe is not None and self.recipe.native_loss:
            channels, size = self.model.input
            loss = native_loss(fitted, self.recipe, self.inputs, size, channels)
            outcome.metrics["native_loss"] = {"name": self.recipe.codec.loss, "test": loss}
        write_outcome(outcome, self.folder)
        if fitted.history:
            write_history(self.folder / HISTORY_FILE, fitted.history)
        self.owner.event("stage", {"text": f"timing {self.model.name}"})
        timing = self._time(fitted)
        draw_outcome(outcome, self.inputs, fitted.history, self._baseline_rmse(), self.folder, self._title())
        if not self._extensible():
            (self.folder / CHECKPOINT).unlink(missing_ok=True)
        record = self._record("done", "", outcome, fitted, timing)
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
        return fit_net(
            self.model,
            self.recipe,
            self.inputs,
            settings=settings,
            seed=self.plan["seed"],
            key=self.key,
            device=self.device,
            folder=self.folder,
            listener=self._listener(),
            start=start,
        )

    def _listener(self) -> Listener:
        hook = self.owner.registry.hooks.hook.fkbench_epoch_done
        plan = {**self.plan, "key": self.key}

        def epoch(row: dict[str, float]) -> None:
            self.owner.event("epoch", row)
            self._observe(hook, plan=plan, row=row)

        return Listener(step=lambda images: self.owner.event("step", {"images": images}), epoch=epoch)

    def _start(self) -> Path | None:
        """Where to go on from: this run's own checkpoint, or that of the run it extends."""
        own = self.folder / CHECKPOINT
        if own.is_file():
            return own
        if self.parent is None:
            return None
        path = Path(self.parent.path) / CHECKPOINT
        if self.parent.model.name != self.model.name or not path.is_file():
            raise FkbenchError(
                f"The run {self.parent.key} cannot be extended: it keeps no state of {self.model.name}.",
                "Runs of an article recipe with last weights and a constant rate keep it.",
            )
        return path

    def _time(self, fitted: Fitted) -> dict[str, Any]:
        channels, size = self.model.input
        views = self.inputs.eval_views(size, channels)
        images = np.ascontiguousarray(views.images[self.inputs.split.test])
        quick = self.request.protocol.name == "smoke" or self.model.role == "baseline"
        if fitted.net is None:
            timing = time_model(fitted.predictor.predict, images, device="cpu", quick=quick)
        else:
            forward = fitted.predictor.forward  # type: ignore[attr-defined]
            precision = precision_of(self.recipe, self.device)
            pictures = torch.from_numpy(images)
            timing = time_model(forward, pictures, device=self.device, precision=precision, quick=quick, net=fitted.net)
        rate = fitted.images / fitted.seconds if fitted.seconds and fitted.net is not None else None
        return {**timing, "train_images_per_s": rate, "train_s": fitted.seconds, "train_images": fitted.images}

    def _baseline_rmse(self) -> dict[str, float]:
        found = {name: record.metric("rmse") for name, record in self.beside.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _title(self) -> str:
        return (
            f"{self.model.name} on {self.request.dataset.name}, {self.request.protocol.name}, seed {self.plan['seed']}"
        )

    def _flags(self, outcome: Outcome | None) -> list[str]:
        flags = []
        if self.inputs.split.leaky:
            flags.append("leaky")
        for name, rmse in self._baseline_rmse().items():
            share = self.owner.registry.get(ModelSpec, name).collapse_share
            if outcome is not None and share and outcome.metrics["rmse"] > share * rmse:
                flags.append("collapsed")
        return flags

    def _fail(self, status: str, reason: str) -> None:
        record = self._record(status, reason, None, None, None)
        self.owner.runs.write(record, self.folder)
        self.owner.event("finished", {"record": record})

    def _record(
        self,
        status: str,
        reason: str,
        outcome: Outcome | None,
        fitted: Fitted | None,
        timing: dict[str, Any] | None,
    ) -> RunRecord:
        samples, split, protocol = self.inputs.samples, self.inputs.split, self.request.protocol
        size = timing or {}
        model = self.plan["model"]
        shown = ("rmse", "mae", "nme@inter_ocular")
        page = {
            "schema": 1,
            "key": self.key,
            "status": status,
            "reason": reason,
            "flags": self._flags(outcome),
            "model": {
                "name": self.model.name,
                "parameters": size.get("parameters"),
                "macs": size.get("macs"),
                "plugin": str(self.model.plugin),
                "source": source_digest(self.model),
                "role": self.model.role,
                "deterministic": self.model.deterministic,
                "settings": model["settings"],
            },
            "dataset": {
                "name": self.request.dataset.name,
                "split": split.name,
                "split_version": split.version,
                "fingerprint": samples.fingerprint,
                "official": {"labels": samples.official.labels, "pixels": samples.official.pixels},
                "counts": split.counts,
                "settings": self.plan["dataset"]["settings"],
            },
            "protocol": {
                "name": protocol.name,
                "version": protocol.version,
                "recipe": self.plan["protocol"]["recipe"] or {},
                "overrides": self.plan["protocol"]["overrides"],
                "frozen": protocol.frozen,
                "ranked": protocol.ranked,
            },
            "seed": self.plan["seed"],
            "box": self.plan["box"]["name"],
            "box_settings": {"jitter": self.plan["box"]["jitter"], **self.plan["box"]["settings"]},
            "device": describe_device(self.device),
            "engine": self.plan["engine"],
            "metrics": outcome.metrics if outcome else {},
            "baseline": {n: {k: r.metrics.get(k) for k in shown} for n, r in self.beside.items()},
            "timing": {k: v for k, v in size.items() if k not in {"parameters", "macs"}} or None,
            "environment": environment(torch.get_num_threads()),
            "history": {"epochs": fitted.epochs, "best_epoch": fitted.best_epoch} if fitted else None,
            "parent": self.plan["parent"],
            "probe": probe(self.model, model["settings"], self.outputs) if outcome else None,
            "created": utc_now(),
        }
        return RunRecord.model_validate(page)
