"""The record that is written for a run whose worker could not: never over a finished one, nor into another's work."""

from __future__ import annotations

import pytest

from fkbench.records import RunRecord, RunStore
from fkbench.records.locks import run_lock
from fkbench.sweep import Cell, Outcome, Planned, outcomes
from fkbench.sweep.outcomes import write_failure

PAGE = {
    "key": "0123456789abcdef",
    "status": "failed",
    "model": {"name": "net"},
    "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:01"},
    "protocol": {"name": "fair", "version": 1},
    "seed": 0,
    "box": "frame",
    "device": {"type": "cpu"},
}
TIMEOUT = Outcome("timeout", "ended after its time limit of 2h")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture
def planned(store):
    folder = store.folder("faces", "net", PAGE["key"])
    return Planned(Cell("net", "faces"), "run", "", PAGE["key"], folder, RunRecord.model_validate(PAGE))


def test_the_missing_record_says_why_and_the_checkpoint_stays(planned, store):
    planned.folder.mkdir(parents=True)
    (planned.folder / "checkpoint.safetensors").write_bytes(b"state")
    written = write_failure(planned, store, TIMEOUT)
    assert (written.status, written.reason) == ("timeout", TIMEOUT.reason)
    assert written.created
    assert store.get(planned.folder) == written
    assert (planned.folder / "checkpoint.safetensors").read_bytes() == b"state"


def test_a_finished_run_is_not_written_over(planned, store):
    done = store.write(planned.skeleton.model_copy(update={"status": "done"}), store.start(planned.folder))
    assert write_failure(planned, store, TIMEOUT) is None
    assert store.get(planned.folder) == done


def test_nothing_is_written_while_another_process_works_on_the_run(planned, store, monkeypatch):
    monkeypatch.setattr(outcomes, "LOCK_S", 0.1)
    with run_lock(planned.folder):
        assert write_failure(planned, store, TIMEOUT) is None
    assert not planned.folder.exists()
    assert write_failure(planned, store, TIMEOUT) is not None
