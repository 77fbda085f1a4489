"""`fkbench runs`: listing, removing with and without a question, clearing leftovers away."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fkbench.cli import runs as command
from fkbench.cli.session import Session
from fkbench.errors import FkbenchError
from fkbench.records import RECORD_FILE, RunRecord, RunStore
from fkbench.records.locks import RunBusyError, run_lock


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def put(store):
    def _put(key: str = "a000000000000000", **changes):
        page = {
            "key": key,
            "status": "done",
            "model": {"name": "net"},
            "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:01"},
            "protocol": {"name": "fair", "version": 1},
            "seed": 0,
            "box": "whole",
            "device": {"type": "cpu"},
            "metrics": {"rmse": 2.5},
        }
        record = RunRecord.model_validate({**page, **changes})
        folder = store.start(store.folder("faces", record.model.name, key))
        (folder / "best.safetensors").write_bytes(b"0" * 1000)
        return Path(store.write(record, folder).path)

    return _put


@pytest.fixture
def call(store):
    """Call `fkbench runs …`; an FkbenchError comes out as it is."""

    def _call(*arguments: str, typed: str | None = None):
        app = typer.Typer()

        @app.callback()
        def root(context: typer.Context) -> None:
            context.obj = Session(runs=store.root)

        command.register(app)
        result = CliRunner().invoke(app, ["runs", *arguments], input=typed, env={"COLUMNS": "200"})
        if isinstance(result.exception, FkbenchError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    return _call


def test_list_shows_every_run_finished_or_not(call, put):
    put()
    put("b000000000000000", status="failed", reason="the loss is NaN", metrics={}, model={"name": "[red]x|y\x1b[0m"})
    header, *lines = call("list").stdout.splitlines()
    first, second = sorted(lines)
    assert header.split() == ["key", "model", "dataset", "box", "protocol", "seed", "status", "rmse"]
    assert re.search(r"a0{11}\s+net\s+faces/honest\s+whole\s+fair v1\s+0\s+done\s+2\.500", first)
    assert "failed: the loss is NaN" in second
    assert "[red]x|y?[0m" in second


def test_list_as_json_holds_the_records(call, put):
    put()
    page = json.loads(call("list", "--json").stdout)
    assert [run["key"] for run in page["runs"]] == ["a000000000000000"]
    assert page["runs"][0]["schema"] == 1


def test_list_of_an_empty_folder_says_so_and_a_damaged_record_is_reported(call, put):
    assert "There are no runs" in call("list").stderr
    (put() / RECORD_FILE).write_text("{")
    put("b000000000000000")
    result = call("list", "--json")
    assert len(json.loads(result.stdout)["runs"]) == 1
    assert "a000000000000000" in result.stderr
    assert "damaged" in result.stderr


def test_rm_asks_and_does_what_it_is_told(call, put):
    folder = put()
    result = call("rm", "a0", typed="n\n")
    assert str(folder) in result.stderr
    assert "Nothing was removed" in result.stderr
    assert folder.is_dir()
    call("rm", "a0", typed="y\n")
    assert not folder.exists()


def test_rm_without_an_answer_removes_nothing_and_names_the_option(call, put):
    folder = put()
    with pytest.raises(FkbenchError, match="no answer") as caught:
        call("rm", "a0", typed="")
    assert "--yes" in caught.value.remedy
    assert folder.is_dir()


def test_rm_of_all_seeds_and_of_the_same_run_twice(call, put):
    first, second = put(seed=0), put("b000000000000000", seed=1)
    page = json.loads(call("rm", "net@faces", "a0", str(second), "--yes", "--json").stdout)
    assert sorted(page["removed"]) == [str(first), str(second)]
    assert not first.exists()
    assert not second.exists()


def test_rm_of_something_unknown_removes_nothing(call, put):
    folder = put()
    with pytest.raises(FkbenchError, match="Unknown run 'zz'"):
        call("rm", "a0", "zz", "--yes")
    assert folder.is_dir()


def test_rm_takes_a_damaged_run_by_its_folder_but_no_folder_that_is_no_run(call, put, store, tmp_path):
    folder = put()
    (folder / RECORD_FILE).write_text("{")
    for wrong in (store.root, folder.parent, tmp_path, tmp_path / "runs" / ".."):
        with pytest.raises(FkbenchError, match="not the folder of a run"):
            call("rm", str(wrong), "--yes")
    call("rm", str(folder), "--yes")
    assert not folder.exists()


@pytest.fixture
def leftovers(store, put):
    """A finished run, an old unfinished one, and one that has just begun."""
    done = put()
    old = store.start(store.folder("faces", "net", "b000000000000000"))
    (old / "checkpoint.safetensors").write_bytes(b"0" * 2**20)
    for path in (old / "checkpoint.safetensors", old):
        os.utime(path, (10**9, 10**9))
    young = store.start(store.folder("faces", "net", "c000000000000000"))
    return done, old, young


def test_gc_removes_old_leftovers_and_says_what(call, leftovers):
    done, old, young = leftovers
    told = call("gc").stderr
    assert f"Removed {old} (1.0 MiB" in told
    assert "1 younger left alone" in told
    assert done.is_dir()
    assert young.is_dir()
    assert not old.exists()


def test_gc_dry_run_only_says_what_it_would_remove(call, leftovers):
    _, old, _ = leftovers
    assert f"Would remove {old}" in call("gc", "--dry-run").stderr
    page = json.loads(call("gc", "--dry-run", "--json").stdout)
    assert page["removed"] == []
    assert [item["path"] for item in page["would_remove"]] == [str(old)]
    assert old.is_dir()


def test_gc_of_everything_unfinished(call, leftovers):
    done, old, young = leftovers
    page = json.loads(call("gc", "--older-than", "0", "--json").stdout)
    assert sorted(item["path"] for item in page["removed"]) == [str(old), str(young)]
    assert done.is_dir()
    assert "Nothing to remove" in call("gc").stderr


def test_list_names_what_has_no_record_yet(call, leftovers):
    done, old, _ = leftovers
    said = call("list").stderr
    assert re.search(rf"Unfinished: {re.escape(str(old))} \(.* MiB, changed \d+ days ago\)", said)
    assert str(done) not in said
    assert "runs gc" in said
    assert str(old) in [page["path"] for page in json.loads(call("list", "--json").stdout)["unfinished"]]


def test_rm_refuses_a_running_run_before_it_touches_any(call, put):
    folder, other = put(), put("b000000000000000", seed=1)
    with run_lock(folder), pytest.raises(RunBusyError, match="is running") as caught:
        call("rm", "b0", "a0", "--yes")
    assert caught.value.remedy
    assert (folder / RECORD_FILE).is_file()
    assert (other / RECORD_FILE).is_file()
    call("rm", "b0", "a0", "--yes")
    assert not folder.exists()


def test_gc_leaves_a_running_one_alone_and_says_so(call, leftovers):
    _, old, _ = leftovers
    with run_lock(old):
        for dry_run in (["--dry-run"], []):
            told = call("gc", *dry_run).stderr
            assert f"Left alone: {old} is running" in told
            assert "emove" not in told
    assert old.is_dir()
    call("gc")
    assert not old.exists()


def test_list_and_rm_beside_a_run_whose_files_vanish(call, leftovers, monkeypatch):
    """A checkpoint's scratch file is renamed between the listing of a folder and the look at each file."""
    done, old, _ = leftovers
    lstat = Path.lstat

    def vanished(self):
        if self.name in {"checkpoint.safetensors", "best.safetensors"}:
            raise FileNotFoundError(2, "No such file or directory", str(self))
        return lstat(self)

    monkeypatch.setattr(Path, "lstat", vanished)
    assert f"Unfinished: {old} (0.0 MiB" in call("list").stderr
    assert f"{done} (0.0 MiB" in call("rm", str(done), "--yes").stderr
