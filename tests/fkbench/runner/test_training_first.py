"""Training begins at once: the baselines are fitted when the first trained net is to be compared with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.runner import training


def test_training_begins_before_the_baselines_are_fitted(bench):
    (record,) = bench.run()
    assert bench.events.index("step") < bench.events.index("finished")
    assert bench.events.count("finished") == 4
    assert set(record.baseline) == {"mean-shape", "nearest", "pca-ridge"}
    assert all(page["rmse"] > 0 for page in record.baseline.values())


def test_the_baselines_are_fitted_once_for_all_seeds(bench):
    first, second = bench.run(seeds=(0, 1))
    assert second.baseline == first.baseline
    assert bench.events.count("reused") == 0
    assert bench.events.count("finished") == 5


def test_a_run_cut_off_in_training_has_not_waited_for_the_baselines(bench):
    registry = bench.registry()
    bench.interrupt_at(registry, 1)
    with pytest.raises(KeyboardInterrupt):
        bench.run(registry)
    assert not list(bench.runs.root.rglob("record.json"))


def test_baselines_that_are_gone_are_made_again_beside_a_finished_run(bench):
    bench.run()
    (folder,) = {Path(record.path) for record in bench.runs.records() if record.model.name == "nearest"}
    shutil.rmtree(folder)
    assert bench.run()[0].reused
    assert (folder / "record.json").is_file()


def test_a_baseline_that_cannot_be_fitted_costs_no_net_its_record(bench, monkeypatch):
    def refuse(model, *arguments):
        raise FkbenchError(f"{model.name} cannot be written.", "Free space.")

    monkeypatch.setattr(training, "fit_predictor", refuse)
    (record,) = bench.run()
    assert (record.status, dict(record.baseline)) == ("done", {})


def test_a_net_that_fails_is_not_compared_and_waits_for_no_baseline(bench, monkeypatch):
    def fail(*arguments, **options):
        raise RunFailedError("out of luck", "Try again.")

    monkeypatch.setattr(training, "fit_net", fail)
    with pytest.raises(RunFailedError):
        bench.run()
    finished = [record.model.name for record in bench.runs.records() if record.status == "failed"]
    assert len(finished) == 1
    assert bench.events.index("finished") == bench.events.index("plan") + 1
