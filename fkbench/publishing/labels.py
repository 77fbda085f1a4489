"""The labels that a result was scored against, from the dataset at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.access import open_samples
from fkbench.datasets.leaks import leak_numbers
from fkbench.datasets.scoring import scoring_scale
from fkbench.datasets.splits import get_split
from fkbench.datasets.store import Store
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.records import RunRecord
from fkbench.records.plain import plain
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
        facts: what is known of the data, by its name in a record: `official`, `counts`, `leaky`, `leaks`.
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
    facts: Mapping[str, Any] = field(default_factory=dict)

    def denied(self, record: RunRecord) -> list[str]:
        """What a record says of its data that is not so, a line each. What it does not say is no lie."""
        data = record.dataset
        stated = {
            "official labels": (data.official.labels, self.facts.get("official", {}).get("labels")),
            "official pixels": (data.official.pixels, self.facts.get("official", {}).get("pixels")),
            "flag leaky": ("leaky" in record.flags, self.facts.get("leaky")),
            "leaks": (data.leaks, self.facts.get("leaks")),
            **{f"images in {part}": (n, self.facts.get("counts", {}).get(part)) for part, n in data.counts.items()},
        }
        return [
            f"{name}: the record has {_shown(said)}, the dataset here {_shown(known)}"
            for name, (said, known) in stated.items()
            if said is not None and known is not None and said != known
        ]

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
        facts={
            "official": {"labels": samples.official.labels, "pixels": samples.official.pixels},
            "counts": split.counts,
            "leaky": split.leaky,
            "leaks": plain(leak_numbers(samples, split)) if record.dataset.leaks is not None else None,
        },
    )


def _shown(value: Any) -> str:
    return "other numbers" if isinstance(value, Mapping) else str(value).lower()
