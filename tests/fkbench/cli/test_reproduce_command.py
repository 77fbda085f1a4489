"""`fkbench reproduce` on a small net: the same numbers again, a faked result that is not, published folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fkbench.cli.main import main
from fkbench.cli.reproduce import _verdict
from fkbench.publishing.arithmetic import metrics_of
from fkbench.publishing.reproducing import Drift
from fkbench.records import ERRORS_FILE, ResultStore, RunStore, read_errors, verification_of, write_errors

TINY = """
import fkbench
from torch import nn

@fkbench.model("tinynet", input=(1, 32))
def tinynet(channels: int, size: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, outputs))
"""
FEW = ["--set", "dataset.count=60", "--set", "batch=16", "--set", "images_seen=64"]


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    """Runs a command line in a folder with the net: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.py").write_text(TINY)

    def run(*words, runs="runs"):
        code = main(["--data", "data", "--runs", runs, *map(str, words)])
        return code, *capsys.readouterr()

    return run


def fake(store: RunStore, key: str) -> None:
    """A result that nobody has trained: every error a tenth, all numbers fitting to one another."""
    record = store.find(key)
    folder = Path(record.path)
    errors = read_errors(folder / ERRORS_FILE)
    for name in ("sum_sq", "sum_sq_x", "sum_sq_y", "point_sum_sq"):
        object.__setattr__(errors, name, getattr(errors, name) / 100)
    write_errors(folder / ERRORS_FILE, errors)
    (folder / "predictions.safetensors").unlink()
    (folder / "verification.json").unlink()
    known = metrics_of(errors)[0]
    store.write(record.model_copy(update={"metrics": {**record.metrics, **known}}), folder)


@pytest.mark.slow
def test_a_result_is_trained_again_and_a_faked_one_is_found_out(call, tmp_path):
    smoke = ["--dataset", "synthetic15", "--protocol", "smoke", *FEW]
    assert call("run", "--model", "tiny.py", *smoke)[0] == 0
    store = RunStore(tmp_path / "runs")
    (record,) = (one for one in store.records() if one.model.name == "tinynet")
    before = (Path(record.path) / "record.json").read_bytes()

    code, out, err = call("--plugin", "tiny.py", "reproduce", "tinynet@synthetic15", "--json")
    assert code == 0, err
    page = json.loads(out)
    assert (page["reproduced"], page["rule"], page["differences"]) == (True, "exact", [])
    assert page["runs"][0]["key"] == record.key
    assert (Path(record.path) / "record.json").read_bytes() == before
    assert verification_of(record).level == "reproduced"
    assert call("verify", record.key)[0] == 0
    assert verification_of(record).level == "reproduced"

    assert call("leaderboard", "--publish", "lb", "--only", record.key)[0] == 0
    (published,) = ResultStore(tmp_path / "lb").records()
    again = ["--plugin", "tiny.py", "reproduce", record.key]
    code, out, err = call(*again, runs="lb")  # that training was made for the run; the published form is another result
    assert (code, out) == (2, "")
    assert "was not trained for this result" in err
    code, out, err = call(*again, "--force", runs="lb")
    assert code == 0, err
    assert "the same seed gives the same numbers" in out
    assert "Trained by an earlier call" not in err
    assert verification_of(published) is None
    code, out, err = call(*again, "--store", runs="lb")
    assert code == 0
    assert "Trained by an earlier call" in err
    assert verification_of(published).level == "reproduced"

    fake(store, record.key)
    code, out, err = call(*again, "--force")
    assert code == 1
    assert "not decided" in out
    assert "should have given the same numbers" in err
    code, out, err = call(*again, "--seeds", "3")
    assert code == 1, out
    assert "not reproduced" in out
    assert verification_of(store.find(record.key)) is None


def test_what_is_not_decided_says_why_and_how_many_seeds_help():
    pages = {
        ("exact", None, 0): ("the spread of seeds is not known", "--seeds 2 "),
        ("exact", None, 2): ("its row has 2 other seeds, and fewer than 3", "--seeds 2 "),
        ("recorded seeds", 0.4, 3): ("±0.4 px, more than 10 % of the rmse", "--seeds 2 "),
        ("trained here", 0.4, 0): ("±0.4 px, more than 10 % of the rmse", "--seeds 6 "),
    }
    for (rule, limit, others), said in pages.items():
        own = (2.1, 2.0, 1.9) if rule == "trained here" else (2.1,)
        found = Drift("rmse", 2.0, 2.1, own, rule, 0.1, 0.1, limit)
        text = _verdict(found, {"seeds": {"recorded_others": others}})
        assert text.startswith("not decided: ")
        assert all(part in text for part in said), text


def test_a_published_result_is_not_held_against_the_run_that_it_comes_from(call, tmp_path):
    smoke = ["--dataset", "synthetic15", "--protocol", "smoke", *FEW]
    assert call("run", "--model", "tiny.py", *smoke)[0] == 0
    (key,) = (one.key for one in RunStore(tmp_path / "runs").records() if one.model.name == "tinynet")
    assert call("leaderboard", "--publish", "lb", "--only", key)[0] == 0
    code, out, err = call("--plugin", "tiny.py", "reproduce", key, "--into", "runs", "--store", runs="lb")
    assert (code, out) == (2, "")
    assert "'runs' holds runs that `fkbench reproduce` has not made" in err

    # Nor is a training that was made for another result, and then published itself.
    assert call("--plugin", "tiny.py", "reproduce", key)[0] == 0
    assert call("leaderboard", "--publish", "lb2", "--only", key, runs="reproduced")[0] == 0
    code, out, err = call("--plugin", "tiny.py", "reproduce", key, "--store", runs="lb2")
    assert (code, out) == (2, "")
    assert "was not trained for this result" in err
    (published,) = ResultStore(tmp_path / "lb2").records()
    assert verification_of(published) is None or verification_of(published).level != "reproduced"


def test_wrong_use_is_one_line(call, tmp_path):
    assert call("run", "--model", "mean-shape", "--dataset", "synthetic15", "--set", "dataset.count=60")[0] == 0
    key = RunStore(tmp_path / "runs").records()[0].key
    for words, said in (
        (["nothing"], "Unknown run 'nothing'"),
        ([key, "--seeds", "-1"], "must not be negative"),
        ([key, "--into", "runs"], "The result itself lies in 'runs'"),
        ([key, "--device", "abacus"], "abacus"),
    ):
        code, out, err = call("reproduce", *words)
        assert (code, out) == (2, "")
        assert said in err
        assert "Traceback" not in err
    code, out, _ = call("reproduce", key, "--seeds", "2", "--json")
    assert code == 0
    page = json.loads(out)
    assert page["seeds"]["trained_here"] == [0]
    record_file = next((tmp_path / "runs").rglob("record.json"))
    text = record_file.read_text()
    record_file.write_text(text.replace('"rmse": ', '"rmse": 1'))
    code, _, err = call("reproduce", key)
    assert code == 1
    assert "its own numbers do not fit" in err
