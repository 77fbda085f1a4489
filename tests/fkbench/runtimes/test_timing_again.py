"""`fkbench time RUN --again`: a session that did not count is repeated into the run's record, one that counts stays."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fkbench.boards.speed import speed_of
from fkbench.cli.main import main
from fkbench.publishing.differences import better_measured, kind_of
from fkbench.records import RunRecord, RunStore
from fkbench.records.locks import run_lock
from fkbench.records.pages import RECORD_FILE, encode, read_record
from fkbench.runner.loading import weights_file
from fkbench.runtimes import again
from fkbench.timing import results, session
from fkbench.timing.plan import QUICK


class Copy:
    """The finished runs in folders of the test's own."""

    def __init__(self, place, root: Path) -> None:
        self.place, self.runs = place, root / "runs"
        shutil.copytree(place.root / "runs", self.runs)

    def record(self, key: str) -> RunRecord:
        return RunStore(self.runs).find(key)

    def change(self, key: str, **parts: object) -> RunRecord:
        """Write the record of a run with other parts."""
        record = self.record(key)
        folder = Path(record.path)
        (folder / RECORD_FILE).write_bytes(encode(RunRecord.model_validate(record.to_json() | parts)))
        return read_record(folder)

    def time(self, *words: str) -> int:
        place = self.place
        return main(["--data", str(place.root / "data"), "--runs", str(self.runs), "--plugin", str(place.model),
                     "time", *words])  # fmt: skip


@pytest.fixture
def copy(place, tmp_path) -> Copy:
    return Copy(place, tmp_path)


@pytest.fixture
def quiet(monkeypatch):
    """Sessions under the contract that are over at once, on a machine that counts as quiet whatever it does."""
    monkeypatch.setattr(session, "FULL", replace(QUICK, calls=20, repetitions=3, repetition_s=0.001, control_s=0.001))
    for module in (session, results):
        monkeypatch.setattr(module, "DRIFT_LIMIT", math.inf)


@pytest.mark.parametrize("which", ["net", "mean"])
def test_a_session_that_counts_takes_the_place_of_one_that_does_not(place, copy, quiet, capsys, which):
    key = getattr(place, which).key
    before = copy.record(key)
    before = copy.change(key, timing=before.to_json()["timing"] | {"void": True, "trained_at_once": 3, "odd": 1})
    assert speed_of([before]).session == "void"
    (Path(before.path) / "timing-0123456789abcdef.json").write_text("{}")  # what came later is not listed as the run's
    assert copy.time(key, "--again") == 0
    assert "in the record now" in capsys.readouterr().out
    after = copy.record(key)
    assert speed_of([after]).session == "full"
    then, now = before.to_json()["timing"], after.to_json()["timing"]
    for name in ("train_s", "train_images_per_s", "train_images", "trained_at_once"):
        assert now[name] == then[name]
    assert "odd" not in now
    assert now["again"]["environment"]["threads"] == before.device.threads
    assert now["threads"]["intra_op"] == before.device.threads
    assert {**after.to_json(), "timing": None} == {**before.to_json(), "timing": None}
    # To those who publish, it is the same result, better measured.
    assert kind_of(before, after) == "repeat"
    assert better_measured(before, after) is after


def test_one_that_counts_is_not_repeated_until_it_pleases(place, copy, quiet, capsys):
    key = place.net.key
    assert copy.time(key, "--again", "--json") == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["run"], page["kept"], page["timing"]["quick"]) == (key, True, False)
    stored = (Path(copy.record(key).path) / RECORD_FILE).read_bytes()
    assert copy.time(key, "--again") == 2
    assert "luckiest" in capsys.readouterr().err
    assert (Path(copy.record(key).path) / RECORD_FILE).read_bytes() == stored


def test_one_that_is_void_again_is_shown_and_not_kept(place, copy, quiet, monkeypatch, capsys):
    monkeypatch.setattr(results, "DRIFT_LIMIT", -1.0)
    key = place.net.key
    stored = (Path(copy.record(key).path) / RECORD_FILE).read_bytes()
    assert copy.time(key, "--again") == 1
    said = capsys.readouterr()
    assert "void: the control net drifted" in said.out
    assert "the record stays as it is" in said.err
    assert (Path(copy.record(key).path) / RECORD_FILE).read_bytes() == stored


def test_the_threads_and_the_layout_are_those_of_the_run(place, copy, quiet, monkeypatch):
    seen = []
    real = again.time_run

    def watched(predictor, *parts, quick):
        weight = next(one for one in predictor.net.parameters() if one.dim() == 4)
        seen.append((torch.get_num_threads(), weight.is_contiguous(), quick))
        return real(predictor, *parts, quick=quick)

    monkeypatch.setattr(again, "time_run", watched)
    before, key = torch.get_num_threads(), place.net.key
    device = copy.record(key).to_json()["device"]
    copy.change(key, device=device | {"threads": before + 1, "layout": "contiguous_format"})
    assert copy.time(key, "--again") == 0
    assert seen == [(before + 1, True, False)]
    assert torch.get_num_threads() == before


def test_what_would_be_of_another_machine_or_another_model_is_refused(place, copy, quiet, monkeypatch, capsys):
    net, mean = place.net.key, place.mean.key
    device = copy.record(net).to_json()["device"]
    copy.change(net, device=device | {"name": "A faster processor"})
    assert copy.time(net, "--again") == 2
    assert "A faster processor" in capsys.readouterr().err
    weights = weights_file(copy.change(net, device=device))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    assert copy.time(net, "--again") == 2
    assert "not the file of its record" in capsys.readouterr().err
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    history = weights.with_name("history.csv")
    whole = history.read_bytes()
    history.write_bytes(whole + b"1,2,3\n")
    assert copy.time(net, "--again") == 2
    assert "'history.csv' of run" in capsys.readouterr().err
    history.write_bytes(whole)
    with run_lock(weights.parent):
        assert copy.time(net, "--again") == 2
    assert "is running" in capsys.readouterr().err
    device = copy.record(mean).to_json()["device"]
    copy.change(mean, device=device | {"threads": 77})
    assert copy.time(mean, "--again") == 2
    assert "OMP_NUM_THREADS=77" in capsys.readouterr().err
    monkeypatch.setattr(again, "stands", lambda *parts: False)
    assert copy.time(net, "--again") == 2
    assert "has changed since" in capsys.readouterr().err
    copy.change(net, status="failed", reason="it broke", device=device)
    assert copy.time(net, "--again") == 2
    assert "it broke" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--quick"], ["--no-train"], ["--batch", "4"], ["--runtime", "bf16"]])
def test_it_repeats_the_runs_own_session_and_nothing_else(place, copy, capsys, words):
    assert copy.time(place.net.key, "--again", *words) == 2
    assert "goes with RUN" in capsys.readouterr().err


def test_an_untrained_net_has_no_session_to_repeat(place, copy, capsys):
    assert copy.time("--model", str(place.model), "--again") == 2
    assert "goes with RUN" in capsys.readouterr().err
