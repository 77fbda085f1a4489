"""Carries out a request: one record per seed, with the baselines beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.records import RunRecord, RunStore, plan_key
from fkbench.records.locks import run_lock
from fkbench.registry import Registry
from fkbench.runner.extend import check_parent
from fkbench.runner.plan import Request, baseline_request, make_plan, resolve_recipe, sized_request
from fkbench.specs import ModelSpec

if TYPE_CHECKING:
    from fkbench.runner.inputs import Inputs
    from fkbench.runner.single import SingleRun

Event = Callable[[str, Mapping[str, Any]], None]
"""Told of what happens: (`plan` | `reused` | `resumed` | `step` | `epoch` | `stage` | `finished`, facts)."""

Baselines = Callable[[], Mapping[str, RunRecord]]
"""The records of the baselines, by name; the first call may have to make them."""

GREATEST_SEED = 2**53
MOST_AT_ONCE = 16
"""Seeds trained at once: PyTorch has 32 streams on a GPU, and each seed takes two."""


class SeedsFailedError(RunFailedError):
    """Some seeds of a request failed. `records` holds those that did not; the failed ones have records of their own."""

    def __init__(self, first: RunFailedError, failed: int, records: list[RunRecord]) -> None:
        more = f" ({failed} seeds failed, {len(records)} are done.)" if failed + len(records) > 1 else ""
        super().__init__(first.message + more, first.remedy)
        self.records = records


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
    _inputs: dict[str, Inputs] = field(default_factory=dict)

    def run(self, request: Request) -> list[RunRecord]:
        """One record per seed, and those of the baselines on the same split.

        The baselines are fitted when the first trained net is to be compared with them: training begins at once.

        Raises:
            FkbenchError: bad use or input; nothing is left half-written.
            SeedsFailedError: a run failed; its record with the reason has been written, the other seeds were run.
        """
        request, inputs = self._opened(request)
        baselines = cache(lambda: {} if request.model.role == "baseline" else self._baselines(request, inputs))
        singles = [self._single(request, inputs, seed, baselines) for seed in _needed_seeds(request)]
        self._have_weights(request, singles)
        done: list[RunRecord] = []
        failures: list[RunFailedError] = []
        self._train_together(request, singles)
        for single in singles:
            try:
                done.append(self._one(single))
            except RunFailedError as error:
                failures.append(error)
        baselines()  # those that are gone are made again, even where no seed was left to run
        if failures:
            raise SeedsFailedError(failures[0], len(failures), done) from failures[0]
        return done

    def planned(self, request: Request) -> list[SingleRun]:
        """The runs that a request means, one per seed, and none of them begun; the data is opened for their keys.

        Raises:
            FkbenchError: as `run`.
        """
        request, inputs = self._opened(request)
        return [self._single(request, inputs, seed, dict) for seed in _needed_seeds(request)]

    def _opened(self, request: Request) -> tuple[Request, Inputs]:
        """The request with its model sized, found to be in order, and its inputs."""
        request = sized_request(request)
        resolve_recipe(request)
        _check_seeds(request.seeds)
        if not 0 <= request.at_once <= MOST_AT_ONCE:
            raise FkbenchError(
                f"--at-once is {request.at_once}, but must be 0 to {MOST_AT_ONCE}.", "For example --at-once 5."
            )
        from fkbench.runner.device import choose_device

        choose_device(request.device)
        inputs = self.open(request)
        if request.extend:
            check_parent(self.runs.find(request.extend), request, inputs)
        return request, inputs

    def open(self, request: Request) -> Inputs:
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

    def _baselines(self, request: Request, inputs: Inputs) -> dict[str, RunRecord]:
        """Their records; one that fails is said and left out, it must not cost a net its record."""
        found = {}
        for spec in self.registry.all(ModelSpec):
            if spec.role != "baseline" or spec.unavailable() is not None or spec.name == request.model.name:
                continue
            try:
                found[spec.name] = self._one(self._single(baseline_request(request, spec), inputs, 0, dict))
            except FkbenchError as error:
                self.event("stage", {"text": f"the baseline {spec.name} failed: {error.message}"})
        return found

    def _have_weights(self, request: Request, singles: list[SingleRun]) -> None:
        """Fresh weights that come from elsewhere are fetched now: what cannot be had is said before baselines are fit.

        Raises:
            FkbenchError: they cannot be had.
        """
        nets = [run for run in singles if run.recipe is not None and run.brings_weights]
        left = [run for run in nets if request.force or not run.is_there]
        if left:
            self.event("stage", {"text": f"fetching the weights of {request.model.name}"})
            with suppress(RunFailedError):  # that is a run's end, and is recorded when it comes to it
                left[0].fresh_net()

    def _train_together(self, request: Request, singles: list[SingleRun]) -> None:
        """Train several seeds at once where that is asked for; each is then finished as one that was cut off."""
        from fkbench.runner.together import at_once_on, train_together

        most = request.at_once or at_once_on(singles[0].device)
        if most < 2 or len(singles) < 2:
            return  # each is looked at when its turn comes, once
        left = [run for run in singles if run.recipe is not None and (request.force or not run.stands)]
        for low in range(0, len(left), most):
            with writable(left[low].folder):
                train_together(left[low : low + most], force=request.force)

    def _one(self, single: SingleRun) -> RunRecord:
        with writable(single.folder), run_lock(single.folder):
            return self._carry_out(single)

    def _single(self, request: Request, inputs: Inputs, seed: int, baselines: Baselines) -> SingleRun:
        from fkbench.runner.device import choose_device, precision_of
        from fkbench.runner.single import SingleRun

        recipe, overrides = resolve_recipe(request)
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
            precision=precision_of(recipe, device),
            seed=seed,
            parent=parent.key if parent else None,
        )
        key = plan_key(plan)
        folder = self.runs.folder(request.dataset.name, request.model.name, key)
        return SingleRun(self, request, recipe, plan, key, folder, inputs, device, baselines, parent)

    def _carry_out(self, single: SingleRun) -> RunRecord:
        force = single.request.force
        kept = None if force and not single.begun else single.finished()  # trained at once: another may have ended it
        if kept is not None:
            self.event("reused", {"record": kept})
            return kept
        single.begin(force=force)
        return single.carry_out()


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Names the runs folder, and what can be done, where a run cannot be written."""
    try:
        yield
    except OSError as error:
        raise FkbenchError(
            f"Cannot write the run to '{folder}': {error.strerror or error}.",
            "Free space there, or choose another folder with --runs or FKBENCH_RUNS.",
        ) from error


def _needed_seeds(request: Request) -> tuple[int, ...]:
    """One is enough for a model without randomness."""
    return request.seeds[:1] if request.model.deterministic else request.seeds


def _check_seeds(seeds: tuple[int, ...]) -> None:
    if not seeds:
        raise FkbenchError("No seed is given.", "For example --seeds 0,1,2.")
    if len(set(seeds)) != len(seeds) or min(seeds) < 0 or max(seeds) > GREATEST_SEED:
        text = ",".join(map(str, seeds))[:80]
        raise FkbenchError(f"The seeds {text} repeat, are negative or too large.", "For example --seeds 0,1,2.")
