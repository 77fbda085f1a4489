"""Floors: what is counted of nets that were counted by hand, peaks by a clock that stands in, the larger of the two."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import nn

from fkbench.timing import peaks
from fkbench.timing.clock import Clock, ProcessorClock
from fkbench.timing.floors import (
    NetSize,
    Work,
    floors,
    floors_page,
    inference,
    peak_page,
    size_of,
    state_bytes,
    training,
)
from fkbench.timing.peaks import Peak, Peaks, buffer_bytes, least_seconds

CPU = torch.device("cpu")
PEAK = Peak("fp32", 1, operations_per_s=1000.0, read_per_s=100.0, moved_per_s=150.0)


def small_net() -> nn.Module:
    """A 3×3 convolution of 6×6 pictures into 2 channels of 4×4, then 32 numbers into 3."""
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(32, 3))


SMALL = NetSize(macs=9 * 32 + 32 * 3, weights=18 + 2 + 96 + 3, picture=36, results=32 + 32 + 3, output=3)


class Ticks(Clock):
    """Time that passes as work says; counts its syncs."""

    def __init__(self) -> None:
        self.time, self.syncs = 0.0, 0

    def now(self) -> float:
        return self.time

    def sync(self) -> None:
        self.syncs += 1


def test_a_small_net_counted_by_hand():
    assert size_of(small_net(), (1, 6, 6)) == SMALL
    with torch.device("meta"):
        assert size_of(small_net(), (1, 6, 6)) == SMALL


def test_work_in_place_counts_views_and_indices_do_not():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)
    )
    net.train()
    assert size_of(net, (1, 6, 6)) == NetSize(
        macs=9 * 32 + 8 * 3, weights=20 + 2 * 4 + 27, picture=36, results=32 + 32 + 32 + 8 + 3, output=3
    )
    assert net.training
    assert all(module.training for module in net)


def test_operations_outside_layers_and_several_outputs_count():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(1, 1, 1, bias=False)

        def forward(self, x):
            first = self.one(x)
            return first + x, first.transpose(2, 3).flatten(1)[:, :5]

    assert size_of(Odd(), (1, 4, 4)) == NetSize(macs=16, weights=1, picture=16, results=16 + 16 + 16, output=16 + 5)


def test_shared_weights_count_once():
    shared = nn.Conv2d(1, 1, 1, bias=False)
    size = size_of(nn.Sequential(shared, shared), (1, 2, 2))
    assert (size.weights, size.macs, size.results) == (1, 8, 8)


def test_the_work_of_a_batch_by_hand():
    assert inference(SMALL, 5, "fp32") == Work(
        operations=2 * 384 * 5,
        read=4 * 119 + 5 * 36,
        written=4 * 5 * 3,
        layers_read=4 * 119 + 5 * 36 + 4 * 5 * (36 + 67),
        layers_written=4 * 5 * (36 + 67),
    )
    half = inference(SMALL, 5, "bf16")
    assert (half.operations, half.read, half.written) == (2 * 384 * 5, 2 * 119 + 5 * 36, 2 * 5 * 3)


def test_the_work_of_a_training_step_by_hand():
    kept = 2 * 4 * 119
    assert training(SMALL, 5, "fp32", kept) == Work(
        operations=3 * 2 * 384 * 5,
        read=5 * 36 + 2 * 476 + 952,
        written=2 * 476 + 952,
        layers_read=5 * 36 + 2 * 476 + 952 + 4 * 5 * (2 * 36 + 3 * 67),
        layers_written=2 * 476 + 952 + 4 * 5 * (36 + 2 * 67),
    )
    half = training(SMALL, 5, "bf16", kept)
    assert (half.read, half.written) == (5 * 36 + 2 * 476 + 952, 2 * 476 + 952), "weights are trained in float32"
    assert half.layers_written == 2 * 476 + 952 + 2 * 5 * (36 + 2 * 67)


@pytest.mark.parametrize(
    ("make", "each"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), 0),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 4),
        (lambda p: torch.optim.AdamW(p, lr=0.1), 8),
        (lambda p: torch.optim.Adamax(p, lr=0.1), 8),
    ],
)
def test_the_state_of_optimisers(make, each):
    net = nn.Linear(4, 3)
    optimiser = make(net.parameters())
    assert state_bytes(optimiser) == 0
    net(torch.ones(2, 4)).sum().backward()
    optimiser.step()
    assert state_bytes(optimiser) == each * 15


def test_the_larger_floor_counts_and_reading_alone_has_its_own_bound():
    found = floors(Work(500, read=100, written=50, layers_read=200, layers_written=250), PEAK)
    assert (found.operations_s, found.bytes_s, found.layers_s) == (0.5, 1.0, 3.0)
    assert (found.larger, found.seconds) == ("bytes", 1.0)
    found = floors(Work(1500, read=90, written=0, layers_read=90, layers_written=0), PEAK)
    assert (found.operations_s, found.bytes_s) == (1.5, 0.9)
    assert (found.larger, found.seconds) == ("operations", 1.5)


def test_the_page_states_both_floors_and_the_distance():
    page = floors_page(Work(500, 100, 50, 200, 250), PEAK, 4, 2.5)
    assert page == {
        "batch": 4, "operations": 500, "bytes": 150, "layers_bytes": 450, "operations_ms": 500.0, "bytes_ms": 1000.0,
        "layers_ms": 3000.0, "measured_ms": 2500.0, "larger": "bytes", "times": 2.5,
    }  # fmt: skip
    json.dumps({"peak": peak_page(PEAK), **page}, allow_nan=False)


@pytest.mark.parametrize("net", [nn.Flatten(), nn.ReLU(), small_net()])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_no_floor_is_negative_or_no_number(net, precision):
    size = size_of(net, (1, 6, 6))
    for work in (inference(size, 1, precision), inference(size, 9, precision), training(size, 9, precision, 0)):
        found = floors(work, PEAK)
        assert all(math.isfinite(s) and s >= 0 for s in (found.operations_s, found.bytes_s, found.layers_s))
        assert found.seconds > 0
        assert found.layers_s >= found.bytes_s


def test_the_fastest_take_counts_and_the_first_call_does_not():
    clock, lasting = Ticks(), iter([9.0, 0.5, 0.3, 0.2, 0.4, 0.4])

    def work():
        clock.time += next(lasting)

    assert least_seconds(work, clock, budget_s=1.0) == pytest.approx(0.2)
    assert clock.time == pytest.approx(10.8), "takes end with the budget, not before"
    assert clock.syncs == 1 + 5


def test_short_work_is_timed_many_at_once():
    clock = Ticks()

    def work():
        clock.time += 1e-5

    assert least_seconds(work, clock, budget_s=0.009) == pytest.approx(1e-5)
    assert clock.syncs == 1 + 1 + 5, "200 calls in a take"


def test_a_clock_that_stands_still_ends():
    assert least_seconds(lambda: None, Ticks(), budget_s=1.0) > 0


def test_peaks_are_measured_once_and_half_precision_is_never_below_float32(monkeypatch):
    asked = []

    def rate(device, dtype, clock):
        asked.append(dtype)
        return {torch.float32: 100.0, torch.bfloat16: 10.0, torch.float16: 300.0}[dtype]

    monkeypatch.setattr(peaks, "product_rate", rate)
    monkeypatch.setattr(peaks, "memory_rates", lambda device, clock: asked.append("memory") or (7.0, 9.0))
    found = Peaks(CPU)
    assert found.at("bf16") == Peak("bf16", torch.get_num_threads(), 100.0, 7.0, 9.0)
    assert found.at("fp16").operations_per_s == 300.0
    assert found.at("fp32").operations_per_s == found.at("bf16").operations_per_s == 100.0
    assert asked == [torch.float32, torch.bfloat16, "memory", torch.float16]


def test_larger_products_are_left_out_where_they_take_too_long_or_do_not_fit(monkeypatch):
    monkeypatch.setattr(peaks, "SIDES", (8, 16, 32, 64))
    sides = []

    def taking(per_operation):
        def least(work, clock, budget_s):
            sides.append(len(work.args[0]))
            return per_operation * 2 * sides[-1] ** 3

        monkeypatch.setattr(peaks, "least_seconds", least)
        sides.clear()
        return peaks.product_rate(CPU, torch.float32, Clock())

    assert taking(1e-9) == pytest.approx(1e9)
    assert sides == [8, 16, 32, 64]
    assert taking(5e-6) == pytest.approx(2e5)
    assert sides == [8, 16], "2·32³ operations would take 0.3 s"
    monkeypatch.setattr(peaks, "affordable", lambda device: 4 * 16**2)
    assert taking(1e-9) == pytest.approx(1e9)
    assert sides == [8, 16], "a matrix of 32×32 does not fit"


def test_peaks_of_this_machine(monkeypatch):
    monkeypatch.setattr(peaks, "SIDES", (64, 128))
    monkeypatch.setattr(peaks, "LEAST_BUFFER", 2**20)
    monkeypatch.setattr(peaks, "last_level_cache", lambda device: 2**20)
    assert buffer_bytes(CPU) == 4 * 2**20
    peak = Peaks(CPU, ProcessorClock()).at("fp32")
    assert math.isfinite(peak.operations_per_s)
    assert peak.operations_per_s > 0
    assert 0 < peak.read_per_s <= peak.moved_per_s
