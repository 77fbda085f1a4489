"""A published folder of 40 boards of 50 models with 5 seeds each, 10 000 records: how long its tables and pages take.

Target: 30 s on two cores, paired tests included. The folder is made up by a seed: 64 test images, 15 points, a history
of 40 epochs, recipes, environments and timings as long as those of true records. `FKBENCH_BENCH_BOARDS=4` makes a
smaller one; `FKBENCH_BENCH_FOLDER=DIR` keeps it, as making it takes longer than reading it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fkbench.protocols import PROTOCOLS
from fkbench.publishing import rebuild
from fkbench.publishing.arithmetic import metrics_of
from fkbench.records import ResultStore, RunRecord, encode_errors, encode_history, encode_predictions, plan_key
from fkbench.schemes import FACE15
from fkbench.score import image_errors
from fkbench.site import write_leaderboards

BOARDS, MODELS, SEEDS, IMAGES = int(os.environ.get("FKBENCH_BENCH_BOARDS", "40")), 50, 5, 64
NAMES = tuple(f"image{i:04d}" for i in range(IMAGES))
GROUPS = tuple(f"person{i // 3}" for i in range(IMAGES))
TRUTH = np.array(FACE15.layout) * 80.0 + np.random.default_rng(8).normal(8.0, 2.0, (IMAGES, 1, 2))
HARD = np.random.default_rng(7).lognormal(0.0, 0.3, IMAGES)[:, None, None]
HISTORY = encode_history(
    [{"epoch": i, "lr": 1e-3, "train_loss": 1.5 / i, "val_loss": 1.9 / i, "val_rmse": 2 + 3 / i, "seconds": 2.0 * i}
     for i in range(1, 41)]
)  # fmt: skip


def put(folder: Path, board: int, model: int, seed: int) -> None:
    """One published result."""
    rng = np.random.default_rng([board, model, seed])
    points = TRUTH + rng.normal(0.0, 1.0 + 0.05 * model, TRUTH.shape) * HARD
    errors = image_errors(
        points, TRUTH, np.ones(TRUTH.shape[:2], bool), scale=1.0, normalisers=FACE15.normalisers, ids=NAMES,
        group=GROUPS,
    )  # fmt: skip
    page = record_page(board, model, seed)
    page["key"] = plan_key(page)
    # Only after the key: it is of the plan, not of the outcome.
    page["metrics"], _ = metrics_of(errors)
    stem = folder / "results" / f"synthetic15-part{board}-uniform-v1-frame-01234567" / f"net-{model}-{page['key']}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{stem}.json").write_text(json.dumps(RunRecord.model_validate(page).to_json(), indent=1))
    Path(f"{stem}.errors.safetensors").write_bytes(encode_errors(errors, compact=True))
    Path(f"{stem}.predictions.safetensors").write_bytes(encode_predictions(NAMES, points, np.float16))
    Path(f"{stem}.history.csv").write_bytes(HISTORY)


def record_page(board: int, model: int, seed: int) -> dict[str, Any]:
    """A finished run without its scores."""
    recipe = asdict(PROTOCOLS["uniform"].recipe)
    versions = {f"library-{i}": f"{i}.1.0" for i in range(10)}
    return {
        "status": "done",
        "model": {
            "name": f"net-{model}", "parameters": 8_615_920 + model, "macs": 62_300_000,
            "source": f"sha256:{model:064x}",
        },
        "dataset": {
            "name": "synthetic15", "split": f"part{board}", "fingerprint": f"sha256:{'01234567' * 8}",
            "counts": {"train": 100, "val": 20, "test": IMAGES},
        },
        "protocol": {"name": "uniform", "version": PROTOCOLS["uniform"].version, "recipe": recipe, "ranked": True,
                     "frozen": True},
        "seed": seed,
        "box": "frame",
        "device": {"type": "cpu", "name": "Example CPU @ 2.50 GHz", "threads": 2},
        "baseline": {"mean-shape": {"rmse": 6.5, "mae": 5.0}},
        "timing": {
            "version": 1, "train_s": 41.0 + seed, "train_images_per_s": 3141.59 + seed,
            "infer_images_per_s": 900.0 * (model + 1), "latency_ms": {"p50": 1.25, "p90": 1.5, "p99": 2.0},
            "conditions": {f"fact {i}": f"value of the fact {i}" for i in range(25)}, "quick": False,
        },
        "environment": {"python": "3.12", "platform": "Linux-6.1-x86_64", "versions": versions},
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    kept = os.environ.get("FKBENCH_BENCH_FOLDER")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("published")
    there = folder / f"{BOARDS} boards"
    if not there.is_dir():
        scratch = folder / "unfinished"
        shutil.rmtree(scratch, ignore_errors=True)
        for board in range(BOARDS):
            for model in range(MODELS):
                for seed in range(SEEDS):
                    put(scratch, board, model, seed)
        scratch.rename(there)
    return there


def test_all_tables_and_pages(benchmark, folder):
    made = benchmark.pedantic(rebuild, args=(folder,), kwargs={"processes": None}, rounds=1)
    assert len(made.boards) == BOARDS
    assert sum(len(board.pairs) for board in made.boards) == BOARDS * MODELS * (MODELS - 1) // 2
    rows = sum(row.rank is not None for board in made.boards for row in board.rows)
    assert sum(path.suffix == ".html" for path in made.pages) == rows + 1 == BOARDS * MODELS + 1
    size = (folder / "index.html").stat().st_size
    print(f"\n{BOARDS * MODELS * SEEDS} records: {benchmark.stats['max']:.1f} s; index.html {size / 1e6:.2f} MB")


def test_reading_the_records(benchmark, folder):
    records = benchmark.pedantic(ResultStore(folder).records, rounds=1)
    assert len(records) == BOARDS * MODELS * SEEDS


def test_a_board_of_100_rows(folder, tmp_path):
    """Its page must stay below 2 MB."""
    first = ResultStore(folder).records()[: 100 * SEEDS]
    chosen = [
        record.model_copy(update={"dataset": first[0].dataset, "model": record.model.model_copy(update={"name": name})})
        for record in first
        for name in [f"a net with a rather long name of {record.dataset.split}, {record.model.name}"]
    ]
    started = time.perf_counter()
    made = write_leaderboards(chosen, tmp_path)
    print(f"\n{len(made.boards[0].rows)} rows: {time.perf_counter() - started:.1f} s, "
          f"{(tmp_path / 'index.html').stat().st_size / 1e6:.2f} MB")  # fmt: skip
    assert len(made.boards[0].rows) == 101  # and the baseline that the records name
    assert (tmp_path / "index.html").stat().st_size < 2_000_000
