"""Speed of training steps: the engine itself at work on the training part, stopped when enough has been seen."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from fkbench.runner.fit import images_seen, training_parts
from fkbench.runtimes.subjects import Timed
from fkbench.timing.clock import Clock, clock_for
from fkbench.timing.control import Control
from fkbench.timing.floors import floors_page, peak_page, size_of, state_bytes, training
from fkbench.timing.measure import spread
from fkbench.timing.peaks import Peaks
from fkbench.timing.results import validity
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.engine import Listener, Trainer

WARM_STEPS = 3
BLOCKS, BLOCK_S = 10, 0.5
QUICK_BLOCKS, QUICK_BLOCK_S = 3, 0.1
CONTROL_S = 0.08


class _Enough(Exception):  # noqa: N818 - no error: it ends the training that is timed
    """Raised by the listener once all blocks are taken."""


@dataclass
class Stopwatch:
    """Hears of steps; times blocks of them with one sync each, and the control before each block and after the last.

    Attributes:
        clock: of the device.
        control: timed between blocks.
        blocks: how many.
        block_s: how long each is, about.
        rates: images per second of each block so far.
        steps: seconds of a step of each block.
    """

    clock: Clock
    control: Control
    blocks: int
    block_s: float
    rates: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    _heard: int = 0
    _images: int = 0
    _in_block: int = 0
    _length: int = 1
    _mark: Any = None

    def step(self, images: int) -> None:
        """One more step with so many images has been asked of the device."""
        self._heard += 1
        if self._heard < WARM_STEPS:
            return
        if self._heard <= WARM_STEPS + 1:
            self._calibrate()
            return
        self._images += images
        self._in_block += 1
        if self._in_block >= self._length:
            self._close()

    def _calibrate(self) -> None:
        """One warm step by itself says how many make a block."""
        if self._mark is None:
            self.clock.sync()
            self._mark = self.clock.start()
            return
        self._length = max(1, round(self.block_s / max(self.clock.seconds(self._mark), 1e-6)))
        self._open()

    def _open(self) -> None:
        self.control.measure(CONTROL_S)
        self._images = self._in_block = 0
        self._mark = self.clock.start()

    def _close(self) -> None:
        seconds = self.clock.seconds(self._mark)
        self.rates.append(self._images / seconds)
        self.steps.append(seconds / self._in_block)
        if len(self.rates) >= self.blocks:
            self.control.measure(CONTROL_S)
            raise _Enough
        self._open()


def time_training(timed: Timed, *, quick: bool, peaks: Peaks | None = None) -> dict[str, Any]:
    """Time steps of this model's training, as its recipe trains it: augmentation, loss, gradients, optimiser.

    A copy of the net is trained; weights that were trained already do as well as fresh ones.

    Args:
        quick: fewer and shorter blocks.
        peaks: of the device; None: no floors are stated.

    Returns:
        `step_ms` and `train_images_per_s` (medians over blocks, with quartiles), `epoch_s` for the `epoch_images` of
        an epoch, without validation and saving; `batch`, `precision`, the control's verdict; the `floors` of a step,
        None without peaks.
    """
    assert timed.net is not None
    assert timed.codec is not None
    assert timed.recipe is not None
    keep_freed_memory()
    channels, size = timed.model.input
    rows, _ = training_parts(timed.inputs, timed.recipe, size, channels, timed.device, timed.seed)
    net = copy.deepcopy(timed.net).to(timed.device)
    trainer = Trainer(
        net, timed.codec, timed.recipe, rows, None, size=size, flip_order=timed.inputs.scheme.flip_order(),
        seed=timed.seed, precision=timed.precision,
    )  # fmt: skip
    watch = _watch(timed.device, quick)
    while len(watch.rates) < watch.blocks:
        try:
            trainer.fit(Listener(step=watch.step))
        except _Enough:
            break
        trainer.progress.epoch = 0  # so little was to be trained that all of it is over: once more
        trainer.progress.history.clear()
    page = _page(watch, trainer)
    step_s, shape = page["step_ms"] / 1000.0, (channels, size, size)
    least = floors_of_step(trainer, shape, step_s, peaks) if peaks is not None else None
    return {**page, "precision": timed.precision, "quick": quick, "floors": least}


def floors_of_step(trainer: Trainer, input_shape: tuple[int, ...], step_s: float, peaks: Peaks) -> dict[str, Any]:
    """The floors of a training step beside its measured seconds; the trainer has made one already.

    Args:
        input_shape: (C, R, R).
        peaks: by the clock by which the step was measured.
    """
    peak, batch = peaks.at(trainer.precision), trainer.budget.batch
    size = size_of(trainer.net, input_shape)
    work = training(size, batch, trainer.precision, state_bytes(trainer.optimiser))
    return {"peak": peak_page(peak), "step": floors_page(work, peak, batch, step_s)}


def _watch(device: torch.device, quick: bool) -> Stopwatch:
    clock = clock_for(device)
    control = Control.on(device, clock)
    control.warm_up(CONTROL_S)
    blocks, seconds = (QUICK_BLOCKS, QUICK_BLOCK_S) if quick else (BLOCKS, BLOCK_S)
    return Stopwatch(clock, control, blocks, seconds)


def _page(watch: Stopwatch, trainer: Trainer) -> dict[str, Any]:
    rate = spread(watch.rates)
    epoch_images = images_seen(trainer.budget, 1)
    return {
        "batch": trainer.budget.batch,
        "step_ms": 1000.0 * float(np.median(watch.steps)),
        "train_images_per_s": rate.median,
        "train_images_per_s_iqr": [rate.low, rate.high],
        "blocks": len(watch.rates),
        "epoch_images": epoch_images,
        "epoch_s": epoch_images / rate.median,
        **validity(watch.control, 1),
    }
