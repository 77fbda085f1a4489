"""Errors of several seeds of one model on the same images, and their sums per group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.score.errors import LARGEST_SUM, FloatArray, ImageErrors, IntArray
from fkbench.score.metrics import total

_REMEDY = "Compare results of the same dataset fingerprint, split and box."


@dataclass(frozen=True, eq=False)
class SeedSums:
    """What intervals and comparisons need of a model: S seeds on N images.

    Attributes:
        ids: N image names, each once.
        group: N names of the resampling unit.
        sum_sq: (S, N) squared error over the labelled coordinates, scoring-frame pixels².
        count: (N,) labelled coordinates.

    Raises:
        FkbenchError: lengths that do not fit, no seed, an image twice, or a sum that is negative or too large.
    """

    ids: tuple[str, ...]
    group: tuple[str, ...]
    sum_sq: FloatArray
    count: IntArray

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.sum_sq.ndim != 2 or not len(self.sum_sq):
            raise FkbenchError(f"Errors have shape {self.sum_sq.shape}, not (seeds, images).")
        if self.sum_sq.shape[1] != n or self.count.shape != (n,) or len(self.group) != n:
            raise FkbenchError(f"Errors, counts and groups do not fit to {n} images.")
        if len(set(self.ids)) != n:
            raise FkbenchError("An image stands twice in the errors of a run.")
        # One row that runs over would make NaN of its comparisons, and those of all rows are adjusted together.
        low, high = float(self.sum_sq.min(initial=0.0)), float(self.sum_sq.max(initial=0.0))
        if not (low >= 0 and high <= LARGEST_SUM and (self.count >= 0).all()):
            raise FkbenchError(
                f"Errors of a run are negative or not finite, or above {LARGEST_SUM:g} px².", "Score the run again."
            )

    @classmethod
    def of(cls, seeds: Sequence[ImageErrors]) -> SeedSums:
        """From the errors of each seed; images are brought into the first seed's order."""
        if not seeds:
            raise FkbenchError("No seed to take errors from.")
        ones = [cls(e.ids, e.group, e.sum_sq[None], e.count) for e in seeds]
        rows = [one.aligned(ones[0]).sum_sq for one in ones]
        return cls(ones[0].ids, ones[0].group, np.concatenate(rows), ones[0].count)

    def aligned(self, other: SeedSums) -> SeedSums:
        """The same with images in the order of `other`.

        Raises:
            FkbenchError: other images, other groups or other numbers of labelled coordinates.
        """
        result = self if self.ids == other.ids else self._reordered(other.ids)
        if result.group != other.group:
            raise FkbenchError("Two results put the same images into different groups.", _REMEDY)
        if not np.array_equal(result.count, other.count):
            raise FkbenchError("Two results count different labelled coordinates on the same images.", _REMEDY)
        return result

    def _reordered(self, ids: tuple[str, ...]) -> SeedSums:
        place = {name: i for i, name in enumerate(self.ids)}
        missing = [name for name in ids if name not in place]
        if missing or len(ids) != len(self.ids):
            example = f" ('{missing[0]}' is in one only)" if missing else ""
            raise FkbenchError(f"Two results are not about the same images{example}.", _REMEDY)
        order = [place[name] for name in ids]
        return SeedSums(ids, tuple(self.group[i] for i in order), self.sum_sq[:, order], self.count[order])

    def mse_by_seed(self) -> FloatArray:
        """(S,) mean squared error over labelled coordinates, scoring-frame pixels²; NaN without any."""
        whole = total(self.count)
        return np.array([total(row) / whole if whole else math.nan for row in self.sum_sq], np.float64)

    def mse(self) -> float:
        """Mean of `mse_by_seed`, scoring-frame pixels²; NaN where nothing is labelled."""
        return total(self.mse_by_seed()) / len(self.sum_sq)


def group_codes(group: Sequence[str]) -> IntArray:
    """(N,) number of each image's group, groups counted in sorted order."""
    numbers = {name: i for i, name in enumerate(sorted(set(group)))}
    return np.array(list(map(numbers.__getitem__, group)), np.int64)


def group_sums(codes: IntArray, values: FloatArray) -> FloatArray:
    """(…, G) sums of (…, N) values over each group of `group_codes`."""
    groups = int(codes.max()) + 1 if len(codes) else 0
    rows = np.reshape(values, (math.prod(values.shape[:-1]), values.shape[-1]))
    sums = [np.bincount(codes, weights=row, minlength=groups) for row in rows]
    return np.array(sums, np.float64).reshape(*values.shape[:-1], groups)
