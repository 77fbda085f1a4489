"""The main job on few faces: records, reuse, repeatability, continuation, refusals."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from fkbench.errors import FkbenchError
from fkbench.hookspecs import hookimpl
from fkbench.records import read_errors, read_history, read_predictions, write_arrays
from fkbench.registry import load_module
from fkbench.runner.plan import find_model
from fkbench.runner.provenance import source_digest
from fkbench.specs import Plugin
from fkbench.train import engine

FILES = ("record.json", "history.csv", "predictions.safetensors", "errors.safetensors", "best.safetensors",
         "last.safetensors", "loss.png", "predictions.png")  # fmt: skip


def test_a_run_leaves_a_record_with_everything_beside_it(bench):
    (record,) = bench.run()
    assert record.status == "done"
    folder = Path(record.path)
    assert [name for name in FILES if not (folder / name).is_file()] == []
    assert not (folder / "checkpoint.safetensors").exists()
    page = record.to_json()
    assert page["model"]["parameters"] == 8 * 9 + 8 + (8 * 36 + 1) * 30
    assert page["dataset"]["counts"] == {"train": 56, "val": 8, "test": 16}
    assert set(page["baseline"]) == {"mean-shape", "nearest", "pca-ridge"}
    assert page["protocol"]["overrides"] == {"batch": "16", "images_seen": "160"}
    assert page["timing"]["train_images_per_s"] > 0
    assert page["timing"]["latency_ms"]["p50"] > 0
    low, high = page["metrics"]["rmse_ci"]
    assert low < page["metrics"]["rmse"] < high
    ids, points = read_predictions(folder / "predictions.safetensors")
    assert points.shape == (16, 15, 2)
    errors = read_errors(folder / "errors.safetensors")
    assert errors.ids == ids
    rmse = math.sqrt(float(errors.sum_sq.sum()) / float(errors.count.sum()))
    assert rmse == pytest.approx(record.metric("rmse"), rel=1e-5)
    assert len(read_history(folder / "history.csv")) == record.history.epochs == 4


def test_a_finished_run_is_reused_and_says_so(bench):
    first = bench.run()[0]
    again = bench.run()[0]
    assert (first.reused, again.reused) == (False, True)
    assert again.key == first.key
    assert again.metrics == first.metrics
    assert "step" not in bench.events


ELSEWHERE = """
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 32), settings={"pretrained": fkbench.Setting(False, "weights", fresh=True)})
def tinynet(channels, size, outputs, pretrained):
    if pretrained:
        raise fkbench.FkbenchError("The weights cannot be had.", "Leave them out.")
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))
"""


def test_weights_that_cannot_be_had_are_said_before_any_baseline_is_fitted(bench):
    bench.file.write_text(ELSEWHERE)
    with pytest.raises(FkbenchError, match="cannot be had"):
        bench.run(settings={"model": {"pretrained": "true"}})
    assert not list(bench.runs.root.rglob("record.json"))
    assert bench.run()[0].status == "done"


def test_the_same_seed_gives_the_same_run_and_another_seed_another(bench):
    first, second = bench.run(seeds=(0, 1))
    kept, points = bench.weights(first), read_predictions(Path(first.path) / "predictions.safetensors")[1].tobytes()
    assert bench.weights(second) != kept
    assert second.key != first.key
    repeated = bench.run(force=True)[0]
    assert not repeated.reused
    assert bench.weights(repeated) == kept
    assert read_predictions(Path(repeated.path) / "predictions.safetensors")[1].tobytes() == points


def test_a_run_cut_off_in_training_goes_on_exactly(bench, monkeypatch, tmp_path):
    whole = bench.run()[0]
    kept = bench.weights(whole), [{**row, "seconds": 0} for row in read_history(Path(whole.path) / "history.csv")]
    bench.runs.remove(Path(whole.path))
    monkeypatch.setattr(engine, "CHECKPOINT_EVERY_S", 0.0)
    registry = bench.registry()
    bench.interrupt_at(registry, 3)
    with pytest.raises(KeyboardInterrupt):
        bench.run(registry)
    assert not (Path(whole.path) / "record.json").exists()
    assert (Path(whole.path) / "checkpoint.safetensors").is_file()
    resumed = bench.run()[0]
    assert "resumed" in bench.events
    assert bench.events.count("epoch") == 2
    assert (
        bench.weights(resumed),
        [{**r, "seconds": 0} for r in read_history(Path(resumed.path) / "history.csv")],
    ) == kept


def test_changed_source_that_computes_the_same_keeps_the_run(bench):
    bench.run()
    bench.file.write_text(bench.file.read_text() + "\n# a comment\n")
    assert bench.run()[0].reused


def test_changed_source_that_computes_something_else_runs_again(bench):
    bench.run()
    bench.file.write_text(bench.file.read_text().replace("nn.ReLU()", "nn.Tanh()"))
    assert not bench.run()[0].reused


def test_an_observer_that_raises_stops_nothing(bench):
    registry = bench.registry()

    def fkbench_run_finished(plan, record):
        raise ValueError("observer")

    load_module(registry, SimpleNamespace(fkbench_run_finished=hookimpl(fkbench_run_finished)), Plugin("o"))
    assert bench.run(registry)[0].status == "done"
    assert [failure.part for failure in registry.failures] == ["fkbench_run_finished"]  # once, though four runs ended


def test_a_predictor_whose_code_changed_runs_again(bench, monkeypatch):
    own = {"model": "mean-shape", "settings": {"protocol": {}}}
    first = bench.run(**own)[0]
    assert bench.run(**own)[0].reused
    monkeypatch.setattr("fkbench.runner.single.source_digest", lambda model: "sha256:other")
    again = bench.run(**own)[0]
    assert (again.reused, again.key, again.model.source) == (False, first.key, "sha256:other")


def test_the_digest_is_of_what_was_executed_not_of_what_stands_there_now(bench, tmp_path):
    """Two files of one content share a module, which keeps the path of the first."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    for path in (first, second):
        path.write_text(bench.file.read_text() + "\n# two copies\n")
    before = source_digest(find_model(bench.registry(), str(first)))
    first.write_text(first.read_text().replace("nn.ReLU()", "nn.Tanh()"))
    assert source_digest(find_model(bench.registry(), str(second))) == before
    assert source_digest(find_model(bench.registry(), str(first))) != before


