"""dfk's article recipe through the engine against the article's own loop, written out: per-sample transforms.

The article's loop, as a reader of it would type it: a dataset of float32 pictures, `ToTensor` and
`RandomAdjustSharpness(2)` a sample, a `DataLoader` with its defaults, the contiguous layout, `Adamax` as it comes, the
loss read in every step. The engine runs the same net by the same recipe over the same pictures and points. Epochs of
both take turns in one process, so that whatever else the machine does hits both; the ratio of the medians is printed.
The target is 4 on two CPU cores.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fkbench.registry import load_registry
from fkbench.schemes import FACE15
from fkbench.specs import ModelSpec, resolve
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import make_codec
from fkbench.train.engine import Listener, Trainer
from fkbench.train.resident import Resident

ROWS, ROUNDS = 256, 5


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
            loss = torch.sqrt(measure(net(pictures), targets))
            loss.backward()
            optimiser.step()
            total += loss.item()

    return epoch


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_engine_against_the_articles_loop(benchmark):
    keep_freed_memory()
    source = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (ROWS, 1, 96, 96), dtype=torch.uint8, generator=source)
    points = torch.rand(ROWS, 15, 2, generator=source) * 96
    rows = Resident(images, points, torch.ones(ROWS, 15, dtype=torch.bool), torch.ones(ROWS, 2))
    spec = load_registry().get(ModelSpec, "dfk")
    recipe = spec.recipes["article"]
    net = resolve(spec.build)(1, 96, 30).to(memory_format=torch.channels_last)
    trainer = Trainer(
        net, make_codec(recipe.codec, 96), recipe, rows, None, size=96, flip_order=FACE15.flip_order(), seed=0
    )
    ways = {
        "article": article_epoch(resolve(spec.build)(1, 96, 30), images, points),
        "engine": lambda: trainer._epoch(Listener()),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name in list(ways) if turn % 2 else list(ways)[::-1]:
            spent = seconds(ways[name])
            if turn:  # the first turn warms up
                taken[name].append(spent)
    benchmark.pedantic(ways["engine"], rounds=1)
    medians = {name: statistics.median(found) for name, found in taken.items()}
    rates = ", ".join(f"{name} {ROWS / middle:.0f} images/s" for name, middle in medians.items())
    ratio = medians["article"] / medians["engine"]
    print(f"\n{rates}; {ratio:.2f} times the article's loop (medians of {ROUNDS} interleaved epochs)")
    assert all(len(found) == ROUNDS for found in taken.values())
