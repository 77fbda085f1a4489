"""Training through the engine against a bare loop of the same net, batches and augmentation over the same tensors.

The target: the engine costs at most 5 % more. Blocks of both take turns in one process, so that whatever else the
machine does hits both; the ratio of the medians is printed, and how far the engine's step is from its two floors, both
by processor time.
"""

from __future__ import annotations

import statistics
import time

import torch

from fkbench.protocols import PROTOCOLS
from fkbench.registry import load_registry
from fkbench.runtimes.training import floors_of_step
from fkbench.schemes import FACE15
from fkbench.specs import ModelSpec, resolve
from fkbench.timing.clock import ProcessorClock
from fkbench.timing.floors import floors_line, peak_line
from fkbench.timing.peaks import Peaks
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.augment import Augmenter, draw
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Trainer
from fkbench.train.optimisation import make_optimiser
from fkbench.train.pictures import normalised
from fkbench.train.resident import Resident
from fkbench.train.streams import generator

ROWS, BATCH, ROUNDS = 256, 64, 7


def resident() -> Resident:
    source = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (ROWS, 1, 96, 96), dtype=torch.uint8, generator=source)
    points = torch.rand(ROWS, 15, 2, generator=source) * 96
    return Resident(images, points, torch.ones(ROWS, 15, dtype=torch.bool), torch.ones(ROWS, 2))


def bare_epoch(net, optimiser, recipe, rows, codec) -> float:
    """What a person would write by hand: shuffle, augment, step."""
    augmenter = Augmenter(recipe.augmentation, 96, 0, FACE15.flip_order(), torch.device("cpu"))
    order = torch.randperm(ROWS)
    draws = draw(recipe.augmentation, ROWS, 96, generator(0, "bare"))
    noise = generator(0, "noise")
    net.train()
    started = time.perf_counter()
    for low in range(0, ROWS, BATCH):
        index = order[low : low + BATCH]
        batch = augmenter(
            rows.images[index], rows.points[index], rows.valid[index], draws.part(low, low + BATCH), noise
        )
        loss = codec.loss(net(normalised(batch[0], recipe.normalise)), batch[1], batch[2])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return time.perf_counter() - started


def engine_epoch(trainer: Trainer) -> None:
    """All of a budget of one epoch, from its first step."""
    trainer.progress.epoch = 0
    trainer.progress.history.clear()
    trainer.fit()


def test_engine_against_a_bare_loop(benchmark):
    keep_freed_memory()
    spec = load_registry().get(ModelSpec, "dfk")
    recipe = PROTOCOLS["smoke"].recipe
    recipe = type(recipe)(**{**vars(recipe), "batch": BATCH, "images_seen": ROWS})
    codec, rows = make_codec(recipe.codec, 96), resident()
    nets = [resolve(spec.build)(1, 96, 30).to(memory_format=torch.channels_last) for _ in range(2)]
    trainer = Trainer(nets[0], codec, recipe, rows, None, size=96, flip_order=FACE15.flip_order(), seed=0)
    optimiser = make_optimiser(recipe, nets[1].parameters())
    engine, bare, busy = [], [], []
    engine_epoch(trainer)  # warm-up
    bare_epoch(nets[1], optimiser, recipe, rows, codec)
    for turn in range(ROUNDS):
        for which in (0, 1) if turn % 2 else (1, 0):
            if which:
                bare.append(bare_epoch(nets[1], optimiser, recipe, rows, codec))
            else:
                started = time.perf_counter(), time.process_time()
                engine_epoch(trainer)
                engine.append(time.perf_counter() - started[0])
                busy.append(time.process_time() - started[1])
    benchmark.pedantic(lambda: engine_epoch(trainer), rounds=1)
    ratio = statistics.median(engine) / statistics.median(bare)
    rate = ROWS / statistics.median(engine)
    print(f"\nengine {rate:.0f} images/s; engine / bare loop = {ratio:.3f} (medians of {ROUNDS} interleaved epochs)")
    found = floors_of_step(
        trainer, (1, 96, 96), statistics.median(busy) / trainer.budget.steps, Peaks(trainer.device, ProcessorClock())
    )
    print(f"by processor time, a step's {floors_line(found['step'])}\n{peak_line(found['peak'])}")
    assert len(engine) == len(bare) == ROUNDS
