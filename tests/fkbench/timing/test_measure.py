"""Latency and throughput: how often the device is synchronised, what is counted, the arithmetic of percentiles."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from fkbench.timing.clock import Clock, CudaClock, clock_for
from fkbench.timing.control import Control, control_net, drift
from fkbench.timing.measure import measure_latency, measure_throughput, percentiles_ms, spread


class FakeClock(Clock):
    """Time that passes only as calls say, and a queue that is worked off by a sync."""

    name = "fake"

    def __init__(self) -> None:
        self.time = 0.0
        self.queued = 0.0
        self.syncs = 0

    def now(self) -> float:
        return self.time

    def sync(self) -> None:
        self.syncs += 1
        self.time += self.queued
        self.queued = 0.0

    def launch(self, seconds: float) -> None:
        """Work that the device does behind the host's back."""
        self.queued += seconds


def test_latency_synchronises_within_every_call():
    clock = FakeClock()
    taken = measure_latency(lambda i: clock.launch(0.001 * (i + 1)), clock=clock, calls=4)
    assert taken == pytest.approx([0.001, 0.002, 0.003, 0.004])
    assert clock.syncs == 1 + 4


def test_latency_leaves_out_work_that_was_queued_before():
    clock = FakeClock()
    clock.launch(5.0)
    assert measure_latency(lambda _: clock.launch(0.1), clock=clock, calls=2) == pytest.approx([0.1, 0.1])


def test_latency_stops_when_its_time_is_up_but_not_before_the_least():
    clock = FakeClock()
    assert len(measure_latency(lambda _: clock.launch(1.0), clock=clock, calls=1000, budget_s=20, least=5)) == 21
    assert len(measure_latency(lambda _: clock.launch(1.0), clock=clock, calls=1000, budget_s=2, least=5)) == 5


def test_throughput_synchronises_once_per_repetition():
    clock = FakeClock()
    seen: list[int] = []

    def call(i: int) -> None:
        seen.append(i)
        clock.launch(0.01)

    rates = measure_throughput(call, clock=clock, images=8, batches=5, repetitions=3, first=100)
    assert clock.syncs == 1 + 3
    assert rates == pytest.approx([8 / 0.01] * 3)
    assert seen == list(range(100, 115))


@pytest.mark.parametrize("ms", [2, 6])
def test_a_call_that_sleeps_is_not_measured_shorter(ms):
    def call(_: int) -> None:
        time.sleep(ms / 1000)

    taken = measure_latency(call, clock=Clock(), calls=5)
    assert min(taken) >= ms / 1000
    rates = measure_throughput(call, clock=Clock(), images=10, batches=3, repetitions=2)
    assert max(rates) <= 10 / (ms / 1000)


def test_percentiles_in_milliseconds():
    seconds = np.random.default_rng(0).permutation(np.arange(1, 1002)) / 1000.0
    assert percentiles_ms(seconds) == pytest.approx({"p50": 501.0, "p90": 901.0, "p99": 991.0})
    assert percentiles_ms([0.004]) == pytest.approx({"p50": 4.0, "p90": 4.0, "p99": 4.0})


def test_spread_is_median_and_quartiles():
    found = spread([4.0, 1.0, 3.0, 2.0, 100.0])
    assert (found.low, found.median, found.high) == (2.0, 3.0, 4.0)


def test_drift_is_between_the_extremes():
    assert drift([1.0, 1.02, 0.98]) == pytest.approx(0.04)
    assert drift([2.0]) == 0.0


def test_control_net_is_fixed_and_leaves_the_random_state_alone():
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first = control_net()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(8)
    for a, b in zip(first.parameters(), control_net().parameters(), strict=True):
        assert torch.equal(a, b)
    assert not first.training


def test_control_blocks_are_medians_of_calls(monkeypatch):
    clock = FakeClock()
    control = Control.on(torch.device("cpu"), clock)
    lasting = iter([0.5, *[0.01] * 1000])
    monkeypatch.setattr(control, "_call", lambda _: clock.launch(next(lasting)))
    control.measure(1.0)
    assert control.blocks == pytest.approx([10.0])


def test_clock_of_each_kind_of_device(monkeypatch):
    assert type(clock_for(torch.device("cpu"))) is Clock
    assert isinstance(clock_for(torch.device("cuda", 0)), CudaClock)


def test_cuda_clock_reads_events_with_one_sync(monkeypatch):
    log: list[str] = []

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self, stream: str) -> None:
            log.append(f"record on {stream}")

        def elapsed_time(self, end: Event) -> float:
            log.append("read")
            return 250.0

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "stream")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: log.append("sync"))
    clock = CudaClock(torch.device("cuda", 0))
    assert clock.seconds(clock.start()) == 0.25
    assert log == ["record on stream", "record on stream", "sync", "read"]
