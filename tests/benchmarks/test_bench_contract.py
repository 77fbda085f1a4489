"""The timing contract against two others in one session: torch.utils.benchmark, and the method of timm's benchmark.

The target: within 10 %. They take turns, so that whatever else the machine does hits them alike; the ratio of their
medians is what is compared. Sessions whose control drifts say so, and are skipped in place of being judged.
"""

from __future__ import annotations

import statistics
import time

import pytest
import torch
from torch.utils.benchmark import Timer

from fkbench.registry import load_registry
from fkbench.specs import ModelSpec, resolve
from fkbench.timing.clock import clock_for
from fkbench.timing.control import DRIFT_LIMIT, Control, drift
from fkbench.timing.measure import measure_latency, measure_throughput

TARGET = 0.10
ROUNDS = 9


def timm_method(net, pictures, repetitions: int) -> float:
    """Images/s as timm's benchmark script does it, in our own words: a step is from a time stamp after a sync to one
    after the next sync, the same input at each step; the rate is batch over the mean of the steps' seconds."""
    steps = []
    for _ in range(repetitions):
        before = time.perf_counter()
        net(pictures)
        if pictures.is_cuda:
            torch.cuda.synchronize()
        steps.append(time.perf_counter() - before)
    return len(pictures) / statistics.mean(steps)


def device():
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def judged(ratio: float, control: Control, request) -> None:
    print(f"; control drifted by {drift(control.blocks):.1%}")
    if not request.config.getoption("benchmark_enable"):
        return
    if drift(control.blocks) > DRIFT_LIMIT:
        pytest.skip(f"void: the control drifted by {drift(control.blocks):.0%}; the ratio was {ratio:.3f}")
    assert abs(ratio - 1) <= TARGET


def test_latency_against_torch_utils_benchmark(benchmark, request):
    place = device()
    net = resolve(load_registry().get(ModelSpec, "dfk").build)(1, 96, 30).eval().to(place)
    picture, clock = torch.rand(1, 1, 96, 96, device=place), clock_for(place)
    timer = Timer("net(picture)", globals={"net": net, "picture": picture}, num_threads=torch.get_num_threads())
    control, ours, theirs = Control.on(place, clock), [], []
    with torch.inference_mode():
        timer.timeit(5)
        for _ in range(ROUNDS):
            control.measure(0.05)
            ours.append(statistics.median(measure_latency(lambda _: net(picture), clock=clock, calls=20)))
            theirs.append(timer.timeit(20).median)
        benchmark.pedantic(lambda: net(picture), rounds=3)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    benchmark.extra_info.update(against_torch=ratio)
    print(f"\nlatency: ours {1e3 * statistics.median(ours):.2f} ms, torch.utils.benchmark "
          f"{1e3 * statistics.median(theirs):.2f} ms; ours / theirs {ratio:.3f}", end="")  # fmt: skip
    judged(ratio, control, request)


def test_throughput_of_a_timm_model_against_the_method_of_timm(benchmark, request):
    timm = pytest.importorskip("timm")
    place = device()
    net = timm.create_model("test_resnet.r160_in1k", pretrained=False, num_classes=30).eval().to(place)
    pictures, clock = torch.rand(16, 3, 160, 160, device=place), clock_for(place)
    control, ours, theirs = Control.on(place, clock), [], []
    with torch.inference_mode():
        timm_method(net, pictures, 3)
        for _ in range(ROUNDS):
            control.measure(0.05)
            ours += measure_throughput(lambda _: net(pictures), clock=clock, images=16, batches=10, repetitions=1)
            theirs.append(timm_method(net, pictures, 10))
        benchmark.pedantic(lambda: net(pictures), rounds=3)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    benchmark.extra_info.update(against_timm=ratio)
    print(f"\nthroughput: ours {statistics.median(ours):.0f} images/s, timm's method "
          f"{statistics.median(theirs):.0f}; ours / theirs {ratio:.3f}", end="")  # fmt: skip
    judged(ratio, control, request)
