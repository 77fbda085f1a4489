"""Published results that do not hold: each is named, the others are dealt with, and the exit code says so."""

from __future__ import annotations

import json

import pytest

from fkbench.cli.main import main


@pytest.fixture
def call(store, capsys):
    """Runs a command line on the runs folder, or on another one: (exit code, stdout, stderr)."""

    def run(*words, runs=None):
        code = main(["--runs", str(runs or store.root), *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


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
