"""Shards of several people: what goes together, what is in conflict, what is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from fkbench.cli.main import main
from fkbench.errors import FkbenchError
from fkbench.publishing import Scrubber, merge, publish, rebuild
from fkbench.records import RECORD_FILE, ResultStore, RunStore, Verification, subject_of, write_verification


@pytest.fixture
def two(tmp_path):
    return RunStore(tmp_path / "a"), RunStore(tmp_path / "b")


def merged(tmp_path, *stores, name="out", **options):
    done = merge([store.root for store in stores], tmp_path / name, **options)
    return done, ResultStore(tmp_path / name).records()


@pytest.mark.parametrize(("seeds", "said"), [(1, "1 record read, 1 result in "), (2, "2 records read, 2 results in ")])
def test_the_command_counts_in_singular_and_plural(two, put_in, tmp_path, capsys, seeds, said):
    for seed in range(seeds):
        put_in(two[0], "mine", 1.0, seed)
    assert main(["merge", str(two[0].root), "--out", str(tmp_path / "out")]) == 0
    assert said in capsys.readouterr().err


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_runs_and_published_folders_go_together_in_any_order(two, put_in, tmp_path):
    a, b = two
    for seed in range(3):
        put_in(a, "mine", 1.0, seed)
        put_in(b, "yours", 2.0, seed)
    put_in(a, "base", 3.0)
    put_in(b, "base", 3.0)
    publish(b.records(), tmp_path / "published", Scrubber())
    done, records = merged(tmp_path, a, RunStore(tmp_path / "published"))
    assert (len(records), done.results, done.added.conflicts) == (7, 7, [])
    merged(tmp_path, b, a, name="other way")
    rebuild(tmp_path / "out")
    rebuild(tmp_path / "other way")
    assert content(tmp_path / "out") == content(tmp_path / "other way")


def test_a_conflict_names_its_fields_and_takes_neither_unless_said(two, put_in, tmp_path):
    a, b = two
    key = put_in(a, "net", 1.0).key
    put_in(b, "net", 2.0, key=key)
    put_in(b, "other", 1.0)
    done, records = merged(tmp_path, a, b)
    assert [record.model.name for record in records] == ["other"]
    [clash] = done.added.conflicts
    assert clash.kept is None
    assert "metrics.rmse" in {one.field for one in clash.fields}
    for keep, low, high in (("first", 0.8, 1.2), ("last", 1.7, 2.3)):
        done, records = merged(tmp_path, a, b, name=keep, keep=keep)
        [net] = [record for record in records if record.model.name == "net"]
        assert low < net.metric("rmse") < high
        assert done.added.conflicts[0].kept is not None


def test_a_conflict_shows_the_rmse_first_and_each_value_with_its_folder(two, put_in, tmp_path, capsys):
    a, b = two
    key = put_in(a, "net", 1.0).key
    put_in(b, "net", 2.0, key=key)
    for keep in ("neither", "first", "last"):
        done = merge([a.root, b.root], keep=keep)
        [clash] = done.added.conflicts
        assert (str(a.root) in clash.first, str(b.root) in clash.other) == (True, True)
        assert clash.kept == {"neither": None, "first": clash.first, "last": clash.other}[keep]
        fields = [one.field for one in clash.fields]
        assert fields[:3] == ["metrics.rmse", "metrics.mae", "metrics.nme@inter_ocular"]
        assert float(clash.fields[0].first) < 1.5 < float(clash.fields[0].second)
        main(["merge", str(a.root), str(b.root), "--keep", keep])
        text = capsys.readouterr().err
        assert f"metrics.rmse: first {clash.fields[0].first}, other {clash.fields[0].second}" in text
        assert f"kept: {'other' if keep == 'last' else keep}" in text


def test_a_conflict_with_what_is_published_is_exit_code_1_whatever_is_to_be_kept(two, put_in, tmp_path, capsys):
    a, b = two
    key = put_in(a, "net", 1.0).key
    merged(tmp_path, a)
    before = content(tmp_path / "out" / "results")
    put_in(b, "net", 2.0, key=key)
    for keep in ("neither", "first", "last"):
        assert main(["merge", str(b.root), "--out", str(tmp_path / "out"), "--keep", keep]) == 1
        text = capsys.readouterr().err
        assert "kept: published" in text
        assert "What was there stays." in text
        assert "--replace" in text
    assert content(tmp_path / "out" / "results") == before


@pytest.mark.parametrize(
    ("quick", "why"),
    [
        (True, "the fuller timing is kept (full, not quick): 7 images/s, not 5 images/s"),
        (False, "equal timing (full), chosen by content: 5 images/s, not 7 images/s"),
    ],
)
def test_why_one_of_two_repeats_is_kept_is_said(two, put_in, tmp_path, capsys, quick, why):
    a, b = two
    put_in(a, "net", 1.0, timing={"version": 1, "infer_images_per_s": 5.0, "quick": quick})
    put_in(b, "net", 1.0, timing={"version": 1, "infer_images_per_s": 7.0, "quick": False})
    best = str((b if quick else a).root)
    for stores in ((a, b), (b, a)):
        [clash] = merge([store.root for store in stores]).added.repeats
        assert (clash.why, clash.kept.startswith(best), str(stores[0].root) in clash.first) == (why, True, True)
        assert main(["merge", *(str(store.root) for store in stores)]) == 0
        assert f"Measured twice: {clash.kept} is kept" in capsys.readouterr().err
    merged(tmp_path, a)  # against what is published: the same one is kept
    done, [record] = merged(tmp_path, b)
    assert done.added.repeats[0].why == why
    assert record.timing.infer_images_per_s == (7.0 if quick else 5.0)


def test_repeats_take_the_fuller_timing_whatever_the_order(two, put_in, tmp_path):
    a, b = two
    put_in(a, "net", 1.0, timing={"version": 1, "infer_images_per_s": 5.0, "quick": True})
    put_in(b, "net", 1.0, timing={"version": 1, "infer_images_per_s": 7.0})
    for name, stores in (("ab", (a, b)), ("ba", (b, a))):
        done, [record] = merged(tmp_path, *stores, name=name)
        assert record.timing.infer_images_per_s == 7.0
        assert (len(done.added.repeats), done.added.conflicts) == (1, [])
    assert content(tmp_path / "ab") == content(tmp_path / "ba")


def test_other_devices_are_kept_apart_and_named(two, put_in, tmp_path):
    a, b = two
    put_in(a, "net", 1.0)
    put_in(b, "net", 1.2, device={"type": "cpu", "name": "Other"})
    done, records = merged(tmp_path, a, b)
    assert {record.device.name for record in records} == {"CPU", "Other"}
    assert [len(group) for group in done.devices] == [2]


def test_damaged_and_refused_records_are_named_and_the_rest_goes_on(two, put_in, tmp_path):
    a, b = two
    put_in(a, "net", 1.0)
    damaged, refused = put_in(b, "x", 1.0), put_in(b, "y", 1.0)
    (Path(damaged.path) / RECORD_FILE).write_text('{"schema": 1, "key": "<script>"}')
    (Path(refused.path) / "predictions.safetensors").unlink()
    done, records = merged(tmp_path, a, b)
    assert [record.model.name for record in records] == ["net"]
    assert damaged.path in done.damaged[0]
    assert list(done.added.refused) == [refused.path]


def test_what_a_shard_says_about_its_checks_is_not_taken_over(two, put_in, tmp_path):
    a, b = two
    record = put_in(a, "net", 1.0)
    put_in(b, "other", 1.0)
    write_verification(record, Verification(key=record.key, subject=subject_of(record), level="reproduced"))
    merged(tmp_path, a, b)
    assert not (tmp_path / "out" / "verified").exists()


def test_what_the_target_holds_stays(two, put_in, tmp_path):
    a, b = two
    key = put_in(a, "net", 1.0).key
    merged(tmp_path, a)
    before = content(tmp_path / "out")
    put_in(b, "net", 2.0, key=key)
    done, _ = merged(tmp_path, b, keep="first")
    assert content(tmp_path / "out") == before
    assert len(done.added.conflicts) == 1


def test_without_a_target_nothing_is_written(two, put_in, tmp_path):
    a, _ = two
    put_in(a, "net", 1.0)
    before = set(tmp_path.rglob("*"))
    assert merge([a.root]).results == 1
    assert set(tmp_path.rglob("*")) == before


def test_bad_folders_and_words_are_clear_errors(two, put_in, tmp_path):
    a, _ = two
    put_in(a, "net", 1.0)
    (tmp_path / "empty").mkdir()
    for folders, out, keep, message in (
        ([tmp_path / "no"], None, "neither", "There is no folder"),
        ([tmp_path / "empty"], None, "neither", "There are no results"),
        ([a.root], a.root, "neither", "is --out, too"),
        ([a.root], None, "newest", "'newest' is unknown"),
    ):
        with pytest.raises(FkbenchError, match=message):
            merge(folders, out, keep)
