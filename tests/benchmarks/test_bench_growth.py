"""How the cost of training grows with the set: images/s and memory at 1000, 10 000, 100 000 and 1 000 000 pictures.

dfk under the uniform recipe at batch 64, through the engine itself. A turn is the same few steps whatever the size of
the set, on rows from all over it; turns of all sizes alternate in one process, so that whatever else the machine does
hits all of them. What an epoch needs before its first step (the order of rows, the parameters of augmentation) grows
with the set and is timed apart; the rate of an epoch counts both. Rates are of processor time, which waiting for others
does not enter.

A million pictures of 96×96 are 9.2 GB: all sizes are measured at 48×48, and those up to 100 000 at 96×96 too.

`python tests/benchmarks/test_bench_growth.py FILE` measures the same and draws it (.svg or .png).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest
import torch
from matplotlib.figure import Figure

from fkbench.draw.files import save_figure
from fkbench.draw.palette import INK, SERIES, plain_axes
from fkbench.protocols import PROTOCOLS
from fkbench.registry import load_registry
from fkbench.schemes import FACE15
from fkbench.specs import ModelSpec, resolve
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.augment import Draws
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Listener, Trainer
from fkbench.train.resident import Resident

BATCH, STEPS, ROUNDS = 64, 5, 5
SIZES = {48: (1_000, 10_000, 100_000, 1_000_000), 96: (1_000, 10_000, 100_000)}
"""Side of the pictures → numbers of them."""
BLOCK = 1_000
MB = 1e6


@dataclass
class Case:
    """One size of set.

    Attributes:
        memory, epoch_memory: bytes of the set, and of an epoch's order and parameters.
        steps: seconds of processor time for a step, the mean of each turn's steps but its first; wall: by the clock.
        epochs: seconds of processor time before the first step of each epoch.
    """

    side: int
    count: int
    trainer: Trainer
    memory: int
    epoch_memory: int = 0
    steps: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Images per second of a core in a whole epoch, its preparation included."""
        return 1 / (statistics.median(self.steps) / BATCH + self.preparing / self.count)

    @property
    def preparing(self) -> float:
        return statistics.median(self.epochs)

    def turn(self) -> None:
        """An epoch's preparation, then the steps of an epoch's beginning."""
        started = time.process_time()
        order, draws = self.trainer._prepare(0)
        self.epochs.append(time.process_time() - started)
        self.epoch_memory = order.nbytes + bytes_of(draws)
        ticks: list[tuple[float, float]] = []
        listener = Listener(step=lambda images: ticks.append((time.process_time(), time.perf_counter())))
        for _ in self.trainer._epoch(listener):
            pass
        (cpu, wall), (last_cpu, last_wall) = ticks[0], ticks[-1]
        self.steps.append((last_cpu - cpu) / (len(ticks) - 1))
        self.wall.append((last_wall - wall) / (len(ticks) - 1))

    def forget(self) -> None:
        """What was measured so far warmed up."""
        for found in (self.steps, self.wall, self.epochs):
            found.clear()


def bytes_of(held: Resident | Draws) -> int:
    values = (getattr(held, name) for name in held.__dataclass_fields__)
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))


def resident(count: int, side: int) -> Resident:
    """Noise with random points; every page of it is written."""
    source = torch.Generator().manual_seed(0)
    block = torch.randint(0, 256, (BLOCK, 1, side, side), dtype=torch.uint8, generator=source)
    images = torch.empty((count, 1, side, side), dtype=torch.uint8)
    for low in range(0, count, BLOCK):
        images[low : low + BLOCK] = block[: count - low]
    points = torch.rand((count, 15, 2), generator=source) * side
    return Resident(images, points, torch.ones((count, 15), dtype=torch.bool), torch.ones((count, 2)))


