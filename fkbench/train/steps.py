"""The steps of an epoch, one after another, or one captured and replayed.

On CUDA a step of a small net is mostly launches: some hundred kernels of a few microseconds. So the step is captured
once as a CUDA graph and replayed: it finds its rows, draws and rate by a counter on the device, so that a replay is one
launch and an epoch copies nothing and waits for nothing. The first steps are made one by one on a stream of their own,
as libraries that choose kernels or allocate on first use must not do so under capture; they count as any others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from typing import Protocol as TypingProtocol

import torch
from torch import Tensor

from fkbench.train.augment import Draws

StepOf = Callable[[Tensor, Draws], Tensor]
"""Rows (B,) and their draws → the loss, detached; the weights have been updated."""
Bounds = tuple[int, int]
Work = Callable[[], None]

FIRST_STEPS = 3


class Capture(TypingProtocol):
    """Something that can repeat work without doing it by hand."""

    def first(self, work: Work) -> None:
        """Do the work where it may still choose kernels and allocate."""

    def __call__(self, work: Work) -> Work:
        """A callable that repeats what a call of `work` does; nothing is done yet."""


class PlainSteps:
    """Steps one by one; rates are set from the host.

    Args:
        step: one step.
        optimiser: whose rate is set.

    Attributes:
        total: sum of losses times images of the epoch so far, on the device.
    """

    refusal = ""
    total: Tensor

    def __init__(self, step: StepOf, optimiser: torch.optim.Optimizer) -> None:
        self.step, self.optimiser = step, optimiser

    def epoch(self, order: Tensor, draws: Draws, bounds: Sequence[Bounds], rates: Sequence[float]) -> Iterator[int]:
        """The steps of an epoch, one for each number that is taken; between them, others may use the device.

        Args:
            order: (N,) rows as they are seen; draws: N.
            bounds: first and last + 1 of each step; rates: of each step.

        Yields:
            The images of a step that the device has been told to make.
        """
        self.total = torch.zeros((), device=order.device)
        for (low, high), rate in zip(bounds, rates, strict=True):
            set_rate(self.optimiser, rate)
            self.total += self.step(order[low:high], draws.part(low, high)) * (high - low)
            yield high - low


class ReplayedSteps:
    """Steps of full batches by replay; those of the first ones and of a smaller last batch are made one by one.

    Args:
        step: one step. It must allocate nothing that outlives it and never wait for the device.
        optimiser: whose rates are tensors on the device (see `make_optimiser`).
        batch: rows of a full batch.
        capture: what repeats a step.

    Attributes:
        refusal: why the step could not be captured (it waits for the device, say); empty where it could.
        total: as of `PlainSteps`.
    """

    total: Tensor

    def __init__(self, step: StepOf, optimiser: torch.optim.Optimizer, batch: int, capture: Capture) -> None:
        self.step, self.optimiser, self.batch, self.capture = step, optimiser, batch, capture
        self.made = 0
        self.replay: Work | None = None
        self.refusal = ""
        self.page: dict[str, Any] = {}

    def epoch(self, order: Tensor, draws: Draws, bounds: Sequence[Bounds], rates: Sequence[float]) -> Iterator[int]:
        """The steps of an epoch; see `PlainSteps`."""
        self._fill(order, draws, rates)
        for low, high in bounds:
            if high - low < self.batch:
                self.capture.first(partial(self._rest, low, high))
            elif self.made < FIRST_STEPS or self.refusal:
                self.capture.first(self._next)
                self.made += 1
            else:
                self._again()
            yield high - low
        self.total = self.page["total"].clone()

    def _again(self) -> None:
        """The next step by replay; one by one from here on where the net cannot be captured."""
        try:
            self.replay = self.replay or self.capture(self._next)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.refusal = str(error).splitlines()[0] if str(error) else type(error).__name__
            self.capture.first(self._next)
        else:
            self.replay()

    def _fill(self, order: Tensor, draws: Draws, rates: Sequence[float]) -> None:
        """Put an epoch's numbers where the captured step looks for them: the same memory in every epoch."""
        device = order.device
        if not self.page:
            self.page = {
                "order": torch.empty_like(order),
                "draws": Draws(*(torch.empty_like(getattr(draws, name)) for name in draws.__dataclass_fields__)),
                "rates": torch.zeros(-(-len(order) // self.batch), device=device),
                "place": torch.zeros((), dtype=torch.long, device=device),
                "total": torch.zeros((), device=device),
                "batch": torch.arange(self.batch, device=device),
            }
        self.page["order"].copy_(order)
        for name in draws.__dataclass_fields__:
            getattr(self.page["draws"], name).copy_(getattr(draws, name))
        self.page["rates"][: len(rates)].copy_(torch.tensor(rates))
        self.page["place"].zero_()
        self.page["total"].zero_()

    def _next(self) -> None:
        """The step that the counter on the device stands at."""
        page = self.page
        self._take_rate()
        chosen = page["place"] * self.batch + page["batch"]
        drawn = Draws(*(getattr(page["draws"], name)[chosen] for name in page["draws"].__dataclass_fields__))
        page["total"] += self.step(page["order"][chosen], drawn) * self.batch
        page["place"] += 1

    def _rest(self, low: int, high: int) -> None:
        self._take_rate()
        self.page["total"] += self.step(self.page["order"][low:high], self.page["draws"].part(low, high)) * (high - low)
        self.page["place"] += 1

    def _take_rate(self) -> None:
        rate = self.page["rates"].index_select(0, self.page["place"].view(1)).squeeze(0)
        for group in self.optimiser.param_groups:
            group["lr"].copy_(rate)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate from the host."""
    for group in optimiser.param_groups:
        group["lr"] = rate


class CudaCapture:
    """Captures work as CUDA graphs, with the generators that it draws from (PyTorch's own is among them always).

    It is captured on the stream on which the first steps were made: on the training's own device, and with a cuBLAS
    workspace of its own, which PyTorch keeps by stream, as the graphs of several trainings are replayed side by side.
    """

    def __init__(self, device: torch.device, generators: Sequence[torch.Generator]) -> None:
        self.device, self.generators = device, generators
        self.aside = torch.cuda.Stream(device)

    def first(self, work: Work) -> None:
        """Do the work on a stream of its own, as PyTorch asks of what is captured later."""
        here = torch.cuda.current_stream(self.device)
        self.aside.wait_stream(here)
        with torch.cuda.stream(self.aside):
            work()
        here.wait_stream(self.aside)

    def __call__(self, work: Work) -> Work:
        """A callable that launches what `work` launches."""
        graph = torch.cuda.CUDAGraph()
        for source in self.generators:
            graph.register_generator_state(source)
        torch.cuda.synchronize(self.device)
        try:
            with torch.cuda.graph(graph, stream=self.aside):
                work()
        except RuntimeError:
            self._renew_states()
            raise
        return graph.replay

    def _renew_states(self) -> None:
        """Random numbers go on after a capture that failed: older PyTorch leaves the states of its generators as if in
        it, and draws nothing from them outside."""
        index = torch.cuda.current_device() if self.device.index is None else self.device.index
        for source in (torch.cuda.default_generators[index], *self.generators):
            source.graphsafe_set_state(source.clone_state())
