"""`fkbench time` from the command line to the files beside the record, and its refusals."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fkbench.cli.main import main
from fkbench.registry import load_registry
from fkbench.runtimes import open_run, time_runtime, training
from fkbench.runtimes.choosing import choose_runtimes
from fkbench.runtimes.pages import read_page, timing_key, write_page
from fkbench.specs import RuntimeSpec
from fkbench.timing import peaks, session
from fkbench.timing.plan import QUICK

CPU = torch.device("cpu")
KEYS = ("flags", "timings", "training", "not_timed", "files", "device", "precision")


def test_a_run_is_timed_under_each_runtime_and_its_pages_lie_beside_the_record(place, capsys):
    words = ["time", place.net.key, "--runtime", "eager,bf16", "--batch", "4,1", "--quick", "--json"]
    assert main(place.words(*words)) == 0
    page = json.loads(capsys.readouterr().out)
    assert set(KEYS) <= set(page)
    assert page["flags"] == []
    plain, half = page["timings"]
    assert (plain["runtime"], half["runtime"]) == ("eager", "bf16")
    assert (plain["precision"], half["precision"]) == ("fp32", "bf16")
    assert [row["batch"] for row in plain["sweep"]] == [1, 4]
    assert plain["deviation"]["max_px"] < 1e-3 < half["deviation"]["max_px"] < 1.0
    assert plain["deviation"]["rmse"] == pytest.approx(place.net.metric("rmse"), rel=1e-4)
    assert half["deviation"]["rmse"] != half["deviation"]["rmse_fp32"]
    assert page["training"]["epoch_s"] > 0
    assert page["training"]["batch"] == 16
    files = [Path(file) for file in page["files"]]
    assert all(file.parent == Path(place.net.path) for file in files)
    written = json.loads(files[1].read_text())
    assert files[1].name == f"timing-{written['key']}.json"
    assert (written["run"], written["runtime"], written["timing_version"]) == (place.net.key, "bf16", 1)
    assert written["weights"] != "untrained"


def test_a_net_without_a_run_is_marked_and_leaves_no_file(place, capsys, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    words = ["time", "--model", str(place.model), "--set", "dataset.count=60", "--quick", "--batch", "2", "--no-train"]
    assert main(place.words(*words, "--json")) == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["flags"], page["files"], page["training"], page["run"]) == (["untrained"], [], None, None)
    assert "rmse" not in page["timings"][0]["deviation"]
    assert not torch.backends.cudnn.allow_tf32  # as in a run: in float32 on a GPU too
    assert main(place.words(*words)) == 0
    shown = capsys.readouterr().out
    assert "untrained" in shown
    assert "never ranked" in shown


@pytest.fixture
def short(monkeypatch):
    """Sessions that count, and are over at once; peaks that are measured on little."""
    monkeypatch.setattr(session, "FULL", replace(QUICK, calls=20, repetitions=3, repetition_s=0.001, control_s=0.001))
    monkeypatch.setattr(training, "BLOCKS", 2)
    monkeypatch.setattr(training, "BLOCK_S", 0.01)
    monkeypatch.setattr(peaks, "SIDES", (64,))
    monkeypatch.setattr(peaks, "buffer_bytes", lambda device: 2**20)


def test_floors_stand_beside_latency_throughput_and_training_step(place, capsys, short):
    words = place.words("time", place.net.key, "--runtime", "eager,bf16", "--batch", "1,4")
    assert main([*words, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    for timing in page["timings"]:
        least = timing["floors"]
        assert set(least) == {"peak", "latency", "throughput"}
        assert least["peak"]["precision"] == timing["precision"]
        assert least["throughput"]["batch"] == timing["batch"]
        assert least["latency"]["operations"] == 2 * timing["macs"]
        assert least["latency"]["measured_ms"] == pytest.approx(timing["latency_ms"]["p50"])
        many = timing["batch"] / timing["infer_images_per_s"]
        assert least["throughput"]["measured_ms"] == pytest.approx(1000 * many)
    assert set(page["training"]["floors"]) == {"peak", "step"}
    step = page["training"]["floors"]["step"]
    assert step["operations"] == 3 * 2 * page["timings"][0]["macs"] * page["training"]["batch"]
    assert step["measured_ms"] == pytest.approx(page["training"]["step_ms"])
    for row in (step, *(timing["floors"][name] for timing in page["timings"] for name in ("latency", "throughput"))):
        larger = max(row["operations_ms"], row["bytes_ms"])
        assert row[f"{row['larger']}_ms"] == larger > 0
        assert row["times"] == pytest.approx(row["measured_ms"] / larger)
    written = [json.loads(Path(file).read_text()) for file in page["files"]]
    assert [one["timing"]["floors"]["peak"]["precision"] for one in written] == ["fp32", "bf16"]
    assert main([*words, "--no-train"]) == 0
    shown = capsys.readouterr().out
    assert "floors, ms" in shown
    assert re.search(r"bf16, batch 1 .*\d × (bytes|operations)", shown)
    assert "peaks at fp32" in shown
    assert "training, batch" not in shown


def test_short_sessions_state_no_floors(place, capsys, monkeypatch):
    monkeypatch.setattr(peaks.Peaks, "at", lambda self, precision: pytest.fail("peaks were measured"))
    words = place.words("time", place.net.key, "--quick", "--batch", "1")
    assert main([*words, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["timings"][0]["floors"] is None
    assert page["training"]["floors"] is None
    assert main(words) == 0
    assert "floor" not in capsys.readouterr().out


def test_a_predictor_that_is_no_net_is_timed_by_its_own_code(place, capsys):
    assert main(place.words("time", place.mean.key, "--quick", "--batch", "2", "--json")) == 0
    page = json.loads(capsys.readouterr().out)
    assert [timing["runtime"] for timing in page["timings"]] == ["own"]
    assert page["timings"][0]["floors"] is None
    assert page["training"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing to time"),
        (["KEY", "--model", "dfk"], "not both"),
        (["KEY", "--protocol", "article"], "its own data"),
        (["KEY", "--set", "dataset.count=3"], "its own data"),
        (["KEY", "--batch", "1,x"], "whole numbers"),
        (["KEY", "--batch", "0"], "1 to 65536"),
        (["KEY", "--runtime", "eagre"], "Did you mean eager"),
        (["KEY", "--runtime", ","], "names no runtime"),
        (["KEY", "--device", "tpu"], "not a device"),
        (["zz"], "Unknown run"),
        (["--model", "mean-shape"], "no net"),
        (["--model", "dfk", "--set", "dataset.cuont=3"], "cuont"),
    ],
)
def test_bad_use_is_said_in_a_line_with_a_remedy(place, capsys, words, said):
    words = [place.net.key if word == "KEY" else word for word in words]
    assert main(place.words("time", *words)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert said in " ".join(lines)
    assert len(lines) >= 2


def test_all_runtimes_put_the_plain_one_first_and_say_why_others_are_missing(monkeypatch):
    registry = load_registry()
    specs, missing = choose_runtimes(registry, "all", "cpu")
    assert specs[0].name == "eager"
    assert missing["cuda-graph"]
    assert {spec.name for spec in specs} | set(missing) == {spec.name for spec in registry.all(RuntimeSpec)}
    specs, missing = choose_runtimes(registry, "all", "mps")
    assert specs == []
    assert "not on mps" in missing["eager"]


def test_one_runtime_that_fails_is_said_and_does_not_stop_the_others(place, tmp_path, capsys):
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import fkbench\nfrom fkbench.specs import RuntimeSpec\n"
        "def prepare(net, device):\n    raise RuntimeError('no such\\n   thing')\n"
        "class P:\n"
        "    @fkbench.hookimpl\n"
        "    def fkbench_runtimes(self, register):\n"
        "        register(RuntimeSpec(name='broken', summary='it fails', prepare=prepare))\n"
        "fkbench_runtimes = P().fkbench_runtimes\n"
    )
    words = place.words("--plugin", str(broken), "time", place.net.key, "--quick", "--no-train", "--batch", "1")
    assert main([*words, "--runtime", "eager,broken", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert [timing["runtime"] for timing in page["timings"]] == ["eager"]
    assert "no such thing" in page["not_timed"]["broken"]
    assert main([*words, "--runtime", "broken"]) == 1
    assert "no such thing" in capsys.readouterr().err


def test_the_key_depends_on_weights_device_runtime_and_version_alone():
    base = timing_key("sha", "A CPU", "eager", 1)
    assert base == timing_key("sha", "A CPU", "eager", 1)
    others = {timing_key("other", "A CPU", "eager", 1), timing_key("sha", "B CPU", "eager", 1),
              timing_key("sha", "A CPU", "bf16", 1), timing_key("sha", "A CPU", "eager", 2)}  # fmt: skip
    assert len(others | {base}) == 5


def test_a_void_session_does_not_replace_one_that_counts(place, tmp_path):
    record = place.net.model_copy(update={"path": str(tmp_path)})
    good = {"key": "ab", "timing": {"void": False, "quick": False, "p": 1}}
    assert write_page(record, {"key": "ab", "timing": {"void": True, "quick": False}})[1]
    path, written = write_page(record, good)
    assert written
    for worse in ({"void": True, "quick": False}, {"void": False, "quick": True}):
        assert not write_page(record, {"key": "ab", "timing": worse})[1]
    assert read_page(path) == good
    assert write_page(record, {**good, "again": 1})[1]


def test_the_runtimes_answers_are_those_that_are_timed(place):
    registry = load_registry([place.model])
    timed = open_run(place.net, registry, place.store, CPU)
    seen = []

    def prepare(net, device):
        def run(images):
            seen.append((len(images), images.dtype, torch.is_autocast_enabled("cpu")))
            return net(images) + 0.01

        return run

    spec = RuntimeSpec(name="off", summary="a little off", prepare=prepare)
    found = time_runtime(timed, spec, (2,), quick=True)
    # 0.01 of a half picture of 32 pixels.
    assert found["deviation"]["max_px"] == pytest.approx(0.16, rel=1e-3)
    assert {dtype for _, dtype, _ in seen} == {torch.float32}
    assert {count for count, _, _ in seen} >= {1, 2}
