"""The record of a run, put together from its plan, its data and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from fkbench.datasets.leaks import leak_numbers
from fkbench.records import RunRecord, environment, utc_now
from fkbench.runner.device import describe_device
from fkbench.runner.fit import Fitted
from fkbench.runner.outcome import Outcome
from fkbench.runner.provenance import probe
from fkbench.runner.timing import OF_THE_MODEL

if TYPE_CHECKING:
    from fkbench.runner.single import SingleRun

OF_BASELINES = ("rmse", "mae", "nme@inter_ocular")


def make_record(
    run: SingleRun,
    status: str,
    reason: str,
    outcome: Outcome | None,
    fitted: Fitted | None,
    timing: dict[str, Any] | None,
) -> RunRecord:
    """The record of a run that has ended so; what it did not come to (`outcome`, `fitted`, `timing`) is None."""
    size = timing or {}
    page = {
        "schema": 1,
        "key": run.key,
        "status": status,
        "reason": reason,
        "flags": run.flags(outcome),
        "model": _model(run, size),
        "dataset": _dataset(run),
        "protocol": _protocol(run),
        "seed": run.plan["seed"],
        "box": run.plan["box"]["name"],
        "box_settings": box_page(run.plan["box"]),
        "device": {**describe_device(run.device), **_calibrated(run)},
        "engine": run.plan["engine"],
        "metrics": outcome.metrics if outcome else {},
        "baseline": _baselines(run) if outcome else {},
        "timing": {k: v for k, v in size.items() if k not in OF_THE_MODEL} or None,
        "environment": environment(run.calibration.threads if run.calibration else torch.get_num_threads()),
        "history": {"epochs": fitted.epochs, "best_epoch": fitted.best_epoch} if fitted else None,
        "parent": run.plan["parent"],
        "probe": probe(run.model, run.plan["model"]["settings"], run.outputs) if outcome else None,
        "created": utc_now(),
    }
    return RunRecord.model_validate(page)


def _baselines(run: SingleRun) -> dict[str, dict[str, Any]]:
    return {name: {key: record.metrics.get(key) for key in OF_BASELINES} for name, record in run.beside.items()}


def _calibrated(run: SingleRun) -> dict[str, Any]:
    """What a net was trained with."""
    if run.calibration is None:
        return {}
    layout = str(run.calibration.memory_format).removeprefix("torch.")
    return {"threads": run.calibration.threads, "layout": layout}


def _model(run: SingleRun, size: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": run.model.name,
        "parameters": size.get("parameters"),
        "macs": size.get("macs"),
        "plugin": str(run.model.plugin),
        "source": run.source,
        "role": run.model.role,
        "deterministic": run.model.deterministic,
        "settings": run.plan["model"]["settings"],
    }


def _dataset(run: SingleRun) -> dict[str, Any]:
    samples, split = run.inputs.samples, run.inputs.split
    return {
        "name": run.request.dataset.name,
        "split": split.name,
        "split_version": split.version,
        "fingerprint": samples.fingerprint,
        "official": {"labels": samples.official.labels, "pixels": samples.official.pixels},
        "counts": split.counts,
        "leaks": leak_numbers(samples, split) if split.leaky else None,
        "settings": run.plan["dataset"]["settings"],
    }


def _protocol(run: SingleRun) -> dict[str, Any]:
    protocol, planned = run.request.protocol, run.plan["protocol"]
    return {
        "name": protocol.name,
        "version": protocol.version,
        "recipe": planned["recipe"] or {},
        "overrides": planned["overrides"],
        "frozen": protocol.frozen,
        "ranked": protocol.ranked,
    }


def box_page(box: Mapping[str, Any]) -> dict[str, Any]:
    """A plan's box as `box_settings` of a record: its settings, and all else that decides where it lies."""
    return {**{name: value for name, value in box.items() if name not in {"name", "settings"}}, **box["settings"]}
