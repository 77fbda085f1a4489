"""Carries out a request: one record per seed, with the baselines beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.records import RunRecord, RunStore, plan_key
from fkbench.registry import Registry
from fkbench.runner.plan import Request, baseline_request, make_plan, resolve_recipe
from fkbench.specs import ModelSpec, Recipe

Event = Callable[[str, Mapping[str, Any]], None]
"""Told of what happens: (`plan` | `reused` | `resumed` | `step` | `epoch` | `stage` | `finished`, facts)."""


@dataclass
class Runner:
    """Runs requests into a runs folder.

    Attributes:
        data: root of the data folder.
        event: hears of progress.
    """

    registry: Registry
    data: Path
    runs: RunStore
    event: Event = lambda name, facts: None
    _inputs: dict[str, Any] = field(default_factory=dict)

    def run(self, request: Request) -> list[RunRecord]:
        """One record per seed, after those of the baselines on the same split.

        Raises:
            FkbenchError: bad use or input; nothing is left half-written.
            RunFailedError: a run failed; its record with the reason has been written.
        """
        recipe, overrides = resolve_recipe(request)
        _check_seeds(request.seeds)
        from fkbench.runner.device import choose_device

        choose_device(request.device)
        inputs = self.open(request)
        beside = {} if request.model.role == "baseline" else self._baselines(request, inputs)
        seeds = request.seeds[:1] if request.model.deterministic else request.seeds
        return [self._one(request, recipe, overrides, inputs, seed, beside) for seed in seeds]

    def open(self, request: Request) -> Any:
        """The inputs of a request, opened once for those that share them."""
        from fkbench.datasets.store import Store
        from fkbench.runner.inputs import open_inputs

        spec = request.dataset
        split = request.split or spec.default_split(request.protocol.name)
        box = request.box or spec.default_box(request.protocol.name)
        wanted = {subject: request.settings.get(subject, {}) for subject in ("dataset", "detector")}
        key = repr((spec.name, split, box, wanted))
        if key not in self._inputs:
            self.event("stage", {"text": f"reading {spec.name}"})
            self._inputs[key] = open_inputs(
                self.registry, Store(self.data), spec, split=split, box=box, settings=wanted, progress=self._progress
            )
        return self._inputs[key]

    def _progress(self, stage: str, done: int, total: int) -> None:
        self.event("data", {"stage": stage, "done": done, "total": total})

    def _baselines(self, request: Request, inputs: Any) -> dict[str, RunRecord]:
        found = {}
        for spec in self.registry.all(ModelSpec):
            if spec.role == "baseline" and spec.unavailable() is None and spec.name != request.model.name:
                wanted = baseline_request(request, spec)
                recipe, overrides = resolve_recipe(wanted)
                found[spec.name] = self._one(wanted, recipe, overrides, inputs, 0, {})
        return found

    def _one(
        self,
        request: Request,
        recipe: Recipe | None,
        overrides: Mapping[str, Any],
        inputs: Any,
        seed: int,
        beside: Mapping[str, RunRecord],
    ) -> RunRecord:
        from fkbench.runner.device import choose_device
        from fkbench.runner.single import SingleRun

        device = choose_device(request.device if request.model.kind == "net" else "cpu")
        parent = self.runs.find(request.extend) if request.extend else None
        plan = make_plan(
            request,
            recipe=recipe,
            overrides=overrides,
            fingerprint=inputs.samples.fingerprint,
            split=(inputs.split.name, inputs.split.version),
            box=inputs.box,
            device_type=device.type,
            seed=seed,
            parent=parent.key if parent else None,
        )
        key = plan_key(plan)
        folder = self.runs.folder(request.dataset.name, request.model.name, key)
        single = SingleRun(self, request, recipe, plan, key, folder, inputs, device, beside, parent)
        if not request.force:
            kept = single.finished()
            if kept is not None:
                self.event("reused", {"record": kept})
                return kept
        elif folder.exists():
            shutil.rmtree(folder)
        try:
            self.runs.start(folder)
            return single.carry_out()
        except OSError as error:
            raise FkbenchError(
                f"Cannot write the run to '{folder}': {error.strerror or error}.",
                "Free space there, or choose another folder with --runs or FKBENCH_RUNS.",
            ) from error


def _check_seeds(seeds: tuple[int, ...]) -> None:
    if not seeds:
        raise FkbenchError("No seed is given.", "For example --seeds 0,1,2.")
    if len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise FkbenchError(
            f"The seeds {','.join(map(str, seeds))} repeat or are negative.", "For example --seeds 0,1,2."
        )
