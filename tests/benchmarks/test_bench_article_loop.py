"""dfk's article recipe through the engine against the article's own loop, written out: per-sample transforms.

The article's loop, as a reader of it would type it: a dataset of float32 pictures, `ToTensor` and
`RandomAdjustSharpness(2)` a sample, a `DataLoader` with its defaults, the contiguous layout, `Adamax` as it comes, the
loss read in every step. It runs in a process of its own, as a script would: the engine has the C library keep freed
memory, which would help any loop in its process; how much is seen from the same loop with that switched on. The engine
runs the same net by the same recipe over the same pictures and points. Epochs take turns, never two at once, so that
whatever else the machine does hits all; the ratio of the medians is printed. The targets are 4 on two CPU cores, and 50
on an H200, where the loop moves each batch to the device as its reader would add it. How far the engine's step is from
its two floors is printed too, on a processor by processor time.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fkbench.registry import load_registry
from fkbench.runtimes.training import floors_of_step
from fkbench.schemes import FACE15
from fkbench.specs import ModelSpec, resolve
from fkbench.timing.clock import ProcessorClock, clock_for
from fkbench.timing.floors import floors_line, peak_line
from fkbench.timing.peaks import Peaks
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Trainer
from fkbench.train.resident import Resident

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ROWS, ROUNDS = (2140 if DEVICE.type == "cuda" else 256), 5


class Faces(Dataset):
    """Pictures (N, 96, 96, 1) float32 in 0…1 and targets (p − 255)/255, one sample at a time."""

    def __init__(self, images: np.ndarray, targets: np.ndarray) -> None:
        self.images, self.targets = images, targets
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.RandomAdjustSharpness(2)])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.transform(self.images[index]), torch.tensor(self.targets[index])


def article_epoch(net: nn.Module, images: Tensor, points: Tensor) -> Callable[[], None]:
    """The article's loop over these pictures, an epoch a call."""
    plain = images.permute(0, 2, 3, 1).numpy().astype(np.float32) / 255
    faces = Faces(plain, ((points.flatten(1).numpy() - 255) / 255).astype(np.float32))
    loader = DataLoader(faces, batch_size=32, shuffle=True)
    optimiser, measure = torch.optim.Adamax(net.parameters(), lr=1e-3), nn.MSELoss()

    def epoch() -> None:
        net.train()
        total = 0.0
        for pictures, targets in loader:
            optimiser.zero_grad()
            loss = torch.sqrt(measure(net(pictures.to(DEVICE)), targets.to(DEVICE)))
            loss.backward()
            optimiser.step()
            total += loss.item()

    return epoch


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def prepared(kept: bool) -> Callable[[], None]:
    """The article's loop over the pictures of this benchmark."""
    if kept:
        keep_freed_memory()
    images, points = faces()
    return article_epoch(resolve(load_registry().get(ModelSpec, "dfk").build)(1, 96, 30).to(DEVICE), images, points)


def serve(pipe: Connection, threads: int, kept: bool) -> None:
    """Seconds of an epoch of the article's loop for each question, in a process of its own."""
    torch.set_num_threads(threads)
    epoch = prepared(kept)
    while pipe.recv():
        pipe.send(seconds(epoch))


class Apart:
    """The article's loop in a process of its own, as its reader would start it: nothing of fkbench is at work there.

    Args:
        kept: freed memory is kept there as the engine keeps it, to see what that is worth.
    """

    def __init__(self, kept: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, torch.get_num_threads(), kept), daemon=True)
        self.process.start()

    def __call__(self) -> float:
        self.pipe.send(True)
        assert self.pipe.poll(300), "the article's loop gives no answer"
        return self.pipe.recv()

    def close(self) -> None:
        self.pipe.send(False)
        self.process.join(30)


def faces() -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (ROWS, 1, 96, 96), dtype=torch.uint8, generator=source)
    return images, torch.rand(ROWS, 15, 2, generator=source) * 96


def engine() -> Trainer:
    """The engine with dfk's article recipe and a budget of one epoch."""
    images, points = (tensor.to(DEVICE) for tensor in faces())
    valid = torch.ones(ROWS, 15, dtype=torch.bool, device=DEVICE)
    rows = Resident(images, points, valid, torch.ones(ROWS, 2, device=DEVICE))
    spec = load_registry().get(ModelSpec, "dfk")
    recipe = replace(spec.recipes["article"], images_seen=ROWS)
    net = resolve(spec.build)(1, 96, 30).to(DEVICE, memory_format=torch.channels_last)
    return Trainer(
        net, make_codec(recipe.codec, 96), recipe, rows, None, size=96, flip_order=FACE15.flip_order(), seed=0
    )


def test_engine_against_the_articles_loop(benchmark):
    keep_freed_memory()
    trainer, busy = engine(), []

    def epoch() -> None:
        trainer.progress.epoch = 0
        trainer.progress.history.clear()
        started = time.process_time()
        trainer.fit()
        busy.append(time.process_time() - started)

    apart, kept = Apart(kept=False), Apart(kept=True)
    ways = {"article": apart, "article, freed memory kept": kept, "engine": lambda: seconds(epoch)}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name in list(ways) if turn % 2 else list(ways)[::-1]:
            spent = ways[name]()
            if turn:  # the first turn warms up
                taken[name].append(spent)
    apart.close()
    kept.close()
    benchmark.pedantic(epoch, rounds=1)
    medians = {name: statistics.median(found) for name, found in taken.items()}
    rates = "; ".join(f"{name} {ROWS / middle:.0f} images/s" for name, middle in medians.items())
    ratios = {name: middle / medians["engine"] for name, middle in medians.items()}
    benchmark.extra_info.update(ratios)
    print(f"\n{rates}; the engine is {ratios['article']:.2f} times the article's loop (medians of {ROUNDS} epochs)")
    on_host = DEVICE.type == "cpu"
    found = floors_of_step(
        trainer,
        (1, 96, 96),
        statistics.median(busy[1:] if on_host else taken["engine"]) / trainer.budget.steps,
        Peaks(DEVICE, ProcessorClock() if on_host else clock_for(DEVICE)),
    )
    print(f"by {'processor time' if on_host else 'the clock'}, a step's {floors_line(found['step'])}")
    print(peak_line(found["peak"]))
    assert all(len(each) == ROUNDS for each in taken.values())
