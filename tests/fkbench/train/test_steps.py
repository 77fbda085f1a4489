"""Steps one by one and replayed: the same weights, losses and rates, whatever the sizes of the batches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fkbench.train.augment import Draws, draw
from fkbench.train.steps import FIRST_STEPS, PlainSteps, ReplayedSteps

ROWS = 23
TARGETS = torch.linspace(-1, 1, ROWS)
INPUTS = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(1))


class Rehearsal:
    """Stands for a device's capture: what is captured is done when it is replayed, not before."""

    def __init__(self) -> None:
        self.firsts = self.captures = self.replays = 0

    def first(self, work: Callable[[], None]) -> None:
        self.firsts += 1
        work()

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        self.captures += 1

        def replay() -> None:
            self.replays += 1
            work()

        return replay


class Bench:
    """A net with momentum, whose step uses its rows and one of its draws."""

    def __init__(self, rate: float | Tensor) -> None:
        torch.manual_seed(0)
        self.net = nn.Linear(4, 1)
        self.optimiser = torch.optim.SGD(self.net.parameters(), lr=rate, momentum=0.9)

    def step(self, rows: Tensor, draws: Draws) -> Tensor:
        loss = (self.net(INPUTS[rows]).squeeze(1) - TARGETS[rows] * draws.contrast).square().mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def weights(self) -> Tensor:
        return torch.cat([value.detach().flatten() for value in self.net.parameters()])


def epochs(steps: PlainSteps | ReplayedSteps, batch: int, count: int = 3) -> list[float]:
    from fkbench.specs import Augmentation

    losses, seen = [], []
    for epoch in range(count):
        source = torch.Generator().manual_seed(epoch)
        order = torch.randperm(ROWS, generator=source)
        draws = draw(Augmentation(contrast=0.5), ROWS, 16, source)
        bounds = [(low, min(low + batch, ROWS)) for low in range(0, ROWS, batch)]
        rates = [0.1 / (1 + epoch + place) for place in range(len(bounds))]
        seen += steps.epoch(order, draws, bounds, rates)
        losses.append(float(steps.total))
    assert sum(seen) == ROWS * count
    return losses


@pytest.mark.parametrize("batch", [4, 8, ROWS])
def test_replayed_steps_give_what_single_steps_give(batch):
    plain, replayed = Bench(0.0), Bench(torch.tensor(0.0))
    capture = Rehearsal()
    found = epochs(ReplayedSteps(replayed.step, replayed.optimiser, batch, capture), batch)
    assert found == pytest.approx(epochs(PlainSteps(plain.step, plain.optimiser), batch), rel=1e-6)
    torch.testing.assert_close(replayed.weights(), plain.weights())


def test_the_step_is_captured_once_after_the_first_ones_and_smaller_batches_are_not():
    bench, capture = Bench(torch.tensor(0.0)), Rehearsal()
    epochs(ReplayedSteps(bench.step, bench.optimiser, 4, capture), 4)
    full, rest = 3 * (ROWS // 4), 3  # 23 rows: five full batches and one of three, three times
    assert capture.captures == 1
    assert capture.firsts == FIRST_STEPS + rest
    assert capture.replays == full - FIRST_STEPS


def test_an_epoch_is_read_from_the_same_memory_every_time():
    """A captured graph knows addresses, not tensors."""
    bench = Bench(torch.tensor(0.0))
    steps = ReplayedSteps(bench.step, bench.optimiser, 4, Rehearsal())
    epochs(steps, 4, 1)
    before = {name: value.data_ptr() for name, value in steps.page.items() if isinstance(value, Tensor)}
    lr = bench.optimiser.param_groups[0]["lr"].data_ptr()
    epochs(steps, 4, 1)
    assert {name: value.data_ptr() for name, value in steps.page.items() if isinstance(value, Tensor)} == before
    assert bench.optimiser.param_groups[0]["lr"].data_ptr() == lr


def test_a_step_that_cannot_be_captured_is_made_one_by_one_and_says_why():
    class Refusing(Rehearsal):
        def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")

    plain, refused = Bench(0.0), Bench(torch.tensor(0.0))
    steps = ReplayedSteps(refused.step, refused.optimiser, 4, Refusing())
    assert epochs(steps, 4) == pytest.approx(epochs(PlainSteps(plain.step, plain.optimiser), 4), rel=1e-6)
    assert steps.refusal == "operation not permitted when stream is capturing"
