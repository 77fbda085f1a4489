"""The labels that a result was scored against, from the dataset at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fkbench.datasets.access import open_samples
from fkbench.datasets.scoring import scoring_scale
from fkbench.datasets.splits import get_split
from fkbench.datasets.store import Store
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.records import RunRecord
from fkbench.registry import Registry
from fkbench.schemes import scheme_of
from fkbench.score import ImageErrors, image_errors
from fkbench.score.errors import Ends
from fkbench.specs import DatasetSpec


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of the images of a test part.

    Attributes:
        points: (N, K, 2) native pixels.
        valid: (N, K).
        scale: (N,) scoring-frame pixels per native pixel.
        point_names: K names.
    """

    spec: DatasetSpec
    ids: tuple[str, ...]
    group: tuple[str, ...]
    convention: tuple[str, ...] | None
    kind: tuple[str, ...] | None
    points: npt.NDArray[np.floating]
    valid: npt.NDArray[np.bool_]
    scale: npt.NDArray[np.floating]
    normalisers: dict[str, Ends]

    def errors(self, points: npt.NDArray[np.floating]) -> ImageErrors:
        """Errors per image of predicted points (N, K, 2), native pixels.

        Raises:
            FkbenchError: points that are not finite, or of another number.
        """
        return image_errors(
            points, self.points, self.valid, scale=self.scale, normalisers=self.normalisers,
            ids=self.ids, group=self.group, convention=self.convention, kind=self.kind,
        )  # fmt: skip


def labels_of(record: RunRecord, registry: Registry, store: Store) -> Labels:
    """The labels of a record's test part.

    Raises:
        FkbenchError: the dataset is not here, or is not the one that the record is about.
    """
    spec = find_run_dataset(registry, record.dataset.name, store.root)
    samples = open_samples(spec, store, record.dataset.settings, registry=registry)
    if samples.fingerprint != record.dataset.fingerprint:
        raise FkbenchError(
            f"the {spec.name} here is not the one of the record: its fingerprint is {samples.fingerprint[:15]}…, "
            f"not {record.dataset.fingerprint[:15]}…"
        )
    split = get_split(spec, samples, record.dataset.split)
    if split.version != record.dataset.split_version:
        raise FkbenchError(
            f"the split {split.name} is version {split.version} here, not {record.dataset.split_version}"
        )
    rows = split.test
    return Labels(
        spec=spec,
        ids=tuple(samples.ids[i] for i in rows),
        group=tuple(samples.group[i] for i in rows),
        convention=tuple(samples.convention[i] for i in rows) if samples.convention else None,
        kind=tuple(samples.row_kind[i] for i in rows) if samples.row_kind else None,
        points=np.asarray(samples.points[rows]),
        valid=np.asarray(samples.valid[rows]),
        scale=np.asarray(scoring_scale(spec, samples)[rows]),
        normalisers=dict(scheme_of(spec).normalisers),
    )
