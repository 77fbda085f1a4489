"""Published-like runs made up by a seed: records, with errors, predictions and histories beside them in files."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fkbench.boards import build
from fkbench.records import (
    RunRecord,
    plan_key,
    write_errors,
    write_history,
    write_predictions,
)
from fkbench.schemes import FACE15, FACE68, Scheme
from fkbench.score import ImageErrors, image_errors, rmse_interval, summary
from fkbench.site import write_site
from fkbench.specs import DatasetSpec, Terms

IMAGES = 60
SCHEMES = {"faces15": FACE15, "faces68": FACE68}


def dataset(name: str) -> DatasetSpec | None:
    """Two datasets whose pictures must not be shown, and one whose may."""
    scheme = SCHEMES.get(name.removesuffix("-open"))
    terms = Terms("for research", public=name.endswith("-open"))
    return DatasetSpec(name=name, load="none:none", scheme=scheme, terms=terms) if scheme else None


class Runs:
    """A folder of made-up runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[RunRecord] = []

    def add(self, model: str = "net", scale: float = 2.0, seed: int = 0, **changes: Any) -> RunRecord:
        """One run; `changes` replace parts of the page, `part__key` one key of a part."""
        name = changes.get("dataset__name", "faces15")
        scheme = SCHEMES.get(name.removesuffix("-open"), FACE15)
        points, errors = _draw(scheme, model, seed, scale)
        metrics: dict[str, Any] = dict(summary(errors))
        metrics["rmse_ci"] = rmse_interval(errors.sum_sq, errors.count, errors.group).bounds
        page = _page(model, seed, metrics, scale)
        for key, value in changes.items():
            part, _, inner = key.partition("__")
            if inner:
                page[part][inner] = value
            else:
                page[part] = value
        page["key"] = plan_key({k: page[k] for k in sorted(page) if k not in ("metrics", "key")})
        record = RunRecord.model_validate(page)
        place = self.folder / "data" / "model" / record.key
        record = record.model_copy(update={"path": str(place)})
        self.records.append(record)
        if record.status == "done":
            place.mkdir(parents=True, exist_ok=True)
            write_errors(place / "errors.safetensors", errors)
            write_predictions(place / "predictions.safetensors", errors.ids, points)
            if page["model"].get("role") != "baseline":
                write_history(place / "history.csv", _history(seed, scale))
        return record

    def add_seeds(self, model: str, scale: float, count: int = 3, **changes: Any) -> list[RunRecord]:
        return [self.add(model, scale, seed, **dict(changes)) for seed in range(count)]

    def write(self, folder: Path, records: Sequence[RunRecord] | None = None) -> list[Path]:
        """The site of these runs."""
        chosen = list(self.records if records is None else records)
        return write_site(build(chosen), chosen, folder, dataset=dataset)


def _draw(scheme: Scheme, model: str, seed: int, scale: float) -> tuple[np.ndarray, ImageErrors]:
    """Predicted points (N, K, 2), and their errors with a part per image that all models share."""
    truth = np.array(scheme.layout) * 80.0 + np.random.default_rng(8).normal(8.0, 2.0, (IMAGES, 1, 2))
    digits = hashlib.sha256(f"{model[:300]}{seed}".encode()).digest()[:4]
    rng = np.random.default_rng(int.from_bytes(digits, "big"))
    shared = np.random.default_rng(7).lognormal(0.0, 0.3, IMAGES)[:, None, None]
    points = truth + rng.normal(0.0, scale, truth.shape) * shared * np.linspace(0.6, 1.4, len(scheme.points))[:, None]
    errors = image_errors(
        points,
        truth,
        np.ones(truth.shape[:2], bool),
        scale=1.0,
        normalisers=scheme.normalisers,
        ids=[f"image{i}" for i in range(IMAGES)],
        group=[f"person{i // 3}" for i in range(IMAGES)],
    )
    return points, errors


def _history(seed: int, scale: float) -> list[dict[str, float | None]]:
    return [
        {
            "epoch": i,
            "lr": 1e-3,
            "train_loss": 1.5 / i + seed / 50,
            "val_loss": 1.9 / i + seed / 40,
            "val_rmse": scale * (1 + 3 / i),
            "seconds": 2.0 * i,
        }
        for i in range(1, 41)
    ]


