"""What a run says in words when it is done."""

from __future__ import annotations

import pytest

from fkbench.cli.report import print_report
from fkbench.records import RunRecord

REASON = "the control net drifted by 5.0%, more than 3%: the machine was not quiet"


def record(**timing) -> RunRecord:
    return RunRecord.model_validate(
        {
            "schema": 1, "key": "0123456789abcdef", "status": "done", "model": {"name": "mynet"}, "seed": 0,
            "dataset": {"name": "faces", "split": "own", "fingerprint": "sha256:0"}, "box": "frame",
            "protocol": {"name": "smoke", "version": 1}, "device": {"type": "cpu", "name": "a CPU", "threads": 2},
            "metrics": {"rmse": 2.125},
            "timing": {"version": 1, "train_s": 3.0, "infer_images_per_s": 120.0,
                       "latency_ms": {"p50": 1.5, "p90": 2, "p99": 3}, **timing},
        }
    )  # fmt: skip


@pytest.fixture
def said(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "400")

    def say(**timing) -> str:
        print_report([record(**timing)])
        return capsys.readouterr().out

    return say


def test_speed_is_one_line(said):
    line = "trained in 3.0 s; inference 120 images/s, latency 1.50 ms (p50); on a CPU, 2 threads"
    assert line in said(void=False, void_reason=None).splitlines()


def test_a_void_session_says_so_with_its_numbers_and_before_them(said):
    speed = "inference 120 images/s, latency 1.50 ms (p50)"
    (line,) = [line for line in said(void=True, void_reason=REASON).splitlines() if speed in line]
    assert line == f"trained in 3.0 s; void: {REASON} ({speed}); on a CPU, 2 threads"


def test_seconds_of_seeds_trained_at_once_are_said_to_be_a_share(said):
    assert "trained in 3.0 s, its share of 5 seeds at once; inference" in said(trained_at_once=5)
