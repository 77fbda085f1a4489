"""Published results that do not hold: each is named, the others are dealt with, and the exit code says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def _forge(stem):
    page = json.loads(stem.with_name(f"{stem.name}.json").read_text())
    page["metrics"]["rmse"] = 0.1
    stem.with_name(f"{stem.name}.json").write_text(json.dumps(page))


DAMAGE = {
    "errors.safetensors": lambda file: file.write_bytes(file.read_bytes()[:50]),
    "predictions.safetensors": lambda file: file.unlink(),
    "history.csv": lambda file: file.unlink(),
    "json": lambda file: _forge(file.with_suffix("")),
}


@pytest.mark.parametrize("ending", DAMAGE)
def test_making_tables_again_names_what_does_not_hold_and_is_exit_code_1(call, put, tmp_path, ending):
    lb, record = tmp_path / "lb", put("net", 2.0)
    assert call("leaderboard", "--publish", lb)[0] == 0
    [file] = (lb / "results").glob(f"*/net-*.{ending}")
    DAMAGE[ending](file)
    code, _, err = call("leaderboard", "--publish", lb, runs=lb)
    assert code == 1
    [line] = [line for line in err.splitlines() if line.startswith("Refused")]
    assert record.key in line
    assert "rmse" in line if ending == "json" else ending in line


@pytest.mark.parametrize("inside", ["runs", "runs/lb", "."])
def test_runs_and_what_is_published_are_folders_apart(call, put, store, tmp_path, inside):
    put("net", 2.0)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("leaderboard", "--publish", tmp_path / inside)
    assert (code, out) == (2, "")
    assert "--publish leaderboards" in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("published", [False, True])
def test_a_damaged_seed_of_a_model_that_is_named_has_failed(call, three, put, tmp_path, published):
    put("other", 1.0)
    file, runs = Path(three[1].path) / "record.json", None
    if published:
        runs = tmp_path / "lb"
        call("leaderboard", "--publish", runs)
        [file] = (runs / "results").glob(f"*/net-{three[1].key}.json")
    file.write_text(file.read_text()[:100])
    where = {"runs": runs} if runs else {}
    code, out, err = call("verify", "net@faces", **where)
    assert (code, out.splitlines()[-1]) == (1, "3 results: 2 checked, 1 failed")
    assert str(file) in err
    assert call("verify", "other@faces", **where)[0] == 0  # whose results can all be read


@pytest.fixture
def three(put):
    return [put("net", 2.0, seed) for seed in range(3)]


def test_results_that_hold_have_a_line_each_and_a_summary_and_one_alone_has_all_metrics(call, three):
    code, out, err = call("verify", "--all")
    lines = out.splitlines()
    assert (code, len(lines), lines[-1]) == (0, 4, "3 results: 3 checked, 0 failed")
    assert all(line.endswith(": arithmetic checked (errors only)") for line in lines[:-1])
    assert err.count("not registered here") == 1
    out = call("verify", three[0].key)[1]
    assert "rmse_native" in out
    assert "results:" not in out
    assert sorted(call("verify", "net@faces")[1].splitlines()) == sorted(lines)


def test_runs_that_did_not_finish_are_noted_and_alone_no_failure(call, put, tmp_path):
    failed = {"status": "failed", "reason": "NaN", "metrics": {}, "timing": None}
    put("net", 2.0, 7, **failed)
    code, out, err = call("verify", "--all")
    assert (code, out) == (0, "")
    assert "1 run that did not finish" in err
    assert call("leaderboard", "--publish", tmp_path / "lb")[0] == 0
    assert call("verify", "--all", "--no-store", runs=tmp_path / "lb")[0] == 0
    put("net", 2.0, 0)
    code, out, _ = call("verify", "--all")
    assert (code, out.count("arithmetic checked")) == (0, 1)
    assert call("verify", "--all", runs=tmp_path / "nothing")[0] == 2


def test_files_that_are_gone_or_damaged_are_named_and_the_others_checked(call, three):
    (Path(three[0].path) / "errors.safetensors").write_bytes(b"short")
    (Path(three[1].path) / "predictions.safetensors").unlink()
    code, out, err = call("verify", *(record.key for record in three))
    assert code == 1
    assert out.splitlines()[-1] == "3 results: 1 checked, 2 failed"
    assert "errors.safetensors: 'errors.safetensors' is damaged" in err
    assert "predictions.safetensors: it is listed, and there is no file 'predictions.safetensors'" in err
    assert call("verify", three[1].key)[0] == 1
    rows = json.loads(call("leaderboard", "--json")[1])["boards"][0]["rows"]
    assert [row["trust"] for row in rows] == ["check failed"]


@pytest.mark.parametrize("named", [False, True])
def test_a_record_that_cannot_be_read_is_named_once_and_the_others_are_checked(call, three, named):
    (Path(three[0].path) / "record.json").write_text("{")
    code, out, err = call("verify", *([record.path for record in three] if named else ["--all"]))
    assert (code, out.splitlines()[-1]) == (1, "3 results: 2 checked, 1 failed")
    assert err.count("Damaged") == err.count(three[0].key) == 1
    assert err.count("run it again") <= 1
    code, _, err = call("verify", three[1].key, three[2].key)
    assert (code, err.count("Damaged")) == (0, 1)
    page = json.loads(call("verify", "--all", "--json")[1])
    assert (page["failed"], len(page["damaged"]), len(page["results"])) == (1, 1, 2)