def cases(sizes: dict[int, Sequence[int]]) -> list[Case]:
    """All sets with a trainer each; those of one side share a net."""
    spec = load_registry().get(ModelSpec, "dfk")
    recipe = PROTOCOLS["uniform"].recipe
    assert recipe is not None
    recipe = replace(recipe, batch=BATCH, images_seen=BATCH * STEPS)
    made = []
    for side, counts in sizes.items():
        net = resolve(spec.build)(1, side, 30).to(memory_format=torch.channels_last)
        for count in counts:
            rows = resident(count, side)
            codec = make_codec(recipe.codec, side)
            trainer = Trainer(net, codec, recipe, rows, None, size=side, flip_order=FACE15.flip_order(), seed=0)
            made.append(Case(side, count, trainer, bytes_of(rows)))
    return made


def measure(sizes: dict[int, Sequence[int]], rounds: int = ROUNDS) -> list[Case]:
    """Turns of all sizes, forwards and backwards in alternation; the first round warms up."""
    made = cases(sizes)
    keep_freed_memory()
    for turn in range(rounds + 1):
        for case in made if turn % 2 else made[::-1]:
            case.turn()
            if not turn:
                case.forget()
    return made


def that_fit(sizes: dict[int, Sequence[int]]) -> dict[int, Sequence[int]]:
    """Without the sets that would take more than half of the free memory."""
    room = psutil.virtual_memory().available / 2
    return {side: [count for count in counts if count * (side * side + 300) < room] for side, counts in sizes.items()}


def table(made: list[Case]) -> str:
    head = f"{'side':>4} {'images':>9} {'images/s':>8} {'by the clock':>12} {'step ms':>8} {'epoch prepared s':>16}"
    lines = [f"{head} {'set MB':>8} {'epoch MB':>8}"]
    for case in made:
        step = statistics.median(case.steps)
        lines.append(
            f"{case.side:4} {case.count:9} {case.rate:8.0f} {BATCH / statistics.median(case.wall):12.0f} "
            f"{step * 1000:8.1f} {case.preparing:16.4f} {case.memory / MB:8.1f} {case.epoch_memory / MB:8.1f}"
        )
    held, all_of_it = sum(case.memory for case in made), psutil.Process().memory_info().rss
    lines.append(f"{all_of_it / MB:.0f} MB in the process, {held / MB:.0f} MB of them these sets")
    return "\n".join(lines)


def picture(made: list[Case], path: Path) -> None:
    """Rates on the left, memory on the right, over the number of pictures."""
    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    rates, memory = figure.subplots(1, 2)
    for side, colour in zip(sorted({case.side for case in made}), SERIES, strict=False):
        mine = [case for case in made if case.side == side]
        counts = [case.count for case in mine]
        label = f"{side}×{side}"
        rates.plot(counts, [case.rate for case in mine], color=colour, marker="o", label=label)
        held = [(case.memory + case.epoch_memory) / 1e9 for case in mine]
        memory.plot(counts, held, color=colour, marker="o", label=label)
    rates.set(xscale="log", ylim=(0, None), title="images/s of one core")
    memory.set(xscale="log", yscale="log", title="memory of the set and an epoch's draws, GB")
    for axes in (rates, memory):
        axes.set_xlabel("training images")
        axes.title.set_fontsize(10)
        plain_axes(axes)
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    save_figure(figure, path)


@pytest.mark.parametrize("counts", [(200, 500)])
def test_growth_is_measured(counts, tmp_path):
    made = measure({24: counts}, rounds=1)
    assert [case.count for case in made] == list(counts)
    assert all(case.rate > 0 and case.epoch_memory > 0 and len(case.steps) == 1 for case in made)
    picture(made, tmp_path / "growth.svg")
    assert "<svg" in (tmp_path / "growth.svg").read_text(encoding="utf-8")


def test_cost_of_larger_sets(benchmark):
    made = measure(that_fit(SIZES))
    benchmark.pedantic(made[0].turn, rounds=1)
    print(f"\n{table(made)}")
    assert all(len(case.steps) >= ROUNDS for case in made)


if __name__ == "__main__":
    found = measure(that_fit(SIZES))
    print(table(found), f"{torch.get_num_threads()} threads", sep="\n")
    picture(found, Path(sys.argv[1]))
