"""Seeds trained at once: the records and weights of seeds trained one by one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors import safe_open

from fkbench.errors import FkbenchError, RunFailedError
from fkbench.hookspecs import hookimpl
from fkbench.records import RunRecord
from fkbench.records.locks import run_lock
from fkbench.registry import load_module
from fkbench.runner import together
from fkbench.runner.fit import CHECKPOINT
from fkbench.runner.requests import Runner
from fkbench.runner.single import SingleRun
from fkbench.runner.together import train_together
from fkbench.specs import Plugin
from fkbench.train.engine import Listener

SEEDS = (0, 1, 2)


def numbers(record: RunRecord) -> tuple[Any, ...]:
    return record.key, record.metrics, record.history, record.baseline


class Trained:
    """Seeds that are trained, and neither scored nor timed."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.groups: list[int] = []
        self.said: list[tuple[str, Any]] = []

    def runs(self, seeds: tuple[int, ...] = SEEDS) -> list[SingleRun]:
        registry = self.bench.registry()
        runner = Runner(registry, self.bench.data, self.bench.runs, event=lambda *heard: self.said.append(heard))
        return runner.planned(self.bench.request(registry, seeds=seeds))

    def weights(self, run: SingleRun) -> dict[str, bytes]:
        with safe_open(run.folder / CHECKPOINT, "np") as file:
            return {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118 (not a mapping)


@pytest.fixture
def trained(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Trained:
    found = Trained(bench)
    real = together.fit_together

    def counted(replicas: Any) -> None:
        found.groups.append(len(replicas))
        real(replicas)

    monkeypatch.setattr(together, "fit_together", counted)
    return found


def test_seeds_at_once_give_the_records_that_they_give_one_by_one(bench):
    apart = bench.run(seeds=(0, 1))
    alone = [(numbers(record), bench.weights(record)) for record in apart]
    assert all("trained_at_once" not in record.timing.model_dump() for record in apart)
    records = bench.run(seeds=(0, 1), at_once=5, force=True)
    assert [(numbers(record), bench.weights(record)) for record in records] == alone
    assert [record.timing.model_dump()["trained_at_once"] for record in records] == [2, 2]
    assert bench.events.count("plan") == 1
    assert "resumed" not in bench.events
    assert not list(bench.runs.root.rglob("checkpoint.safetensors"))


def test_a_seed_that_diverges_is_recorded_and_the_others_are_done_as_observers_hear(bench, monkeypatch):
    from fkbench.train import engine

    real = engine.Trainer.parts

    def parts(self: Any, *arguments: Any) -> Any:
        if self.seed == 1:
            raise RunFailedError("Training diverged.", "Lower protocol.lr.")
        yield from real(self, *arguments)

    monkeypatch.setattr(engine.Trainer, "parts", parts)
    heard: list[tuple[str, int]] = []
    registry = bench.registry()
    observer = SimpleNamespace(
        fkbench_run_started=hookimpl(lambda plan: heard.append(("started", plan["seed"]))),
        fkbench_epoch_done=hookimpl(lambda plan, row: heard.append(("epoch", plan["seed"]))),
        fkbench_run_finished=hookimpl(lambda plan, record: heard.append((record["status"], plan["seed"]))),
    )
    load_module(registry, observer, Plugin("observer"))
    with pytest.raises(RunFailedError, match="diverged") as caught:
        bench.run(registry, seeds=(1, 2), at_once=2)
    assert [record.seed for record in caught.value.records] == [2]
    (failed,) = (record for record in bench.runs.records() if record.status == "failed")
    assert (failed.seed, failed.reason) == (1, "Training diverged.")
    assert [name for name, seed in heard if seed == 1] == ["started", "failed"]
    names = [name for name, seed in heard if seed == 2]
    assert (names[0], names[-1]) == ("started", "done")
    assert set(names[1:-1]) == {"epoch"}


def test_at_once_and_alone_their_checkpoints_hold_the_same(trained):
    for run in trained.runs():
        run.begin(force=False)
        run.training.fit()
    alone = [trained.weights(run) for run in trained.runs()]
    runs = trained.runs()
    train_together(runs, force=True)
    assert trained.groups == [3]
    assert [trained.weights(run) for run in runs] == alone


@pytest.mark.parametrize("later", [1, 3])
def test_cut_off_at_once_they_go_on_alone_or_at_once(trained, later):
    runs = trained.runs()
    train_together(runs, force=False)
    whole = [trained.weights(run) for run in runs]
    cut = trained.runs()
    trained.bench.interrupt_at(cut[0].owner.registry, 2)
    with pytest.raises(KeyboardInterrupt):
        train_together(cut, force=True)
    again = trained.runs()
    trained.said.clear()
    for low in range(0, 3, later):
        train_together(again[low : low + later], force=False)
    for run in again:
        run.begin(force=False)
        run.training.fit()
    assert [trained.weights(run) for run in again] == whole
    assert any(name == "resumed" for name, _ in trained.said)


def test_what_cannot_be_done_at_once_is_left_to_be_done_one_by_one(trained, monkeypatch):
    def no_room(replicas: Any) -> None:
        raise MemoryError("no room for three")

    monkeypatch.setattr(together, "fit_together", no_room)
    runs = trained.runs()
    train_together(runs, force=False)
    assert any("one by one" in str(facts) and "no room for three" in str(facts) for _, facts in trained.said)
    trained.said.clear()
    runs[0].training.fit()
    assert [facts["name"] for name, facts in trained.said if name == "plan"] == ["tinynet seed 0"]


def test_what_runs_out_of_room_in_the_middle_goes_on_from_there_one_by_one(trained, monkeypatch):
    runs = trained.runs()
    train_together(runs, force=False)
    whole = [trained.weights(run) for run in runs]
    real = together.fit_together

    def gives_out(replicas: Any) -> None:
        replicas[-1].listener = Listener(epoch=lambda row: 1 / (2 - row["epoch"]))
        real(replicas)

    monkeypatch.setattr(together, "fit_together", gives_out)
    again = trained.runs()
    train_together(again, force=True)
    assert any("one by one" in str(facts) and "ZeroDivisionError" in str(facts) for _, facts in trained.said)
    trained.said.clear()
    for run in again:
        run.training.fit()
    assert [trained.weights(run) for run in again] == whole
    assert sum(name == "resumed" for name, _ in trained.said) == len(SEEDS)


def test_a_damaged_checkpoint_is_said_and_nothing_is_trained_instead(trained):
    runs = trained.runs()
    runs[1].begin(force=False)
    (runs[1].folder / CHECKPOINT).write_bytes(b"not a checkpoint")
    with pytest.raises(FkbenchError, match="checkpoint"):
        train_together(runs, force=False)
    assert trained.groups == []


def test_what_another_process_has_finished_meanwhile_is_taken_as_it_is(trained):
    run = trained.runs((0,))[0]
    run.begin(force=False)
    (other,) = trained.bench.run()
    assert run.owner._one(run).reused
    assert other.key == run.key


def test_a_run_that_another_process_is_at_work_on_is_left_out(trained):
    runs = trained.runs()
    with run_lock(Path(runs[0].folder)):
        train_together(runs, force=False)
    assert trained.groups == [2]
    assert [run.begun for run in runs] == [False, True, True]


def test_they_are_grouped_by_how_many_are_wanted_and_a_last_one_is_trained_alone(trained):
    runs = trained.runs()
    request = trained.bench.request(runs[0].owner.registry, seeds=SEEDS, at_once=2)
    runs[0].owner._train_together(request, runs)
    assert trained.groups == [2]
    assert [run.begun for run in runs] == [True, True, False]


def test_on_a_processor_seeds_are_trained_one_by_one_unless_asked(trained):
    runs = trained.runs()
    runs[0].owner._train_together(runs[0].request, runs)
    assert trained.groups == []


@pytest.mark.parametrize("at_once", [-1, 17])
def test_fewer_than_none_and_too_many_at_once_are_refused(bench, at_once):
    with pytest.raises(FkbenchError, match="at-once"):
        bench.run(at_once=at_once)
