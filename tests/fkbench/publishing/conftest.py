"""Finished runs in a folder, with errors, predictions and a history that belong together."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fkbench.cli.main import main
from fkbench.publishing import Scrubber, publish, rebuild
from fkbench.publishing.arithmetic import metrics_of
from fkbench.records import (
    ERRORS_FILE,
    HISTORY_FILE,
    PREDICTIONS_FILE,
    RunRecord,
    RunStore,
    plan_key,
    write_errors,
    write_history,
    write_predictions,
)
from fkbench.records.detection_keys import boxed_stem
from fkbench.score import image_errors

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

IMAGES, POINTS = 48, 5


def labels() -> np.ndarray:
    """(N, K, 2) true points."""
    return np.random.default_rng(8).uniform(4.0, 92.0, (IMAGES, POINTS, 2))


def put_run(store: RunStore, model: str = "net", scale: float = 2.0, seed: int = 0, **changes: Any) -> RunRecord:
    """Write a run; `part__key=value` replaces a field of its page."""
    truth = labels()
    rng = np.random.default_rng([seed, int(scale * 1000)])
    points = (truth + rng.normal(0.0, scale, truth.shape)).astype(np.float32)
    names = [f"image{i}" for i in range(IMAGES)]
    errors = image_errors(
        points, truth, np.ones(truth.shape[:2], bool), scale=1.0, normalisers={"inter_ocular": ((0,), (1,))},
        ids=names, group=[f"person{i // 3}" for i in range(IMAGES)],
    )  # fmt: skip
    page: dict[str, Any] = {
        "key": plan_key({"model": model, "seed": seed}),
        "status": "done",
        "model": {"name": model, "source": f"sha256:{model}"},
        "dataset": {
            "name": "faces", "split": "honest", "fingerprint": "sha256:0123456789", "counts": {"test": IMAGES},
        },
        "protocol": {"name": "fair", "version": 1, "frozen": True, "ranked": True},
        "seed": seed,
        "box": "whole",
        "device": {"type": "cpu", "name": "CPU"},
        "metrics": metrics_of(errors)[0],
        "timing": {"version": 1, "train_s": 3.0, "infer_images_per_s": 900.0},
    }  # fmt: skip
    for name, value in changes.items():
        part, _, key = name.partition("__")
        page[part] = {**page[part], key: value} if key else value
    record = RunRecord.model_validate(page)
    folder = store.start(store.folder("faces", model, f"{record.key}"))
    if record.status == "done":
        write_errors(folder / ERRORS_FILE, errors)
        write_predictions(folder / PREDICTIONS_FILE, names, points)
        write_history(folder / HISTORY_FILE, [{"epoch": 1, "val_rmse": scale}, {"epoch": 2, "val_rmse": scale / 2}])
    return store.write(record, folder)


@pytest.fixture
def store(tmp_path) -> RunStore:
    """An empty runs folder."""
    return RunStore(tmp_path / "runs")


@pytest.fixture
def put(store) -> Callable[..., RunRecord]:
    """Writes a run into it."""
    return lambda *values, **changes: put_run(store, *values, **changes)


@pytest.fixture
def put_in() -> Callable[..., RunRecord]:
    """Writes a run into the folder that is given first."""
    return put_run


@pytest.fixture
def call(store, capsys):
    """Runs a command line on the runs folder, or on another one: (exit code, stdout, stderr)."""

    def run(*words, runs=None):
        code = main(["--runs", str(runs or store.root), *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def workspace(tmp_path, put_in):
    """`trusted` with one published result, and `contributed` that has brought a second one."""
    from contribution_flow import git

    space = tmp_path / "space"
    contributed = space / "contributed"
    contributed.mkdir(parents=True)
    runs = RunStore(tmp_path / "runs")
    put_in(runs, "old", 2.0)
    publish(runs.records(), contributed / "leaderboards", Scrubber())
    rebuild(contributed / "leaderboards")
    git(contributed, "init", "-q", "-b", "main")
    git(contributed, "add", ".")
    git(contributed, "commit", "-qm", "base")
    shutil.copytree(contributed, space / "trusted", ignore=shutil.ignore_patterns(".git"))
    new = RunStore(tmp_path / "new")
    put_in(new, "new", 1.0)
    publish(new.records(), contributed / "leaderboards", Scrubber())
    return space


@pytest.fixture
def scored(store, put):
    """Three runs of a model, one of them with a detector's boxes, and a detector's own score: that run's folder."""
    from detector_results import boxed, put_detector, write

    records = [put("net", 1.0, seed) for seed in range(3)]
    own = next(record for record in store.records() if record.key == records[0].key)
    put_detector(store.root)
    folder = next(path.parent for path in store.root.glob(f"*/*/{own.key}/record.json"))
    write(folder / f"{boxed_stem(boxed(own))}.json", boxed(own))
    return folder
