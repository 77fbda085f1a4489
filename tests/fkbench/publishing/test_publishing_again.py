"""Results that come to a published folder again, or otherwise: repeats, conflicts, other devices, checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from published_folder import content, publish_all

from fkbench.boards import build
from fkbench.records import (
    ERRORS_FILE,
    ResultStore,
    Verification,
    subject_of,
    verification_of,
    write_verification,
)


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


def test_where_the_plain_name_is_free_again_another_outcome_of_the_second_device_is_a_conflict_still(
    store, put, tmp_path
):
    put("net", 1.0)
    publish_all(store, tmp_path / "lb")
    put("net", 1.5, device={"type": "cpu", "name": "Other CPU"})
    [own] = publish_all(store, tmp_path / "lb").apart
    for path in own.parent.glob("*"):  # what the first device published was found to be wrong, and is removed
        if not path.name.startswith(own.stem):
            path.unlink()
    put("net", 2.5, device={"type": "cpu", "name": "Other CPU"})
    done = publish_all(store, tmp_path / "lb")
    assert (len(done.conflicts), done.written, done.apart) == (1, [], [])
    assert len(ResultStore(tmp_path / "lb").records()) == 1


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
