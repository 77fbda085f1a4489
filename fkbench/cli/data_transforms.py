"""What `fkbench data preview --transforms` shows: one picture under each transform and all in turn, or a training batch
as a protocol augments it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fkbench.cli.session import Session
from fkbench.errors import FkbenchError
from fkbench.protocols import PROTOCOLS
from fkbench.specs import DatasetSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from fkbench.datasets.samples import Samples
    from fkbench.runner.inputs import Inputs

BATCH_SIZE = 96
"""Side of the pictures of an augmented batch: that of most nets here."""


@dataclass(frozen=True)
class Cells:
    """Pictures (H, W, C) uint8 with points (K, 2) and titles, for a grid."""

    images: list[npt.NDArray[np.uint8]]
    points: list[npt.NDArray[Any]]
    titles: list[str]


def transform_cells(samples: Samples, index: int, text: str, flip_order: tuple[int, ...]) -> Cells:
    """The sample as it is, under each transform of `text` alone, and under all of them in turn.

    Raises:
        FkbenchError: no such transform, a bad value, or a crop that exceeds the picture.
    """
    import numpy as np

    from fkbench.transforms.catalogue import apply_alone, compose, parse_steps
    from fkbench.transforms.frames import Sample

    steps = parse_steps(text)
    sample = Sample(samples.frames[index], np.asarray(samples.points[index], np.float32), flip_order)
    shown = [(sample, "as it is"), *(apply_alone(steps, i, sample) for i in range(len(steps)))]
    if len(steps) > 1:
        shown.append((compose(steps, sample), "all in turn"))
    titles = [f"{title}: {s.image.shape[1]}x{s.image.shape[0]}" for s, title in shown]
    return Cells([s.image for s, _ in shown], [s.points for s, _ in shown], titles)


def augmented_cells(
    session: Session, spec: DatasetSpec, protocol: str, split: str, settings: Mapping[str, Any], count: int
) -> Cells:
    """`count` training pictures of 96×96, spread over the part, with a draw of the protocol's augmentation.

    Raises:
        FkbenchError: the protocol has no recipe of its own.
    """
    import numpy as np
    import torch

    from fkbench.specs import Geometry
    from fkbench.train.augment import Augmenter, draw
    from fkbench.train.streams import generator

    recipe = PROTOCOLS[protocol].recipe
    if recipe is None:
        raise FkbenchError(f"'{protocol}' has a recipe for each model, not one.", "Use uniform, or name transforms.")
    inputs = _open(session, spec, protocol, split, settings)
    train = inputs.split.train
    rows = train[np.unique(np.linspace(0, len(train) - 1, min(count, len(train))).round().astype(int))]
    cpu, size = torch.device("cpu"), BATCH_SIZE
    batch = inputs.training(size, spec.channels, Geometry(), rows, cpu)
    draws = draw(recipe.augmentation, len(rows), size, generator(0, "augmentation", 0))
    augmenter = Augmenter(recipe.augmentation, size, batch.pad, inputs.scheme.flip_order(), cpu)
    taken = batch.take(torch.arange(len(rows)), draws.place)
    images, points, valid = augmenter(*taken, draws, generator(0, "noise", 0))
    pictures = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    labelled = np.where(valid.numpy()[:, :, None], points.numpy(), np.nan)
    return Cells(list(pictures), list(labelled), [inputs.samples.ids[int(row)] for row in rows])


def _open(session: Session, spec: DatasetSpec, protocol: str, split: str, settings: Mapping[str, Any]) -> Inputs:
    """The dataset with the split and box that the protocol takes by default."""
    from fkbench.cli.bars import progress_bars
    from fkbench.runner.inputs import open_inputs

    with progress_bars() as bars:
        return open_inputs(
            session.registry,
            session.store,
            spec,
            split=split or spec.default_split(protocol),
            box=spec.default_box(protocol),
            settings={"dataset": settings},
            progress=bars,
        )
