"""The training loop: resident views, augmentation on the device, nothing in an epoch that waits for the host.

CPU and CUDA run the same code. On one machine the same seed gives the same result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fkbench.errors import RunFailedError
from fkbench.specs import Recipe
from fkbench.train.augment import Augmenter, Draws, draw
from fkbench.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from fkbench.train.codecs import Codec
from fkbench.train.initialisation import initialise
from fkbench.train.optimisation import budget_of, learning_rate, make_optimiser
from fkbench.train.pictures import net_input, normalised
from fkbench.train.resident import Resident, Rows
from fkbench.train.steps import CudaCapture, PlainSteps, ReplayedSteps
from fkbench.train.streams import generator, stream_seed

CHECKPOINT_EVERY_S = 30.0
STEPS_IN_TURN = 64
"""Steps that a training asks of the device before another has its turn; a GPU holds about a thousand in waiting."""
Row = dict[str, float]


@dataclass(frozen=True)
class Listener:
    """Who hears of progress: `step(images)` after each step, `epoch(row)` after each epoch, `note(text)` of what else
    must be known."""

    step: Callable[[int], None] = lambda images: None
    epoch: Callable[[Row], None] = lambda row: None
    note: Callable[[str], None] = lambda text: None


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which a net of this precision (`fp32`, `bf16`) runs."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def start_weights(net: nn.Module, codec: Codec, recipe: Recipe, train: Rows, seed: int) -> None:
    """Initialise a net on the CPU as the recipe says: before it is moved, so that every device starts alike."""
    if recipe.initialisation != "he":
        return
    torch.manual_seed(stream_seed(seed, "initialisation"))
    initialise(net, codec.encode(train.mean_points().unsqueeze(0))[0].cpu())


class Trainer:
    """Trains one net by one recipe.

    Args:
        net: on the device, with fresh weights.
        codec: of the recipe, for the net's input size.
        train: canvases with their margin, or whole frames to crop.
        val: evaluation views, or None where the recipe trains on everything.
        size: side of the net's input.
        flip_order: index order of mirrored points.
        precision: `fp32` or `bf16`.
        identity: of the run and the net's code, kept in the checkpoint.

    Attributes:
        sharing: how many trainings share the device at present, this one among them: its seconds are a share.
    """

    sharing = 1

    def __init__(
        self,
        net: nn.Module,
        codec: Codec,
        recipe: Recipe,
        train: Rows,
        val: Resident | None,
        *,
        size: int,
        flip_order: list[int],
        seed: int,
        precision: str = "fp32",
        identity: str = "",
    ) -> None:
        self.net, self.codec, self.recipe, self.train_rows, self.val_rows = net, codec, recipe, train, val
        self.device = train.points.device
        self.precision = precision
        self.seed, self.identity = seed, identity
        self.size = size
        self.augmenter = Augmenter(recipe.augmentation, size, train.pad, flip_order, self.device)
        self.optimiser = make_optimiser(recipe, net.parameters(), self.device)
        self.budget = budget_of(recipe, len(train))
        self.progress = Progress()
        self.noise = generator(seed, "noise", device=str(self.device))
        self.steps = self._steps()

    def _steps(self) -> PlainSteps | ReplayedSteps:
        if self.device.type != "cuda":
            return PlainSteps(self._step, self.optimiser)
        return ReplayedSteps(self._step, self.optimiser, self.budget.batch, CudaCapture(self.device, [self.noise]))

    @property
    def is_done(self) -> bool:
        """Whether the whole budget has been trained."""
        return self.progress.epoch >= self.budget.epochs

    def resume(self, checkpoint: Path) -> None:
        """Go on from a checkpoint."""
        self.progress = load_checkpoint(checkpoint, self.net, self.optimiser)

    def fit(self, listener: Listener | None = None, checkpoint: Path | None = None) -> Progress:
        """Train to the end of the budget.

        Args:
            listener: hears of steps and epochs.
            checkpoint: where to keep the state: after the first epoch, then at most every 30 s, and at the end.

        Raises:
            RunFailedError: the loss is not finite any more.
        """
        for _ in self.parts(listener, checkpoint):
            pass
        return self.progress

    def parts(self, listener: Listener | None = None, checkpoint: Path | None = None) -> Iterator[None]:
        """`fit` in parts, so that several trainings can take turns on one device (see `fkbench.train.together`).

        A part ends once the device has been told what to do, before anything waits for it.
        """
        heard = listener or Listener()
        saved_at = time.monotonic()
        while not self.is_done:
            row = yield from self._epoch(heard)
            self.progress.history.append(row)
            self.progress.epoch += 1
            heard.epoch(row)
            due = self.progress.epoch == 1 or time.monotonic() - saved_at >= CHECKPOINT_EVERY_S
            if checkpoint and due:
                self.save(checkpoint)
                saved_at = time.monotonic()
        if checkpoint:
            self.save(checkpoint)
        if self.steps.refusal:
            heard.note(f"steps were made one by one, as this net's cannot be captured: {self.steps.refusal}")

    def save(self, checkpoint: Path) -> None:
        save_checkpoint(checkpoint, self.net, self.optimiser, self.progress, self.identity)

    def _epoch(self, heard: Listener) -> Generator[None, None, Row]:
        epoch = self.progress.epoch
        steps = self.budget.steps_in(epoch)
        order, draws = self._prepare(epoch)
        self.net.train()
        first = epoch * self.budget.steps_per_epoch
        val_losses = [row["val_loss"] for row in self.progress.history]
        rates = [learning_rate(self.recipe, first + i, self.budget.steps, val_losses) for i in range(steps)]
        starts = range(0, steps * self.budget.batch, self.budget.batch)
        bounds = [(low, min(low + self.budget.batch, len(order))) for low in starts]
        started = time.perf_counter()
        for place, images in enumerate(self.steps.epoch(order, draws, bounds, rates), start=1):
            heard.step(images)
            if place % STEPS_IN_TURN == 0:
                yield
        yield
        seen = min(steps * self.budget.batch, len(order))
        train_loss = float(self.steps.total) / seen  # waits for the device, so that the seconds below are whole
        seconds = (time.perf_counter() - started) / self.sharing
        self.progress.seconds += seconds
        if train_loss != train_loss or train_loss == float("inf"):
            raise RunFailedError(
                f"Training diverged: the loss of epoch {epoch + 1} is {train_loss}.",
                "Lower protocol.lr, or check the net.",
            )
        val_loss, val_rmse = yield from self._validate(epoch)
        return {
            "epoch": epoch + 1,
            "lr": rates[-1],
            "train_loss": train_loss,
            "val_loss": val_loss,
            "val_rmse": val_rmse,
            "seconds": seconds,
        }

    def _prepare(self, epoch: int) -> tuple[Tensor, Draws]:
        """Everything random of an epoch: order of rows, parameters of augmentation, streams of noise and dropout."""
        count = len(self.train_rows)
        order = torch.randperm(count, generator=generator(self.seed, "shuffle", epoch))
        source = generator(self.seed, "augmentation", epoch)
        draws = draw(self.recipe.augmentation, count, self.size, source)
        self.noise.manual_seed(stream_seed(self.seed, "noise", epoch))
        torch.manual_seed(stream_seed(self.seed, "dropout", epoch))
        return order.to(self.device), draws.to(self.device)

    def _step(self, rows: Tensor, draws: Draws) -> Tensor:
        images, points, valid = self.augmenter(*self.train_rows.take(rows, draws.place), draws, self.noise)
        with autocast(self.device, self.precision):
            output = self.net(normalised(images, self.recipe.normalise))
        loss = self.codec.loss(output, points, valid)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def _validate(self, epoch: int) -> Generator[None, None, tuple[float, float]]:
        if self.val_rows is None or not len(self.val_rows):
            return float("nan"), float("nan")
        sums = evaluation_sums(self.net, self.codec, self.val_rows, self.precision, self.recipe.normalise)
        yield
        loss, rmse = loss_and_rmse(sums, len(self.val_rows))
        if self.recipe.selection == "best" and rmse < self.progress.best_rmse:
            self.progress.best_rmse, self.progress.best_epoch = rmse, epoch + 1
            self.progress.best = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        return loss, rmse


def evaluate(
    net: nn.Module, codec: Codec, rows: Resident, precision: str, normalise: str = "unit", batch: int = 256
) -> tuple[float, float]:
    """Mean loss and rmse in the scoring frame of a net on evaluation views. Leaves the net in eval mode."""
    return loss_and_rmse(evaluation_sums(net, codec, rows, precision, normalise, batch), len(rows))


def evaluation_sums(
    net: nn.Module, codec: Codec, rows: Resident, precision: str, normalise: str = "unit", batch: int = 256
) -> Tensor:
    """(3,) on the device, which is not waited for: loss times images, squared error, labelled coordinates."""
    net.eval()
    device = rows.images.device
    sums = torch.zeros(3, device=device, dtype=torch.float64)
    with torch.inference_mode():
        for low in range(0, len(rows), batch):
            part = slice(low, low + batch)
            points, valid = rows.points[part], rows.valid[part]
            with autocast(device, precision):
                output = net(net_input(rows.images[part], normalise))
            error = (codec.decode(output) - points) * rows.unit[part, None]
            squares = (error.square() * valid.unsqueeze(2)).sum()
            sums += torch.stack([codec.loss(output, points, valid) * len(points), squares, 2.0 * valid.sum()])
    return sums


def loss_and_rmse(sums: Tensor, images: int) -> tuple[float, float]:
    """What `evaluation_sums` of so many images says; waits for the device."""
    loss, squares, count = sums.tolist()
    return loss / images, (squares / max(count, 1.0)) ** 0.5