def _page(model: str, seed: int, metrics: dict[str, Any], scale: float) -> dict[str, Any]:
    speed = 900.0 * scale**4
    return {
        "key": "0" * 16,
        "status": "done",
        "model": {"name": model, "parameters": 8_615_920, "macs": 62_300_000, "source": "sha256:" + "1" * 64},
        "dataset": {
            "name": "faces15",
            "split": "honest",
            "fingerprint": "sha256:0123456789abcdef",
            "counts": {"train": 100, "val": 20, "test": IMAGES},
        },
        "protocol": {
            "name": "fair",
            "version": 1,
            "recipe": {"lr": 1e-3, "batch": 128},
            "frozen": True,
            "ranked": True,
        },
        "seed": seed,
        "box": "whole",
        "device": {"type": "cpu", "name": "Example CPU", "threads": 2},
        "engine": 1,
        "metrics": metrics,
        "timing": {
            "version": 1,
            "train_s": 41.0 + seed,
            "train_images_per_s": 3141.59 + seed,
            "infer_images_per_s": speed + seed,
            "latency_ms": {"p50": 1.25 + seed / 100, "p90": 1.5, "p99": 2.0},
        },
        "environment": {"python": "3.12", "platform": "Linux", "versions": {"numpy": "2.0"}},
    }


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """An empty set of runs."""
    return Runs(tmp_path / "runs")


@pytest.fixture
def make_runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Runs]:
    """For tests that need several sets."""
    return lambda: Runs(tmp_path_factory.mktemp("runs"))


def fill(runs: Runs) -> Runs:
    """Boards of 15 and of 68 points, ties, baselines, rows without a rank, failures, a leaky split."""
    for i, model in enumerate(("finenet", "swiftnet", "midnet", "coarsenet")):
        runs.add_seeds(model, 1.2 + 0.35 * i)
    runs.add_seeds("twin-a", 2.0)
    runs.add_seeds("twin-b", 2.0)
    runs.add("mean-shape", 4.0, model__role="baseline", model__deterministic=True, model__parameters=None)
    runs.add_seeds("short", 2.5, count=2)
    runs.add("tuned", 2.1, protocol__overrides={"lr": "0.1", "epochs": 3})
    runs.add("broken", status="oom", reason="out of memory", metrics={}, timing=None)
    leaks = {"groups": {"both_sides": 60, "total": 60, "test_share": 1.0}}
    runs.add_seeds("finenet", 1.1, dataset__split="leaky", dataset__leaks=leaks, flags=["leaky"])
    runs.add_seeds("finenet", 1.4, dataset__name="faces68")
    runs.add_seeds("midnet", 1.9, dataset__name="faces68")
    runs.add("mean-shape", 3.0, dataset__name="faces68", model__role="baseline", model__deterministic=True)
    return runs


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_disks() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Made once; its records are not changed."""
    return fill(Runs(tmp_path_factory.mktemp("filled")))


@pytest.fixture(scope="session")
def site(filled: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site of `filled`; only to be read."""
    folder = tmp_path_factory.mktemp("site")
    filled.write(folder)
    return folder


@pytest.fixture(scope="session")
def slugs(filled: Runs) -> list[str]:
    """The names of the boards on that site, which are their ids on the page."""
    return [board.slug for board in build(filled.records)]


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    with api.sync_playwright() as driver:
        try:
            running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except api.Error as error:  # of the machine: no page has been opened yet
            pytest.skip(f"Chromium does not start here: {error.message.splitlines()[0]}")
        yield running
        running.close()


@pytest.fixture
def open_page(browser):
    """Opens a file, with a script of the test's before its own; its console must stay empty."""
    said, contexts = [], []

    def opened(path, fragment="", script="", **settings):
        context = browser.new_context(
            **{"viewport": {"width": 1300, "height": 900}, "color_scheme": "light"} | settings
        )
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: None if request.url.startswith(("file:", "data:")) else said.append(request.url)
        )
        page.goto(path.as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
