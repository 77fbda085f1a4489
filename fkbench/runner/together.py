"""The seeds of a request trained at once, before each is finished by itself as a run that was cut off would be."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import torch
from filelock import Timeout

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.runner.fit import CHECKPOINT, Parts, training_parts
from fkbench.train.together import Replica, fit_together

if TYPE_CHECKING:
    from fkbench.runner.single import SingleRun

AT_ONCE_ON_A_GPU = 5


def at_once_on(device: torch.device) -> int:
    """How many seeds are trained at once where nobody says: a processor has nothing idle to give to a second one."""
    return AT_ONCE_ON_A_GPU if device.type == "cuda" else 1


def train_together(runs: Sequence[SingleRun], *, force: bool) -> None:
    """Train these runs at once, to the end of their budgets; their checkpoints hold what they came to.

    Runs that another process is at work on, or that are finished by now, are left out. Where it cannot be done (the
    memory does not suffice for several, say) that is said, and they are left to be trained one by one from where they
    are.
    """
    if len(runs) < 2:
        return
    with ExitStack() as held:
        ours = [run for run in runs if _take(held, run) and (force or run.finished() is None)]
        if len(ours) < 2:
            return
        for run in ours:
            run.begin(force=force)
        try:
            _train(ours)
        except OSError:
            raise
        except Exception as error:
            if isinstance(error, FkbenchError) and not isinstance(error, RunFailedError):
                raise  # a full disk or a damaged checkpoint: no better one by one
            first = (str(error).splitlines() or [""])[0]
            text = f"trained one by one from here on, as it cannot be done at once: {type(error).__name__}: {first}"
            ours[0].owner.event("stage", {"text": text[:300]})
    _free(ours[0].device)


def _take(held: ExitStack, run: SingleRun) -> bool:
    """Take the run's lock for as long as `held` is; False where another process has it."""
    from fkbench.records.locks import run_lock

    try:
        held.enter_context(run_lock(run.folder, timeout=0))
    except Timeout:
        return False
    return True


def _train(runs: Sequence[SingleRun]) -> None:
    first = runs[0]
    with ExitStack() as settled:
        for run in runs:
            run.training.calibration = settled.enter_context(run.training.calibrated())
        alike = [run for run in runs if run.training.calibration == first.training.calibration]
        seeds = ", ".join(str(run.plan["seed"]) for run in alike)
        first.training.announce(f"{first.model.name} seeds {seeds} at once", len(alike))
        parts = _shared_parts(alike)
        replicas = [_replica(run, parts) for run in alike]
        fit_together(replicas)
        for run, replica in zip(alike, replicas, strict=True):
            run.training.beside_others, run.training.failure = True, replica.failure


def _shared_parts(runs: Sequence[SingleRun]) -> Parts | None:
    """The rows of all of them; None where what is drawn for a seed decides what it trains on."""
    run = runs[0]
    assert run.recipe is not None
    if run.recipe.stages or run.recipe.pool_split:
        return None
    channels, size = run.model.input
    return training_parts(run.inputs, run.recipe, size, channels, run.device, run.plan["seed"])


def _replica(run: SingleRun, parts: Parts | None) -> Replica:
    start = run.training.start()
    if start is not None:
        run.owner.event("resumed", {"path": start})
    listener = run.training.listener(seed=run.plan["seed"])
    return Replica(run.training.trainer(start, parts), run.folder / CHECKPOINT, listener)


def _free(device: torch.device) -> None:
    """Give back what the trainings held on the device, so that what is measured next does not count it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
