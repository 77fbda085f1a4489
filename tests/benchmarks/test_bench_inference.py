"""dfk on a CPU under each runtime against eager float32, in turns in one process, and how far that is from the floors.

The targets on two cores: 3 × eager at the best batch, and 2 ms for one picture. Beside the clock on the wall stands the
processor time of all threads: on a machine that others use too, the ratio of processor times is the one to trust. Both
floors and the distance from the larger are by processor time too.
`FKBENCH_BENCH_ALL=1` also compiles ahead of time.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from fkbench.registry import load_registry
from fkbench.runtimes.choosing import choose_runtimes
from fkbench.specs import ModelSpec, resolve
from fkbench.timing.clock import ProcessorClock
from fkbench.timing.floors import Floors, floors, inference, peak_line, peak_page, size_of
from fkbench.timing.peaks import Peaks

CPU = torch.device("cpu")
BATCHES, ROUNDS = (1, 8, 32), 7
TARGET = 3.0


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor in all threads."""
    wall, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - busy


def test_runtimes_against_eager(benchmark, request):
    whole = request.config.getoption("benchmark_enable")
    registry = load_registry()
    torch.manual_seed(0)
    net = resolve(registry.get(ModelSpec, "dfk").build)(1, 96, 30).eval()
    specs, _ = choose_runtimes(registry, "all", "cpu")
    left = set() if os.environ.get("FKBENCH_BENCH_ALL") == "1" else {"aot-inductor"}
    left |= set() if whole else {"compile", "onnxruntime"}
    ready = {spec.name: resolve(spec.prepare)(net, CPU) for spec in specs if spec.name not in left}
    best: dict[str, float] = {}
    peaks, counted = Peaks(CPU, ProcessorClock()), size_of(net, (1, 96, 96))
    peak = {spec.name: peaks.at(spec.precision or "fp32") for spec in specs if spec.name in ready}
    with torch.inference_mode():
        for size in BATCHES if whole else (2,):
            pictures = [torch.rand(size, 1, 96, 96) for _ in range(8)]
            for run in ready.values():
                run(pictures[0]), run(pictures[1])
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in ready}
            for turn in range(ROUNDS * (4 if size == 1 else 1) if whole else 1):
                for name, run in ready.items():
                    found[name].append(taken(partial(run, pictures[turn % 8])))
            least = {name: floors(inference(counted, size, at.precision), at) for name, at in peak.items()}
            report(size, found, best, least)
    benchmark.pedantic(lambda: ready["eager"](torch.rand(1, 1, 96, 96)), rounds=1)
    for one in dict.fromkeys(peak.values()):
        print(peak_line(peak_page(one)))
    name = max(best, key=best.__getitem__)
    print(f"best: {name}, {best[name]:.0f} images/s of processor time, {best[name] / best['eager']:.2f} × eager "
          f"(target {TARGET:g})")  # fmt: skip
    benchmark.extra_info.update(best=name, ratio=best[name] / best["eager"])


def report(
    size: int, found: dict[str, list[tuple[float, float]]], best: dict[str, float], least: dict[str, Floors]
) -> None:
    """Print medians and floors, and keep the best rate of each runtime by processor time."""
    print(f"\nbatch {size}: ms on the wall (least, median), ms of the processor, × eager by processor time;")
    print("  floors in ms of the processor (operations, bytes, layer by layer), × the larger of the first two")
    plain = statistics.median(busy for _, busy in found["eager"])
    for name, pairs in found.items():
        walls, busy = [wall for wall, _ in pairs], statistics.median(busy for _, busy in pairs)
        floor = least[name]
        best[name] = max(best.get(name, 0.0), size / max(busy, 1e-9))
        print(f"  {name:14} {1e3 * min(walls):8.2f} {1e3 * statistics.median(walls):8.2f} {1e3 * busy:8.2f} "
              f"{plain / max(busy, 1e-9):6.2f}   {1e3 * floor.operations_s:7.2f} {1e3 * floor.bytes_s:7.2f} "
              f"{1e3 * floor.layers_s:7.2f} {busy / floor.seconds:6.2f} × {floor.larger}")  # fmt: skip
