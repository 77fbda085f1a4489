"""Records and errors per image made up by a seed: `make_run(...)` gives a record, `errors_of` what stands beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from fkbench.boards import build
from fkbench.errors import FkbenchError
from fkbench.records import RunRecord, plan_key
from fkbench.score import ImageErrors, image_errors, rmse_interval, summary

IMAGES, POINTS = 60, 5


def draw_errors(model: str, seed: int, scale: float, images: int = IMAGES) -> ImageErrors:
    """Errors with a part per image that all models share, so that pairs can tell them apart."""
    shared = np.random.default_rng(7).lognormal(0.0, 0.3, images)
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{model}{seed}".encode()).digest()[:4], "big"))
    truth = np.random.default_rng(8).normal(48.0, 20.0, (images, POINTS, 2))
    noise = rng.normal(0.0, scale, truth.shape) * shared[:, None, None]
    return image_errors(
        truth + noise,
        truth,
        np.ones((images, POINTS), bool),
        scale=1.0,
        normalisers={"inter_ocular": ((0,), (1,))},
        ids=[f"image{i}" for i in range(images)],
        group=[f"person{i // 3}" for i in range(images)],
    )


@dataclass
class Runs:
    """A made-up set of runs."""

    records: list[RunRecord] = field(default_factory=list)
    errors: dict[str, ImageErrors] = field(default_factory=dict)

    def errors_of(self, record: RunRecord) -> ImageErrors:
        if record.key not in self.errors:
            raise FkbenchError(f"There is no file of {record.key}.")
        return self.errors[record.key]

    def add(self, model: str = "net", scale: float = 2.0, seed: int = 0, **changes: Any) -> RunRecord:
        """One run; `changes` replace parts of the page, `part__key` one key of a part."""
        errors = draw_errors(changes.pop("draw_as", model), seed, scale, changes.pop("images", IMAGES))
        page = _page(model, seed, errors)
        for name, value in changes.items():
            part, _, key = name.partition("__")
            if key:
                page[part][key] = value
            else:
                page[part] = value
        page["key"] = changes.get("key") or plan_key({k: page[k] for k in sorted(page) if k != "metrics"})
        record = RunRecord.model_validate(RunRecord.model_validate(page).to_json())
        self.records.append(record)
        if record.status == "done":
            self.errors[record.key] = errors
        return record

    def add_seeds(self, model: str, scale: float, count: int = 3, **changes: Any) -> list[RunRecord]:
        return [self.add(model, scale, seed, **dict(changes)) for seed in range(count)]

    def ranks(self) -> dict[str, str]:
        """Label of each row of their one board → its rank as it is shown; empty for a row without one."""
        (board,) = build(self.records, self.errors_of)
        return {row.label: row.rank_label for row in board.rows}

    def reasons(self, model: str = "net") -> tuple[str, ...]:
        """Why the model's one row has no rank."""
        (board,) = build(self.records, self.errors_of)
        (row,) = [row for row in board.rows if row.model == model]
        assert row.rank is None
        assert row.rank_label == ""
        return row.reasons


def _page(model: str, seed: int, errors: ImageErrors) -> dict[str, Any]:
    metrics: dict[str, Any] = dict(summary(errors))
    metrics["rmse_ci"] = rmse_interval(errors.sum_sq, errors.count, errors.group).bounds
    return {
        "key": "0" * 16,
        "status": "done",
        "model": {"name": model, "parameters": 8_615_920, "macs": 62_300_000, "source": "sha256:" + "1" * 64},
        "dataset": {
            "name": "faces",
            "split": "honest",
            "fingerprint": "sha256:0123456789abcdef",
            "counts": {"train": 100, "val": 20, "test": len(errors)},
        },
        "protocol": {"name": "fair", "version": 1, "recipe": {"lr": 1e-3}, "frozen": True, "ranked": True},
        "seed": seed,
        "box": "whole",
        "device": {"type": "cpu", "name": "Example CPU", "threads": 2},
        "engine": 1,
        "metrics": metrics,
        "timing": {
            "version": 1,
            "train_s": 41.0 + seed,
            "train_images_per_s": 3141.59 + seed,
            "infer_images_per_s": 9000.0 + seed,
            "latency_ms": {"p50": 1.25 + seed / 100, "p90": 1.5, "p99": 2.0},
        },
    }


@pytest.fixture
def runs() -> Runs:
    """An empty set of runs."""
    return Runs()


@pytest.fixture
def make_runs() -> Callable[[], Runs]:
    """For tests that need several sets."""
    return Runs


@pytest.fixture
def many(runs: Runs) -> Runs:
    """Two boards with ranked rows, ties, baselines, a short budget, failures and a second device."""
    runs.add_seeds("best", 1.5)
    runs.add_seeds("twin-a", 2.0)
    runs.add_seeds("twin-b", 2.0)
    runs.add("mean-shape", 4.0, model__role="baseline", model__deterministic=True, model__parameters=None)
    runs.add_seeds("short", 2.5, count=2)
    runs.add("tuned", 2.1, protocol__overrides={"lr": "0.1", "epochs": 3})
    runs.add_seeds("flaky", 2.2)
    runs.add("flaky", seed=3, status="failed", reason="the loss is NaN", metrics={}, timing=None)
    runs.add("broken", seed=0, status="oom", reason="out of memory", metrics={}, timing=None)
    runs.add_seeds("best", 1.5, device={"type": "cuda", "name": "Example GPU"})
    runs.add_seeds("best", 1.6, dataset__split="leaky", flags=["leaky"], baseline={"copier": {"rmse": 0.9}})
    return runs
