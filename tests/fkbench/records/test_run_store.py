"""The runs folder: names, atomic writing, finding, removing, leftovers."""

from __future__ import annotations

import json
import os
import stat

import pytest

from fkbench.errors import FkbenchError
from fkbench.records import RECORD_FILE, RunStore, read_record, safe_name
from fkbench.records import files as record_files
from fkbench.records.locks import idle, lock_path, run_lock


@pytest.fixture
def runs(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture
def put(runs, make_record):
    """Write a record where it belongs."""

    def _put(**changes):
        record = make_record(**changes)
        folder = runs.folder(record.dataset.name, record.model.name, record.key)
        runs.start(folder)
        return runs.write(record, folder)

    return _put


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("dfk", "dfk"),
        ("my_net-1.5", "my_net-1.5"),
        ("../x", "---x"),
        ("..", "--"),
        (".", "-"),
        (".hidden", "-hidden"),
        ("a/b\\c", "a-b-c"),
        ("naïve net\n", "na-ve-net-"),
        ("", "-"),
        ("x" * 500, "x" * 120),
    ],
)
def test_names_become_one_folder_each(runs, name, folder):
    assert safe_name(name) == folder
    path = runs.folder(name, name, name)
    assert path == runs.root / folder / folder / folder
    assert path.resolve().is_relative_to(runs.root.resolve())


def test_a_record_is_written_and_found_by_folder_key_and_prefix(runs, put):
    record = put(key="aa00000000000000")
    other = put(key="ab00000000000000")
    assert runs.find("aa").key == record.key
    assert runs.find(other.key) == other
    assert runs.find(record.path) == record
    assert runs.find(f"{record.path}/{RECORD_FILE}") == record
    assert runs.records() == [record, other]


def test_where_one_run_is_wanted_a_known_model_at_dataset_is_answered_with_its_runs(runs, put):
    for seed, key in enumerate(("bb00000000000000", "aa00000000000000")):
        put(key=key, seed=seed)
    for text in ("net@faces", "net@faces/honest", "net@faces/honest/fair"):
        with pytest.raises(FkbenchError) as error:
            runs.find(text)
        assert "Unknown" not in error.value.message
        assert error.value.remedy == "Name one run: bb00000000000000 (seed 0), aa00000000000000 (seed 1)."
        assert [record.seed for record in runs.find_all(text)] == [0, 1]
    put(key="cc00000000000000", protocol__name="quick", box="haar")
    with pytest.raises(FkbenchError, match=r"cc0+ \(net@faces/honest/quick, box haar, seed 0\)"):
        runs.find("net@faces")
    with pytest.raises(FkbenchError, match="Did you mean net@faces/honest"):
        runs.find("nett@faces")


def test_where_there_are_no_runs_that_is_said(runs):
    for find, text in ((runs.find, "nope"), (runs.find_all, "net@faces")):
        with pytest.raises(FkbenchError, match="There are no runs yet"):
            find(text)


def test_a_published_folder_is_no_folder_of_runs_and_that_is_said(runs):
    file = runs.root / "results" / "board" / "net-0123456789abcdef.json"
    assert not runs.holds_published
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    assert runs.holds_published
    with pytest.raises(FkbenchError, match="holds published results: they have no weights") as caught:
        runs.find("net@faces")
    assert "fkbench run" in caught.value.remedy


def test_an_ambiguous_prefix_names_the_candidates(runs, put):
    put(key="aa00000000000000", seed=0)
    put(key="aa11111111111111", seed=1)
    with pytest.raises(FkbenchError, match=r"aa00000000000000.*aa11111111111111") as caught:
        runs.find("aa")
    assert caught.value.remedy


def test_a_whole_key_wins_over_longer_ones(runs, put):
    short = put(key="aa000000")
    put(key="aa00000000000000")
    assert runs.find("aa000000") == short


@pytest.mark.parametrize("text", ["zz", "", "../..", "net@nowhere", "@", "a\0b"])
def test_an_unknown_run_is_an_error_that_shows_what_there_is(runs, put, text):
    put()
    with pytest.raises(FkbenchError, match="Unknown run") as caught:
        runs.find_all(text)
    assert "net@faces/honest/fair" in caught.value.remedy


def test_model_at_dataset_means_all_seeds(runs, put):
    seeds = [put(key=f"a{seed}00000000000000", seed=seed) for seed in (2, 0, 1)]
    put(key="b000000000000000", model__name="other")
    for text in ("net@faces", "net@faces/honest", "net@faces/honest/fair"):
        assert [record.seed for record in runs.find_all(text)] == [0, 1, 2]
    assert runs.find_all("a0") == [seeds[1]]


def test_model_at_dataset_with_folds_and_several_protocols(runs, put):
    put(key="a000000000000000", dataset__split="all/2")
    put(key="b000000000000000", dataset__split="all/2", protocol__name="other")
    assert [r.key for r in runs.find_all("net@faces/all/2/fair")] == ["a000000000000000"]
    with pytest.raises(FkbenchError, match="cannot be taken together"):
        runs.find_all("net@faces/all/2")


def test_the_file_states_a_relative_path_and_the_files_beside_it(runs, make_record):
    record = make_record(path="/home/someone/secret", reused=True)
    folder = runs.start(runs.folder("faces", "net", record.key))
    (folder / "history.csv").write_text("abc")
    written = runs.write(record, folder)
    page = json.loads((folder / RECORD_FILE).read_text())
    assert page["path"] == f"runs/faces/net/{record.key}"
    assert page["reused"] is False
    assert list(page["files"]) == ["history.csv"]
    assert page["files"]["history.csv"]["sha256"].startswith("ba7816bf8f01cfea")  # SHA-256 of "abc"
    assert written.path == str(folder)


