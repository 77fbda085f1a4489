"""A published folder: checked and scrubbed results, tables made from them alone, nothing ever dropped."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from fkbench.boards import build, write_board, write_index
from fkbench.boards.detections import side_boards
from fkbench.boards.output import write_texts
from fkbench.publishing import RefusedError, Scrubber, publish, published_form, rebuild
from fkbench.records import (
    ERRORS_FILE,
    PREDICTIONS_FILE,
    RECORD_FILE,
    ResultStore,
    Verification,
    beside,
    read_errors,
    read_points,
    subject_of,
    verification_of,
    write_arrays,
    write_errors,
    write_predictions,
    write_verification,
)
from fkbench.records.arrays import read_arrays
from fkbench.site import write_leaderboards

BOARD = "faces-honest-fair-v1-whole-01234567"
LEADERBOARDS = Path(__file__).resolve().parents[3] / "leaderboards"


def publish_all(store, folder, **options):
    done = publish(store.records(), folder, Scrubber(("jane",)), **options)
    rebuild(folder)
    return done


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tables(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in content(folder).items() if "/" not in name}


@pytest.fixture
def six(put):
    for seed in range(3):
        put("good", 1.0, seed)
        put("bad", 2.0, seed)
    put("broken", status="failed", reason="no file '/home/jane/x'", metrics={}, timing=None)


def test_pages_are_made_from_the_published_files_alone_and_are_the_same_bytes_again(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    before = content(tmp_path / "lb")
    pages = [name for name in before if name.startswith("pages/") and name.endswith(".html")]
    assert sorted(Path(name).name.split("-")[0] for name in pages) == ["bad", "good"]
    assert b"/home/jane" not in b"".join(before.values())
    shutil.rmtree(store.root)
    moved = tmp_path / "else where"
    shutil.copytree(tmp_path / "lb" / "results", moved / "results")
    rebuild(moved)
    assert content(moved) == before


@pytest.mark.slow
def test_several_processes_write_the_same_bytes(store, put, six, tmp_path):
    for seed in range(3):
        put("good", 1.0, seed, box="another")
    publish_all(store, tmp_path / "lb")
    shutil.copytree(tmp_path / "lb" / "results", tmp_path / "shared" / "results")
    rebuild(tmp_path / "shared", processes=2)
    assert content(tmp_path / "shared") == content(tmp_path / "lb")


def test_results_in_folders_of_other_names_make_the_same_boards(store, put, six, tmp_path):
    for seed in range(3):
        put("good", 1.0, seed, box="another")
    publish_all(store, tmp_path / "lb")
    together = tmp_path / "moved" / "results" / "together"
    together.mkdir(parents=True)
    for path in (tmp_path / "lb" / "results").glob("*/*"):
        shutil.copy(path, together)
    rebuild(tmp_path / "moved")
    assert tables(tmp_path / "moved") == tables(tmp_path / "lb")


def test_damaged_results_are_named_once_and_the_others_make_the_board(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    victim = sorted((tmp_path / "lb" / "results").glob("*/bad-*.json"))[0]
    victim.write_text("{")
    said = []
    made = rebuild(tmp_path / "lb", said.append)
    assert [victim.name in line for line in said] == [True]
    assert [row.rank for row in made.boards[0].rows if row.model == "good"] == [1]
    assert [len(row.seeds) for row in made.boards[0].rows if row.model == "bad"] == [2]


def test_tables_and_pages_of_a_board_that_is_gone_are_removed_and_other_files_stay(store, put, six, tmp_path):
    folder = tmp_path / "lb"
    for seed in range(3):
        put("good", 1.0, seed, box="another")
    publish_all(store, folder)
    mine = {"notes.md": b"mine", "mine.json": b'{"board": "other"}', "odd.json": b'["board"]'}
    for name, data in mine.items():
        (folder / name).write_bytes(data)
    gone = next(folder.glob("results/*another*"))
    assert any(gone.name in name for name in tables(folder))
    shutil.rmtree(gone)
    rebuild(folder)
    assert not [name for name in content(folder) if gone.name in name]
    assert {name: content(folder)[name] for name in mine} == mine
    assert f"{BOARD}.csv" in content(folder)


def test_a_published_result_has_four_files_and_reads_like_a_run(store, put, tmp_path):
    record = put("net", 2.0)
    done = publish_all(store, tmp_path / "lb")
    stem = f"results/{BOARD}/net-{record.key}"
    names = {f"{stem}{end}" for end in (".json", f".{ERRORS_FILE}", f".{PREDICTIONS_FILE}", ".history.csv")}
    assert {name for name in content(tmp_path / "lb") if name.startswith("results/")} == names
    assert [str(path) for path in done.written] == [str(tmp_path / "lb" / f"{stem}.json")]
    [found] = ResultStore(tmp_path / "lb").records()
    assert found.metrics == record.metrics
    assert ResultStore(tmp_path / "lb").find(record.key[:6]).path == found.path
    assert ResultStore(tmp_path / "lb").find_all("net@faces")[0].key == record.key
    assert ResultStore(tmp_path / "lb" / "results").find(found.path) == found
    np.testing.assert_array_equal(read_errors(beside(found, ERRORS_FILE)).sum_sq, _errors(record).sum_sq)
    ids, points = read_points(beside(found, PREDICTIONS_FILE))
    assert points.dtype == np.float16
    assert ids == _errors(record).ids


def _errors(record):
    return read_errors(beside(record, ERRORS_FILE))


def test_boards_of_runs_and_of_what_was_published_from_them_have_the_same_rows(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    own, published = build(store.records()), build(ResultStore(tmp_path / "lb").records())
    assert [[(r.model, r.rank, r.rmse, r.rmse_ci) for r in board.rows] for board in own] == [
        [(r.model, r.rank, r.rmse, r.rmse_ci) for r in board.rows] for board in published
    ]


def test_tables_are_the_same_bytes_in_any_order_and_folder(store, six, tmp_path):
    publish_all(store, tmp_path / "lb")
    before = tables(tmp_path / "lb")
    assert {Path(name).suffix for name in before} == {".md", ".csv", ".json", ".html"}
    for seed in range(3):
        records = ResultStore(tmp_path / "lb").records()
        random.Random(seed).shuffle(records)
        write_leaderboards(records, tmp_path / f"again{seed}")
        assert tables(tmp_path / f"again{seed}") == before
    shutil.copytree(tmp_path / "lb" / "results", tmp_path / "else where" / "results")
    rebuild(tmp_path / "else where")
    assert tables(tmp_path / "else where") == before


def test_publishing_in_another_order_gives_the_same_files(store, six, tmp_path):
    records = store.records()
    for name, order in (("a", records), ("b", records[::-1])):
        publish(order, tmp_path / name, Scrubber())
        rebuild(tmp_path / name)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_publishing_again_changes_nothing_and_drops_nobody(store, put, put_in, tmp_path):
    from fkbench.records import RunStore

    put("mine", 1.0)
    publish_all(store, tmp_path / "lb")
    other = RunStore(tmp_path / "other")
    put_in(other, "yours", 2.0)
    publish_all(other, tmp_path / "lb")
    before = content(tmp_path / "lb")
    done = publish_all(store, tmp_path / "lb")
    assert (len(done.same), done.written, done.conflicts) == (1, [], [])
    assert content(tmp_path / "lb") == before
    assert {record.model.name for record in ResultStore(tmp_path / "lb").records()} == {"mine", "yours"}


def test_other_content_of_one_key_is_a_conflict_with_its_fields_and_stays_unless_replaced(store, put, tmp_path):
    first = put("net", 1.0)
    publish_all(store, tmp_path / "lb")
    before = content(tmp_path / "lb")
    put("net", 2.0, key=first.key)
    done = publish_all(store, tmp_path / "lb")
    assert content(tmp_path / "lb") == before
    fields = {one.field: one for one in done.conflicts[0].fields}
    assert {"metrics.rmse", f"files.{ERRORS_FILE}.sha256"} <= set(fields)
    assert float(fields["metrics.rmse"].first) < float(fields["metrics.rmse"].second)
    done = publish_all(store, tmp_path / "lb", replace=True)
    assert len(done.replaced) == 1
    assert ResultStore(tmp_path / "lb").records()[0].metric("rmse") == pytest.approx(2.0, rel=0.2)


def test_the_same_outcome_measured_twice_is_no_conflict_and_the_fuller_timing_stays(store, put, tmp_path):
    put("net", 1.0, timing={"version": 1, "infer_images_per_s": 5.0, "void": True})
    publish_all(store, tmp_path / "lb")
    put("net", 1.0, timing={"version": 1, "infer_images_per_s": 7.0})
    done = publish_all(store, tmp_path / "lb")
    assert (len(done.repeats), done.conflicts) == (1, [])
    put("net", 1.0, timing={"version": 1, "infer_images_per_s": 9.0, "quick": True})
    publish_all(store, tmp_path / "lb")
    [record] = ResultStore(tmp_path / "lb").records()
    assert record.timing.infer_images_per_s == 7.0


def test_one_key_on_two_devices_is_kept_apart(store, put, tmp_path):
    put("net", 1.0)
    publish_all(store, tmp_path / "lb")
    put("net", 1.5, device={"type": "cpu", "name": "Other CPU"})
    done = publish_all(store, tmp_path / "lb")
    assert len(done.apart) == 1
    assert {r.device.name for r in ResultStore(tmp_path / "lb").records()} == {"CPU", "Other CPU"}
    assert len(build(ResultStore(tmp_path / "lb").records())[0].rows) == 2
    before = content(tmp_path / "lb")
    assert len(publish_all(store, tmp_path / "lb").same) == 1
    assert content(tmp_path / "lb") == before


def test_nothing_private_is_published(store, put, tmp_path):
    put("net", 1.0, environment={"platform": "Linux", "cpu": "CPU", "user": "jane"}, model__plugin="/home/jane/net.py")
    put("broken", status="failed", reason="no file '/home/jane/x'", metrics={}, timing=None)
    publish_all(store, tmp_path / "lb")
    for name, data in content(tmp_path / "lb").items():
        assert b"jane" not in data, name
        assert b"/home" not in data, name
        assert str(tmp_path).encode() not in data, name


NAMES = ["<script>alert(1)</script>", "..up", "a\"b'c", "\u202egnp.exe", "x" * 200, "a\\b", "...", "con", "é✓"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_in_the_folder_and_do_nothing(store, put, tmp_path, name):
    put(name, 1.0, dataset__split=name, box=name, flags=[name])
    publish_all(store, tmp_path / "deep" / "lb")
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(tmp_path / "deep" / "lb")]
    assert all(path.is_relative_to(tmp_path / "runs") for path in outside)
    assert len(ResultStore(tmp_path / "deep" / "lb").records()) == 1
    for path, data in tables(tmp_path / "deep" / "lb").items():
        assert len(path) < 160
        if path.endswith(".md"):
            assert b"<script" not in data
            assert "\u202e".encode() not in data


def _tamper_errors(folder, change):
    errors = read_errors(folder / ERRORS_FILE)
    change(errors)
    write_errors(folder / ERRORS_FILE, errors)


def _relist(folder):
    page = json.loads((folder / RECORD_FILE).read_text())
    page["files"] = {}
    (folder / RECORD_FILE).write_text(json.dumps(page))


def _halve(errors):
    for sums in (errors.sum_sq, errors.sum_sq_x, errors.sum_sq_y, errors.point_sum_sq):
        sums[:] /= 2


def _negative(errors):
    errors.sum_abs[0] = -1.0


def _uncount(errors):
    errors.count[0] += 2


def _swap(folder):
    ids, points = read_points(folder / PREDICTIONS_FILE)
    write_predictions(folder / PREDICTIONS_FILE, ids[::-1], points)


def _far(folder):
    ids, points = read_points(folder / PREDICTIONS_FILE)
    write_predictions(folder / PREDICTIONS_FILE, ids, points + 1e6)


REFUSED = {
    "do not give its rmse": lambda f: (_tamper_errors(f, _halve), _relist(f)),
    "negative or not finite": lambda f: (_tamper_errors(f, _negative), _relist(f)),
    "other coordinates": lambda f: (_tamper_errors(f, _uncount), _relist(f)),
    "not the file that the record lists": lambda f: _tamper_errors(f, _halve),
    "there is no file": lambda f: (f / ERRORS_FILE).unlink(),
    "in another order": lambda f: (_swap(f), _relist(f)),
    "beyond the range of float16": lambda f: (_far(f), _relist(f)),
    "is damaged": lambda f: ((f / PREDICTIONS_FILE).write_bytes(b"\x00" * 40), _relist(f)),
    "no history of a run": lambda f: (f / "history.csv").write_text("a,b\n1,2\n"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_does_not_hold_together_is_refused_with_the_reason_and_the_rest_is_published(store, put, tmp_path, reason):
    put("fine", 1.0)
    bad = put("bad", 2.0)
    REFUSED[reason](Path(bad.path))
    done = publish_all(store, tmp_path / "lb")
    assert reason in done.refused[bad.path]
    assert [record.model.name for record in ResultStore(tmp_path / "lb").records()] == ["fine"]


def test_paths_in_names_are_refused(store, put):
    with pytest.raises(RefusedError, match="is a path of a machine"):
        published_form(put("/home/jane/net"), Scrubber())
    for name in ("../../../etc/passwd", "a\\..\\b", ".."):
        with pytest.raises(RefusedError, match="is a path"):
            published_form(put(name), Scrubber())
    record = put("net")
    path = Path(record.path) / ERRORS_FILE
    arrays, _ = read_arrays(path)
    text = bytes(arrays["group"]).replace(b"person3", b"/home/j").replace(b"/home/j", b"/ab/cde")
    write_arrays(path, {**arrays, "group": np.frombuffer(text, np.uint8)})
    _relist(Path(record.path))
    with pytest.raises(RefusedError, match="'/ab/cde' of an image or group is a path"):
        published_form(store.records()[-1], Scrubber())


def test_a_check_of_the_run_stays_with_it_and_one_of_the_published_counts_for_that_content_only(store, put, tmp_path):
    record = put("net", 1.0)
    write_verification(record, Verification(key=record.key, subject=subject_of(record), level="predicted again"))
    publish_all(store, tmp_path / "lb")
    [published] = ResultStore(tmp_path / "lb").records()
    assert not (tmp_path / "lb" / "verified").exists()
    write_verification(published, Verification(key=record.key, subject=subject_of(published), level="predicted again"))
    assert verification_of(published).level == "predicted again"
    assert build([published])[0].rows[0].trust == "predicted again"
    page = json.loads(Path(published.path).read_text())
    page["timing"]["train_s"] = 4.0
    Path(published.path).write_text(json.dumps(page))
    [changed] = ResultStore(tmp_path / "lb").records()
    assert verification_of(changed) is None
    assert build([changed])[0].rows[0].trust == "self-reported"


@pytest.mark.skipif(not (LEADERBOARDS / "results").is_dir(), reason="nothing is published in this checkout yet")
def test_the_committed_tables_are_those_of_the_committed_results(tmp_path):
    """To mend: fkbench --runs leaderboards leaderboard --publish leaderboards."""
    records = ResultStore(LEADERBOARDS).records()
    sides = side_boards(records, LEADERBOARDS, pytest.fail)
    boards = build(records)
    made = [path for board in boards for path in write_board(board, tmp_path)]
    made += [path for side in sides for path in write_texts(side.files, side.slug, tmp_path)]
    for path in (*made, write_index(boards, tmp_path, sides)):
        assert (LEADERBOARDS / path.name).read_bytes() == path.read_bytes(), f"{path.name} is out of date"
    ours = {path.name for path in LEADERBOARDS.iterdir() if path.suffix in {".md", ".csv", ".json"}}
    assert ours == {path.name for path in tmp_path.iterdir()}
