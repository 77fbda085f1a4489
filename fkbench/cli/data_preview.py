"""`fkbench data preview`: pictures of a dataset with their keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.data_transforms import Cells, augmented_cells, transform_cells
from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.protocols import PROTOCOLS
from fkbench.schemes import scheme_of
from fkbench.specs import DatasetSpec

if TYPE_CHECKING:
    from fkbench.datasets.samples import Samples

PARTS = ("all", "train", "val", "test", "unlabelled")
LARGE = 768
TransformsOption = Annotated[
    str,
    typer.Option(
        help="One sample under each of these, and all in turn: all, or a list such as rescale=250,random-crop=224. "
        "Or a protocol (uniform): a training batch as it augments it."
    ),
]


def preview(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="See `fkbench list datasets`, or a TOML file.")],
    out: Annotated[Path | None, typer.Option(help="Picture to write; default: DATASET-preview.png here.")] = None,
    sample: Annotated[str, typer.Option(help="One sample, large: its number from 0, or its id.")] = "",
    part: Annotated[str, typer.Option(help="Which pictures: " + ", ".join(PARTS) + ".")] = "all",
    split: Annotated[str, typer.Option(help="Split of train, val and test; default: the dataset's first.")] = "",
    count: Annotated[int, typer.Option(help="How many, spread evenly over the part.")] = 24,
    transforms: TransformsOption = "",
    assignments: Annotated[list[str] | None, typer.Option("--set", help="Dataset setting, key=value.")] = None,
    as_json: JsonObjectOption = False,
) -> None:
    """Draw a grid of a dataset's pictures with their keypoints, one of them large, or what transforms make of it."""
    from fkbench.draw.files import PICTURE_SUFFIXES, check_target

    session = current(context)
    spec = session.dataset(dataset)
    _check_options(part, count, transforms, sample)
    target = out or Path(f"{spec.name}-preview.png")
    check_target(target, PICTURE_SUFFIXES)
    settings = parse_settings(list(assignments or ()), "dataset").get("dataset", {})
    samples = _open(session, spec, settings)
    pool, chosen = _choose(spec, samples, part, split, sample or ("0" if transforms else ""), count)
    if transforms in PROTOCOLS:
        cells = augmented_cells(session, spec, transforms, split, settings, count)
    elif transforms:
        cells = transform_cells(samples, chosen[0], transforms, tuple(scheme_of(spec).flip_order()))
    else:
        points = [] if part == "unlabelled" else [samples.points[index] for index in chosen]
        cells = Cells([pool.frames[index] for index in chosen], points, [pool.ids[index] for index in chosen])
    path = _draw(spec, cells, target)
    if as_json:
        ids = cells.titles if transforms in PROTOCOLS else [pool.ids[index] for index in chosen]
        shown = cells.titles if transforms and transforms not in PROTOCOLS else []
        print_json({"path": str(path), "dataset": spec.name, "part": part, "ids": ids, "transforms": shown})
    else:
        typer.echo(str(path))


def _check_options(part: str, count: int, transforms: str, sample: str) -> None:
    if part not in PARTS:
        raise UnknownNameError("part", part, PARTS)
    if not 1 <= count <= 400:
        raise FkbenchError(f"--count {count} is not between 1 and 400.", "The default is 24.")
    if transforms and part == "unlabelled":
        raise FkbenchError("--transforms shows labelled pictures.", "Leave --part unlabelled out.")
    if transforms in PROTOCOLS and (sample or part not in ("all", "train")):
        raise FkbenchError("A protocol augments training pictures.", "Leave --sample and --part out.")


def _draw(spec: DatasetSpec, cells: Cells, target: Path) -> Path:
    """The grid, in a file; it says so where pictures of the dataset must not be shown."""
    from fkbench.draw.grids import sample_grid, save

    one = len(cells.images) == 1
    grid = sample_grid(
        cells.images, cells.points or None, scheme=scheme_of(spec), titles=None if one else cells.titles,
        columns=1 if one else min(6, len(cells.images)), cell=LARGE if one else 192,
    )  # fmt: skip
    path = save(grid, target)
    if not spec.terms.public:
        note(f"These pictures must not be shown in public ({spec.terms.licence}).")
    return path


def _open(session: Session, spec: DatasetSpec, settings: Mapping[str, Any]) -> Samples:
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.access import open_samples

    with progress_bars() as bars:
        return open_samples(spec, session.store, settings, bars, registry=session.registry)


def _choose(
    spec: DatasetSpec, samples: Samples, part: str, split: str, sample: str, count: int
) -> tuple[Any, list[int]]:
    """The part's owner of ids and frames, and the indices to show."""
    import numpy as np

    from fkbench.datasets.splits import get_split

    pool: Any = samples
    indices: Sequence[int] = range(len(samples))
    if part == "unlabelled":
        if samples.unlabelled is None or not samples.unlabelled.ids:
            raise FkbenchError(f"{spec.name} has no unlabelled part here.", "Leave --part out.")
        pool, indices = samples.unlabelled, range(len(samples.unlabelled.ids))
    elif part != "all":
        indices = getattr(get_split(spec, samples, split or spec.splits[0].name), part).tolist()
    if sample:
        return pool, [_find(pool.ids, indices, sample)]
    spread = np.unique(np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int))
    return pool, [int(indices[position]) for position in spread]


def _find(ids: Sequence[str], indices: Sequence[int], sample: str) -> int:
    if sample in ids:
        return ids.index(sample)
    if sample.isdigit() and int(sample) < len(indices):
        return int(indices[int(sample)])
    if sample.lstrip("-").isdigit():
        raise FkbenchError(f"There is no sample {sample}.", f"Samples of this part are 0 to {len(indices) - 1}.")
    raise UnknownNameError("sample", sample, ids)
