"""Known-wrong timings beside the contract's, on this machine: inputs that lie in the cache; on CUDA no sync, and one
for each batch.

Printed, not judged: how much each is off depends on the machine. `docs/timing.md` has figures.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest
import torch

from fkbench.timing.clock import Clock, clock_for
from fkbench.timing.inputs import input_pool
from fkbench.timing.measure import measure_latency, measure_throughput

CPU, BATCH, ROUNDS = torch.device("cpu"), 128, 15


def averages(views: torch.Tensor) -> torch.Tensor:
    """A model that does next to nothing: nearly all of its time is reading pictures."""
    return views.view(torch.int64).sum((1, 2, 3))


def test_inputs_in_the_cache(benchmark):
    views = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (500, 1, 96, 96), np.uint8))
    pool, clock = input_pool(views, BATCH, CPU), clock_for(CPU)
    assert pool.exceeds_cache
    same, rotating = [], []

    def rates(pick, turn):
        how = {"images": BATCH, "batches": 60, "repetitions": 1, "first": 60 * turn}
        return measure_throughput(lambda i: averages(pool.batch(pick(i), BATCH)), clock=clock, **how)

    for turn in range(ROUNDS):
        same += rates(lambda i: 0, turn)
        rotating += rates(lambda i: i, turn)
    benchmark.pedantic(lambda: rates(lambda i: i, 0), rounds=1)
    right, wrong = statistics.median(rotating), statistics.median(same)
    benchmark.extra_info.update(ratio=wrong / right)
    print(f"\nthe same batch every time {wrong:.3g} images/s, rotating {right:.3g}; wrong / right {wrong / right:.2f}")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a device that works behind the host's back")
def test_syncs(benchmark):
    device = torch.device("cuda")
    clock, net = clock_for(device), torch.nn.Conv2d(1, 64, 3).to(device)
    pictures = torch.rand(64, 1, 96, 96, device=device)
    with torch.inference_mode():
        for _ in range(10):
            net(pictures)
        launches = measure_latency(
            lambda _: net(pictures), clock=Clock(), calls=200
        )  # the host's clock waits for nothing
        right = measure_throughput(lambda _: net(pictures), clock=clock, images=64, batches=200, repetitions=5)

        def synced(_: int) -> None:
            net(pictures)
            clock.sync()

        each = measure_throughput(synced, clock=clock, images=64, batches=200, repetitions=5)
    benchmark.pedantic(lambda: net(pictures), rounds=1)
    print(f"\nno sync: {64 / statistics.median(launches):.3g} images/s; a sync for each batch: "
          f"{statistics.median(each):.3g}; one for each repetition: {statistics.median(right):.3g}")  # fmt: skip