def test_a_write_that_fails_leaves_no_record_and_no_scratch_file(runs, make_record, monkeypatch):
    folder = runs.start(runs.folder("faces", "net", "0" * 16))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(record_files.os, "fsync", full)
    with pytest.raises(FkbenchError, match="No space left on device") as caught:
        runs.write(make_record(), folder)
    assert caught.value.remedy
    assert list(folder.iterdir()) == []


def test_a_write_that_fails_keeps_the_record_that_was_there(runs, put, monkeypatch):
    record = put()
    monkeypatch.setattr(record_files.os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(5, "I/O error")))
    with pytest.raises(FkbenchError, match="I/O error"):
        put(seed=5)
    monkeypatch.undo()
    assert not list(runs.root.rglob("*.tmp"))
    assert runs.get(runs.folder("faces", "net", record.key)) is None  # `start` took it away: the run begins anew


def test_starting_again_takes_the_old_record_away(runs, put):
    folder = runs.folder("faces", "net", put().key)
    runs.start(folder)
    assert runs.get(folder) is None
    assert folder.is_dir()


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(FkbenchError, match="Cannot make the run's folder"):
        RunStore(tmp_path / "runs").start(tmp_path / "runs" / "a" / "b" / "c")


def test_a_damaged_record_is_reported_and_the_others_are_read(runs, put, caplog):
    kept, broken = put(key="a000000000000000"), put(key="b000000000000000")
    (runs.folder("faces", "net", broken.key) / RECORD_FILE).write_text('{"schema": 1')
    lines = []
    assert runs.records(lines.append) == [kept]
    assert len(lines) == 1
    assert broken.key in lines[0]
    runs.records()
    assert broken.key in caplog.text


def test_a_record_larger_than_any_can_be_is_not_read(runs, put):
    file = runs.folder("faces", "net", put().key) / RECORD_FILE
    os.truncate(file, 9 * 2**20)
    with pytest.raises(FkbenchError, match="larger than 8 MiB"):
        read_record(file)


def test_no_runs_folder_means_no_records(runs):
    assert runs.records() == []
    assert runs.leftovers(0.0) == []


def test_remove_takes_the_folder_and_empty_ones_above_it(runs, put):
    first, second = put(key="a000000000000000"), put(key="b000000000000000", model__name="other")
    with run_lock(runs.folder("faces", "net", first.key)):
        pass  # its file stays where a run has been carried out
    runs.remove(runs.folder("faces", "net", first.key))
    assert not (runs.root / "faces" / "net").exists()
    assert runs.records() == [second]
    runs.remove(runs.folder("faces", "other", second.key))
    assert list(runs.root.iterdir()) == []


def test_a_lock_whose_file_is_deleted_while_it_is_being_taken_is_taken_anew(tmp_path, monkeypatch):
    """Between opening and locking the file another process may end `idle`: a lock without a name keeps nobody out."""
    fcntl = pytest.importorskip("fcntl")
    folder, flock = tmp_path / "run", fcntl.flock

    def deleted_meanwhile(fd, operation):
        monkeypatch.setattr(fcntl, "flock", flock)
        lock_path(folder).unlink()
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", deleted_meanwhile)
    with run_lock(folder, timeout=10):
        assert lock_path(folder).is_file()
    with idle(folder):
        pass
    assert not lock_path(folder).exists()


def test_remove_never_leaves_the_root(runs, put, tmp_path):
    put()
    outside = tmp_path / "precious"
    outside.mkdir()
    for folder in (runs.root, outside, runs.root / ".." / "precious", tmp_path):
        with pytest.raises(FkbenchError, match="not inside the runs folder"):
            runs.remove(folder)
    link = runs.root / "faces" / "net" / "link"
    link.symlink_to(outside)
    with pytest.raises(FkbenchError, match="not inside the runs folder"):
        runs.remove(link)
    assert outside.is_dir()


def test_leftovers_are_folders_without_a_record_and_scratch_files(runs, put):
    done = runs.folder("faces", "net", put(key="a000000000000000").key)
    half = runs.start(runs.folder("faces", "net", "b000000000000000"))
    (half / "checkpoint.safetensors").write_bytes(b"12345")
    (done / ".record.json-0.tmp").write_bytes(b"1")
    for path in (half, half / "checkpoint.safetensors", done / ".record.json-0.tmp"):
        os.utime(path, (1000, 1000))
    os.utime(half, (1000, 1000))
    found = {leftover.path: leftover for leftover in runs.leftovers(now=4600.0)}
    assert set(found) == {half, done / ".record.json-0.tmp"}
    assert found[half].age == 3600.0
    assert found[half].bytes == 5


@pytest.mark.parametrize("name", [".best.safetensors-12345678.tmp", "checkpoint.safetensors.4711.tmp"])
def test_a_scratch_file_is_a_leftover_and_never_in_a_record(runs, put, name):
    record = put()
    folder = runs.folder("faces", "net", record.key)
    (folder / name).write_bytes(b"half")
    assert name not in runs.write(record, folder).files
    assert [leftover.path.name for leftover in runs.leftovers(0.0)] == [name]


def test_the_age_of_a_leftover_is_that_of_its_newest_file(runs):
    half = runs.start(runs.folder("faces", "net", "b000000000000000"))
    (half / "history.csv").write_text("")
    os.utime(half / "history.csv", (3000, 3000))
    os.utime(half, (1000, 1000))
    assert runs.leftovers(now=4000.0)[0].age == 1000.0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_folder_without_permission_is_one_clear_line(runs, put):
    record = put()
    folder = runs.folder("faces", "net", record.key)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(FkbenchError, match="Cannot write"):
            runs.write(record, folder)
    finally:
        folder.chmod(stat.S_IRWXU)
