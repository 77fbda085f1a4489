"""How fast synthetic faces are rendered. Times are shown, never asserted."""

from __future__ import annotations

from fkbench_plugins.datasets.synthetic.render import render
from pytest_benchmark.fixture import BenchmarkFixture


def test_one_process(benchmark: BenchmarkFixture) -> None:
    count = 512
    done = benchmark.pedantic(render, args=(0, range(count)), kwargs={"workers": 1}, rounds=3, warmup_rounds=1)
    _note(benchmark, count)
    assert len(done.images) == count


def test_two_processes_with_their_start(benchmark: BenchmarkFixture) -> None:
    count = 4000
    done = benchmark.pedantic(render, args=(0, range(count)), kwargs={"workers": 2}, rounds=1)
    _note(benchmark, count)
    assert len(done.images) == count


def _note(benchmark: BenchmarkFixture, count: int) -> None:
    """Adds faces per second to the report; there is nothing to add where benchmarks are switched off."""
    if benchmark.stats is not None:
        benchmark.extra_info["faces_per_s"] = round(count / benchmark.stats.stats.min, 1)
