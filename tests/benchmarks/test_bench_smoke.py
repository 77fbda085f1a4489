"""The smoke protocol as a newcomer runs it: the article's dfk on 10 000 rendered faces against the mean shape.

The target: an rmse of at most 0.7 × mean-shape's. Where benchmarks are switched off, a few faces only show that the
code still runs: what a net learns from them says nothing about the target.
"""

from __future__ import annotations

import time

import pytest

import fkbench

TARGET = 0.7
FEW = {"dataset": {"count": 200}, "protocol": {"images_seen": 200}}


@pytest.mark.slow
def test_smoke_against_the_mean_shape(benchmark, request, tmp_path):
    whole = request.config.getoption("benchmark_enable")

    def smoke():
        (record,) = fkbench.run("dfk", "synthetic15", protocol="smoke", device="cpu", settings={} if whole else FEW,
                                data=tmp_path / "data", runs=tmp_path / "runs")  # fmt: skip
        return record

    started = time.perf_counter()
    record = benchmark.pedantic(smoke, rounds=1)
    seconds = time.perf_counter() - started
    rmse, mean_shape = record.metric("rmse"), record.baseline["mean-shape"]["rmse"]
    rate = record.timing.train_images_per_s
    benchmark.extra_info.update(ratio=rmse / mean_shape, train_images_per_s=rate)
    print(
        f"\nrmse {rmse:.3f} px, mean shape {mean_shape:.3f} px, ratio {rmse / mean_shape:.3f}; "
        f"training {rate:.0f} images/s; all of it {seconds:.0f} s"
    )
    assert record.status == "done"
    assert sum(record.dataset.counts.values()) == (10_000 if whole else 200)
    if whole:
        assert record.protocol.overrides == {}
        assert rmse <= TARGET * mean_shape