def test_state_of_other_code_is_not_gone_on_from(bench, monkeypatch):
    registry = bench.registry()
    bench.interrupt_at(registry, 3)
    with pytest.raises(KeyboardInterrupt):
        bench.run(registry)
    bench.file.write_text(bench.file.read_text().replace("nn.ReLU()", "nn.Tanh()"))
    record = bench.run()[0]
    assert "resumed" not in bench.events
    assert record.history.epochs == 4


def test_a_damaged_checkpoint_is_said_in_one_line(bench):
    whole = bench.run()[0]
    folder = Path(whole.path)
    (folder / "record.json").unlink()
    write_arrays(folder / "checkpoint.safetensors", {})
    with pytest.raises(FkbenchError, match="checkpoint"):
        bench.run()


def test_a_predictor_without_randomness_runs_once(bench):
    records = bench.run(model="mean-shape", settings={"protocol": {}}, seeds=(0, 1, 2))
    assert len(records) == 1
    assert records[0].baseline == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "identity"}, "split"),
        ({"box": "truth"}, "face crops already"),
        ({"box": "haarr"}, "haarr"),
        ({"settings": {"dataset": {"count": "-5"}}}, "count"),
        ({"settings": {"dataset": {"colour": "1"}}}, "colour"),
        ({"settings": {"protocol": {"lr": "0"}}}, "lr"),
        ({"settings": {"protocol": {"batch": "-1"}}}, "batch"),
        ({"settings": {"protocol": {"optimiser": "adamm"}}}, "adamm"),
        ({"settings": {"model": {"width": "3"}}}, "width"),
        ({"epochs": 0}, "--epochs"),
        ({"seeds": (1, 1)}, "repeat"),
        ({"seeds": (10**20,)}, "too large"),
        ({"settings": {"protocol": {"augmentation.flip": "7"}}}, "share"),
        ({"dataset": "youtube68", "settings": {"dataset": {}}}, "youtube68"),
        ({"model": "mean-shape", "epochs": 3, "settings": {}}, "not trained by the engine"),
        ({"model": "mean-shape", "protocol": "article", "settings": {"protocol": {"lr": "1"}}}, "not trained"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_written(bench, changes, message):
    with pytest.raises(FkbenchError, match=message) as caught:
        bench.run(**changes)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    assert bench.runs.records() == []
