"""Runs that fail: the reason is in a record, and nothing else is stopped by it."""

from __future__ import annotations

import pytest
from torch import nn

from fkbench.errors import RunFailedError
from fkbench.runner.requests import SeedsFailedError
from fkbench.train import engine


def test_a_model_that_raises_in_training_is_a_failed_run_and_the_other_seeds_are_run(bench, monkeypatch):
    registry = bench.registry()
    steps = []

    def fail_once(*arguments, **named):
        steps.append(1)
        if len(steps) == 1:
            raise ValueError("no such layer")
        return real(*arguments, **named)

    real = engine.Trainer.fit
    monkeypatch.setattr(engine.Trainer, "fit", fail_once)
    with pytest.raises(SeedsFailedError, match="no such layer") as caught:
        bench.run(registry, seeds=(0, 1))
    assert [record.seed for record in caught.value.records] == [1]
    assert caught.value.exit_code == 1
    failed = [record for record in bench.runs.records() if record.status == "failed"]
    assert [(record.seed, record.reason) for record in failed] == [(0, "ValueError: no such layer")]


@pytest.mark.parametrize(("part", "name"), [(engine.Trainer, "fit"), (nn.Conv2d, "forward")])  # when it is built, too
def test_running_out_of_memory_is_a_status_of_its_own(bench, monkeypatch, part, name):
    def full(*arguments, **named):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(part, name, full)
    with pytest.raises(RunFailedError, match=r"fit into .*memory"):
        bench.run()
    assert [record.status for record in bench.runs.records() if record.model.role == "entry"] == ["oom"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("8 * 36, outputs", "8 * 36, outputs + 1"), "is needed"),
        (("8 * 36, outputs", "7, outputs"), "cannot be built"),
    ],
)
def test_a_net_that_does_not_fit_is_a_failed_run_with_its_reason(bench, change, reason):
    good = bench.file.read_text()
    bench.file.write_text(good.replace(*change))
    with pytest.raises(RunFailedError, match=reason):
        bench.run()
    (failed,) = [record for record in bench.runs.records() if record.status == "failed"]
    assert reason in failed.reason
    bench.file.write_text(good)
    assert bench.run()[0].status == "done"  # the failed record does not stand in the way


def test_divergence_is_recorded(bench):
    settings = {"protocol": {"lr": "1e30", "batch": "16", "images_seen": "160", "optimiser": "sgd"}}
    with pytest.raises(RunFailedError, match="diverged"):
        bench.run(settings=settings)
    assert [r.status for r in bench.runs.records() if r.model.role == "entry"] == ["failed"]
