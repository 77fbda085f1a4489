"""Several seeds of one net trained at once on one device, each exactly as it would be trained alone.

A small net's step leaves most of a GPU idle: its kernels are too short, and too few blocks each. Here every seed has a
stream of its own, and their steps (captured once each and replayed, see `fkbench.train.steps`) are put on them in
turns: the device works on several at a time, and on the others while the host sees to one's validation.

Stacking the weights into grouped kernels was decided against: dropout would draw other numbers than the lone run does,
and grouped convolutions and their gradients have slower kernels than dense ones. So nets need nothing special, and a
seed gives the same weights as alone, bit for bit on a processor.

On a processor nothing is idle that could be gained, and the turns are there for checking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from fkbench.errors import RunFailedError
from fkbench.train.engine import Listener, Trainer

Turn = Callable[[], AbstractContextManager[None]]
"""A context in which one training works: with its own random streams, and its own stream on a GPU."""


@dataclass
class Replica:
    """One training among several.

    Attributes:
        trainer: with its own net, and rows that may be shared.
        checkpoint: where its state is kept, at the end too.
        listener: hears of its progress.
        failure: why it ended before its budget.
    """

    trainer: Trainer
    checkpoint: Path
    listener: Listener = field(default_factory=Listener)
    failure: RunFailedError | None = None


def fit_together(replicas: Sequence[Replica]) -> None:
    """Train all of them to the end of their budgets; their checkpoints hold what they came to.

    One that diverges ends, with its `failure`, and the others go on.

    Raises:
        Exception: whatever a net raises, memory that does not suffice among it. Checkpoints written before still hold.
    """
    works = [
        (replica, turn_of(replica.trainer), _parts(replica)) for replica in replicas if not replica.trainer.is_done
    ]
    try:
        while works:
            for replica, _, _ in works:
                replica.trainer.sharing = len(works)
                replica.trainer.progress.together = max(replica.trainer.progress.together, len(works))
            works = [work for work in works if _goes_on(*work)]
    finally:
        for replica in replicas:
            replica.trainer.sharing = 1
        _wait({replica.trainer.device for replica in replicas})


def _wait(devices: set[torch.device]) -> None:
    """Let devices come to the end of what they were told on several streams, before anything of it is given back."""
    for device in devices:
        if device.type == "cuda":
            torch.cuda.synchronize(device)


def _parts(replica: Replica) -> Iterator[None]:
    return replica.trainer.parts(replica.listener, replica.checkpoint)


def _goes_on(replica: Replica, turn: Turn, parts: Iterator[None]) -> bool:
    """One part of a training; whether there are more."""
    with turn():
        try:
            next(parts)
        except StopIteration:
            return False
        except RunFailedError as failure:
            replica.failure = failure
            return False
    return True


def turn_of(trainer: Trainer) -> Turn:
    """The turn of a trainer whose net and rows are on its device."""
    return CudaTurn(trainer.device) if trainer.device.type == "cuda" else HostTurn()


class HostTurn:
    """PyTorch's random numbers on the processor go on in each turn where the last one left them."""

    def __init__(self) -> None:
        self.state = torch.get_rng_state()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        others = torch.get_rng_state()
        torch.set_rng_state(self.state)
        try:
            yield
        finally:
            self.state = torch.get_rng_state()
            torch.set_rng_state(others)


class CudaTurn:
    """A stream of its own, and a state of its own for PyTorch's random numbers there, which a captured step refers to.

    Args:
        device: of the training; what the current stream has been given there is waited for once.
    """

    def __init__(self, device: torch.device) -> None:
        self.host = HostTurn()
        self.stream = torch.cuda.Stream(device)
        self.stream.wait_stream(torch.cuda.current_stream(device))
        index = torch.cuda.current_device() if device.index is None else device.index
        self.source = torch.cuda.default_generators[index]
        self.state = self.source.clone_state()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        others = self.source.graphsafe_get_state()
        self.source.graphsafe_set_state(self.state)
        try:
            with self.host(), torch.cuda.stream(self.stream):
                yield
        finally:
            self.state = self.source.graphsafe_get_state()
            self.source.graphsafe_set_state(others)
