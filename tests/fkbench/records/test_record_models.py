"""The record: keys of the contract, JSON values, rounding, strictness, the published schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fkbench.records import RunRecord, canonical_json, decode, encode, environment, plan_key, rounded
from fkbench.records.schema import schema_text
from fkbench.specs import Recipe

ROOT = Path(__file__).resolve().parents[3]

# The contract's example (DESIGN, records), value for value.
EXAMPLE = {
    "schema": 1, "key": "00aa11bb22cc33dd", "status": "done", "reused": False, "path": "runs/x", "flags": [],
    "model": {"name": "dfk", "parameters": 8615920, "macs": 62300000, "plugin": "fkbench 0.1"},
    "dataset": {"name": "kaggle15", "split": "complete", "fingerprint": "sha256:00",
                "official": {"labels": True, "pixels": True}, "counts": {"train": 1498, "val": 214, "test": 428}},
    "protocol": {"name": "uniform", "version": 1}, "seed": 0, "box": "frame",
    "device": {"type": "cuda", "name": "some GPU"},
    "metrics": {"rmse": 2.1, "rmse_ci": [2.0, 2.2], "mae": 1.5, "nme@inter_ocular": 0.05, "auc@8": 0.4, "fr@8": 0.1},
    "baseline": {"mean-shape": {"rmse": 3.2}},
    "timing": {"version": 1, "train_images_per_s": 0, "train_s": 0, "infer_images_per_s": 0,
               "latency_ms": {"p50": 0, "p90": 0, "p99": 0}, "peak_memory_mib": 0},
}  # fmt: skip


def _contains(whole, part):
    if isinstance(part, dict):
        return all(key in whole and _contains(whole[key], value) for key, value in part.items())
    return whole == part


def test_the_contracts_example_is_read_and_written_with_its_keys_and_nesting():
    written = json.loads(encode(decode(json.dumps(EXAMPLE).encode())))
    assert _contains(written, EXAMPLE)


def test_writing_and_reading_gives_the_same_record(make_record):
    record = make_record(metrics={"rmse": 2.0, "per_point": [1.0, None], "by": {"full": 3.0}}, probe={"loss": 0.5})
    assert decode(encode(record)) == record


def test_numpy_values_tuples_dataclasses_and_numbers_that_are_not_finite_become_json(make_record):
    metrics = {"rmse": np.float32(0.5), "points": np.arange(2.0), "nan": float("nan"), "inf": np.float64("inf")}
    record = make_record(metrics=metrics, model__parameters=np.int64(7), protocol__recipe=Recipe(lr=0.25))
    assert record.metrics == {"rmse": 0.5, "points": [0.0, 1.0], "nan": None, "inf": None}
    assert record.model.parameters == 7
    assert record.protocol.recipe["lr"] == 0.25
    assert record.protocol.recipe["codec"]["kind"] == "canonical"  # type: ignore[index, call-overload]


def test_measured_numbers_are_rounded_to_six_digits_and_settings_are_not(make_record):
    record = make_record(
        metrics={"rmse": 2.123456789, "points": [1234567.89, 1.23456789e-9]},
        baseline={"mean": {"rmse": 3.000000123}},
        timing={"version": 1, "train_s": 12.3456789, "latency_ms": {"p50": 0.000123456789}, "other": 9.87654321},
        protocol__recipe={"lr": 0.123456789},
    )
    page = json.loads(encode(record))
    assert page["metrics"] == {"rmse": 2.12346, "points": [1234570.0, 1.23457e-09]}
    assert page["baseline"]["mean"]["rmse"] == 3.0
    assert page["timing"]["train_s"] == 12.3457
    assert page["timing"]["latency_ms"]["p50"] == 0.000123457
    assert page["timing"]["other"] == 9.87654
    assert page["protocol"]["recipe"]["lr"] == 0.123456789


def test_rounding_twice_changes_nothing():
    values = np.random.default_rng(0).lognormal(0, 20, 500).tolist()
    assert rounded(rounded(values)) == rounded(values)


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"model__colour": "red"},
        {"seed": "0"},
        {"seed": -1},
        {"seed": True},
        {"status": "fine"},
        {"key": "../../etc"},
        {"model__parameters": 1.5},
        {"model__name": ""},
        {"model__name": "x" * 201},
        {"metrics": {"rmse": 10**400}},
        {"metrics": {"x": "\ud800"}},
        {"files": {"../outside": {"bytes": 1, "sha256": "0" * 64}}},
    ],
    ids=str,
)
def test_what_is_no_record_is_refused(page, change):
    with pytest.raises(ValidationError):
        RunRecord.model_validate(page(**change))


def test_a_record_cannot_be_changed(make_record):
    with pytest.raises(ValidationError):
        make_record().seed = 3


def test_a_metric_that_is_no_number_reads_as_none(make_record):
    record = make_record(metrics={"rmse": 1, "list": [1.0], "null": None, "flag": True})
    assert [record.metric(name) for name in ("rmse", "list", "null", "flag", "absent")] == [1.0, None, None, None, None]


def test_plan_key_is_that_of_sorted_compact_json_and_tells_values_apart():
    plan = {"b": [1, 2.5], "a": {"y": None, "x": "é"}}
    assert canonical_json(plan) == '{"a":{"x":"é","y":null},"b":[1,2.5]}'
    assert plan_key(plan) == plan_key({"a": {"x": "é", "y": None}, "b": (1, np.float64(2.5))})
    assert len(plan_key(plan)) == 16
    others = [{"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": True}, {"a": None}, {"b": 1}, {"a": [1]}, {"a": 1 + 2**-52}]
    assert len({plan_key(other) for other in others}) == len(others)
    assert plan_key({}) == "44136fa355b3678a"  # SHA-256 of `{}`, a known value


def test_plan_key_refuses_what_has_no_json_form():
    with pytest.raises(TypeError):
        plan_key({"net": object()})


def test_the_published_schema_is_that_of_the_code():
    published = (ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8")
    remedy = "regenerate it: python -m fkbench.records.schema > docs/record.schema.json"
    assert json.loads(published) == json.loads(schema_text()), remedy


def test_the_environment_names_versions_and_no_user_or_path():
    found = environment(threads=2)
    assert found.versions["numpy"] == np.__version__
    assert found.threads == 2
    assert found.python
    assert found.platform
    assert found.cpu
    text = found.model_dump_json()
    assert str(Path.home()) not in text or Path.home() == Path("/")
    assert str(ROOT) not in text


def test_the_commit_is_that_of_the_folder_itself_never_of_one_above(tmp_path):
    from fkbench.records.environment import git_state

    def git(*arguments):
        options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *options, *arguments], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "-q", "-m", "a")
    commit, dirty = git_state(tmp_path)
    assert commit is not None
    assert len(commit) == 40
    assert dirty is False
    (tmp_path / "a").write_text("b")
    assert git_state(tmp_path) == (commit, True)
    (tmp_path / "inner").mkdir()
    assert git_state(tmp_path / "inner") == (None, None)


def test_records_and_leaderboard_import_no_torch_pandas_or_cv2():
    code = (
        "import sys, fkbench.records, fkbench.boards;"
        "print([m for m in ('torch', 'pandas', 'cv2', 'sklearn', 'scipy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
