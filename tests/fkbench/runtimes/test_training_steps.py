"""The stopwatch of training steps: what is left out, one sync for each block, when it ends."""

from __future__ import annotations

import pytest
import torch

from fkbench.registry import load_registry
from fkbench.runtimes import open_run, time_training
from fkbench.runtimes.training import WARM_STEPS, Stopwatch, _Enough
from fkbench.timing.clock import Clock


class Steps(Clock):
    """Time that passes as steps say; counts its syncs."""

    def __init__(self) -> None:
        self.time, self.syncs = 0.0, 0

    def now(self) -> float:
        return self.time

    def sync(self) -> None:
        self.syncs += 1


class Control:
    def __init__(self) -> None:
        self.blocks: list[float] = []

    def measure(self, seconds: float) -> None:
        self.blocks.append(1.0)


def test_steps_are_timed_in_blocks_without_the_first_ones():
    clock, control = Steps(), Control()
    watch = Stopwatch(clock, control, blocks=2, block_s=0.3)
    lasting = [9.0] * WARM_STEPS + [0.1] * 7
    with pytest.raises(_Enough):  # noqa: PT012 - the loop is what is stopped
        for number, seconds in enumerate(lasting):
            clock.time += seconds
            watch.step(4 if number < 9 else 100)
    assert watch.rates == pytest.approx([12 / 0.3, 108 / 0.3])
    assert watch.steps == pytest.approx([0.1, 0.1])
    assert len(control.blocks) == 3, "before each block and after the last"
    assert clock.syncs == 1 + 1 + 2, "before and after the step that calibrates, and one for each block"


def test_training_goes_on_where_the_budget_is_shorter_than_the_session_and_leaves_the_net_alone(place):
    timed = open_run(place.net, load_registry([place.model]), place.store, torch.device("cpu"))
    before = {name: value.clone() for name, value in timed.net.state_dict().items()}
    found = time_training(timed, quick=True)
    assert found["blocks"] == 3
    assert found["epoch_images"] == len(timed.inputs.split.train) // 16 * 16 == 32, "whole batches, as the recipe says"
    assert found["epoch_s"] == pytest.approx(found["epoch_images"] / found["train_images_per_s"])
    assert all(torch.equal(value, before[name]) for name, value in timed.net.state_dict().items())
    assert not timed.net.training
