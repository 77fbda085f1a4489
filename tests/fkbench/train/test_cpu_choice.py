"""The calibration of a processor: what is chosen, kept, refused and recorded."""

from __future__ import annotations

import json

import pytest
import torch

import fkbench
from fkbench.records import RunStore
from fkbench.train import cpu_choice
from fkbench.train.cpu_choice import Calibration, calibrated, calibration_of, choose, measure, threads_tried


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Calibrations are asked for, and made up: how often, in a folder of this test."""
    monkeypatch.delenv(cpu_choice.SWITCH, raising=False)
    for name in cpu_choice.THREAD_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    made = []

    def made_up(usual, tried):
        made.append((usual, tried))
        return Calibration(1, False, {"1/first": 2.0})

    monkeypatch.setattr(cpu_choice, "measure", made_up)
    monkeypatch.setattr(cpu_choice, "_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(cpu_choice, "GLANCE_S", 0.0)
    monkeypatch.setattr(cpu_choice.Watch, "seen", lambda self: {"others_cores": 0.0})
    return made


def test_only_what_is_clearly_faster_is_chosen():
    assert choose({"4/last": 1.0, "2/last": 0.95, "1/last": 1.2}, "4/last") == "4/last"
    assert choose({"4/last": 1.0, "2/last": 0.85, "1/last": 0.87}, "4/last") == "2/last"


def test_it_is_measured_once_and_kept(measured):
    said = []
    first = calibration_of(said.append)
    assert calibration_of(said.append) == first == Calibration(1, False, {"1/first": 2.0})
    assert (len(measured), len(said)) == (1, 1)


@pytest.mark.parametrize(("loads", "times"), [((0.5,), 0), ((0.0, 0.5), 1)])
def test_a_machine_that_is_or_becomes_busy_decides_nothing(measured, monkeypatch, tmp_path, loads, times):
    left = iter(loads)
    monkeypatch.setattr(cpu_choice.Watch, "seen", lambda self: {"others_cores": next(left)})
    assert calibration_of() == Calibration(torch.get_num_threads())
    assert len(measured) == times
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("text", ["", "[1]", '{"threads": 0, "channels_last": true}', '{"threads": "2"}', '{"odd": 1}'])
def test_a_damaged_file_is_measured_again(measured, tmp_path, text):
    calibration_of()
    (path,) = (tmp_path / "cache").iterdir()
    path.write_text(text)
    calibration_of()
    assert len(measured) == 2
    assert json.loads(path.read_text())["threads"] == 1


def test_a_cache_that_cannot_be_written_is_no_error(measured, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    assert calibration_of(folder=tmp_path / "file" / "below").threads == 1


def test_a_cache_on_a_full_disk_is_no_error_and_nothing_is_left(measured, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert calibration_of(folder=tmp_path / "kept").threads == 1
    assert list((tmp_path / "kept").iterdir()) == []


def test_the_user_settles_the_threads_or_all_of_it(measured, monkeypatch):
    assert threads_tried(12) == [12, 6, 3, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "12")
    assert threads_tried(12) == [12]
    monkeypatch.setenv(cpu_choice.SWITCH, "0")
    assert calibration_of() == Calibration(torch.get_num_threads())
    assert measured == []


def test_what_is_measured_leaves_threads_and_streams_alone():
    before, state = torch.get_num_threads(), torch.get_rng_state()
    found = measure(2, [2, 1])
    layout = "last" if found.channels_last else "first"
    assert set(found.step_ms) == {"2/last", "2/first", f"2/{layout}", f"1/{layout}"}
    assert all(value > 0 for value in found.step_ms.values())
    assert torch.get_num_threads() == before
    assert torch.equal(torch.get_rng_state(), state)


def test_threads_hold_for_the_context_and_not_on_a_gpu(measured, monkeypatch):
    monkeypatch.setattr(cpu_choice, "measure", lambda usual, tried: Calibration(1, True))
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with calibrated(torch.device("cpu")) as found:
            assert (found.threads, torch.get_num_threads()) == (1, 1)
        assert torch.get_num_threads() == 2
        with calibrated(torch.device("cuda")) as found:
            assert (found, torch.get_num_threads()) == (Calibration(2), 2)
    finally:
        torch.set_num_threads(usual)


def test_a_run_trains_with_it_and_records_it(measured, tmp_path):
    model = tmp_path / "net.py"
    model.write_text(
        "import fkbench\nfrom torch import nn\n\n\n@fkbench.model('plain', input=(1, 32))\n"
        "def plain(channels: int, size: int, outputs: int) -> nn.Module:\n"
        "    return nn.Sequential(nn.Conv2d(channels, 4, 3, 4), nn.Flatten(), nn.Linear(256, outputs))\n"
    )
    settings = {"dataset": {"count": "60"}, "protocol": {"images_seen": "32", "batch": "16"}}
    where = {"data": tmp_path / "data", "runs": tmp_path / "runs"}
    (record,) = fkbench.run(str(model), "synthetic15", protocol="smoke", device="cpu", settings=settings, **where)
    assert (record.device.threads, record.device.layout) == (1, "contiguous_format")
    assert len(measured) == 1


def test_a_training_that_goes_on_does_so_as_it_began(measured, monkeypatch, tmp_path):
    cpu, path = torch.device("cpu"), tmp_path / cpu_choice.CALIBRATION
    with calibrated(cpu, kept_in=path) as found:
        assert found == Calibration(1, False, {"1/first": 2.0})
    monkeypatch.setenv(cpu_choice.SWITCH, "0")
    with calibrated(cpu, kept_in=path) as again:
        assert (again, torch.get_num_threads()) == (found, 1)
    with calibrated(cpu, kept_in=tmp_path / "other.json") as fresh:
        assert fresh.channels_last


def test_baselines_are_left_alone(measured, monkeypatch, tmp_path):
    """They are fitted within a net's run, and record the threads that they were fitted with."""
    monkeypatch.setattr(cpu_choice, "measure", lambda usual, tried: Calibration(usual + 1, True))
    settings = {"dataset": {"count": "60"}, "protocol": {"images_seen": "32", "batch": "16"}}
    where = {"data": tmp_path / "data", "runs": tmp_path / "runs"}
    (record,) = fkbench.run("dfk", "synthetic15", protocol="smoke", device="cpu", settings=settings, **where)
    usual = torch.get_num_threads()
    assert record.device.threads == record.environment.threads == usual + 1
    assert record.timing.model_dump()["threads"]["intra_op"] == usual
    others = [r for r in RunStore(tmp_path / "runs").records() if r.model.role == "baseline"]
    assert others
    assert {(r.device.threads, r.device.layout) for r in others} == {(usual, "")}
    assert not list((tmp_path / "runs").rglob(cpu_choice.CALIBRATION))
