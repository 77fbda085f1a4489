"""Errors per image: the sums from which every score is made.

For image i with labelled points V_i, prediction p, truth t (native pixels) and scale s_i (scoring-frame pixels per
native pixel):

* squared error  `sum_sq_i = s_i² · Σ_{k∈V_i} |p_k − t_k|²`, over `count_i = 2·|V_i|` coordinates;
* NME  `nme_i = (1/|V_i|) · Σ_{k∈V_i} |p_k − t_k| / d_i`, with d_i a distance of the true face: between the outer eye
  corners (inter-ocular: 300-W, Sagonas et al. 2013), between the eye centres (inter-pupil), or the longer side
  max(w, h) of the bounding box of the labelled points (`bbox`, the box size of AFLW's convention).

An unlabelled point adds nothing to any sum, whatever stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.errors import FkbenchError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Ends = tuple[tuple[int, ...], tuple[int, ...]]

BBOX = "bbox"
LARGEST_SUM = 1e100
"""Of squared errors of an image, px²: squares of such sums, which variances are made of, still are numbers. The largest
prediction of single precision stays below it."""


@dataclass(frozen=True, eq=False)
class ImageErrors:
    """Errors of N images of K points each. Lengths are scoring-frame pixels unless the name says native.

    Attributes:
        ids: N image names.
        group: N names of the resampling unit (person, duplicate group).
        convention: N names of the row's label convention, where a dataset has several.
        kind: N row kinds for weighted mixes, where the dataset defines one.
        sum_sq: (N,) squared error over the labelled coordinates.
        sum_sq_x: (N,) its part along x; `count / 2` coordinates.
        sum_sq_y: (N,) its part along y; `count / 2` coordinates.
        sum_abs: (N,) absolute error over the labelled coordinates.
        count: (N,) labelled coordinates, two per point.
        point_sum_sq: (N, K) squared error of each point, 0 where it is not labelled.
        point_count: (N, K) labelled coordinates of each point: 2 or 0.
        native_sum_sq: (N,) `sum_sq` in native pixels.
        nme: normaliser → (N,) mean point error over its distance, a fraction; NaN where the distance is zero or one of
            its points is not labelled.
    """

    ids: tuple[str, ...]
    group: tuple[str, ...]
    convention: tuple[str, ...] | None
    sum_sq: FloatArray
    sum_sq_x: FloatArray
    sum_sq_y: FloatArray
    sum_abs: FloatArray
    count: IntArray
    point_sum_sq: FloatArray
    point_count: IntArray
    native_sum_sq: FloatArray
    nme: Mapping[str, FloatArray] = field(default_factory=dict)
    kind: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: npt.ArrayLike) -> ImageErrors:
        """The errors of some images only, by indices or by an (N,) mask: for slices."""
        rows = np.arange(len(self))[np.asarray(index)]

        def names(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
            return None if values is None else tuple(values[i] for i in rows)

        return ImageErrors(
            ids=names(self.ids) or (),
            group=names(self.group) or (),
            convention=names(self.convention),
            sum_sq=self.sum_sq[rows],
            sum_sq_x=self.sum_sq_x[rows],
            sum_sq_y=self.sum_sq_y[rows],
            sum_abs=self.sum_abs[rows],
            count=self.count[rows],
            point_sum_sq=self.point_sum_sq[rows],
            point_count=self.point_count[rows],
            native_sum_sq=self.native_sum_sq[rows],
            nme={name: values[rows] for name, values in self.nme.items()},
            kind=names(self.kind),
        )


def image_errors(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    valid: npt.ArrayLike,
    *,
    scale: npt.ArrayLike,
    normalisers: Mapping[str, Ends],
    ids: Sequence[str],
    group: Sequence[str],
    convention: Sequence[str] | None = None,
    kind: Sequence[str] | None = None,
) -> ImageErrors:
    """Errors of each image.

    Args:
        predicted: (N, K, 2) points, x then y, native pixels.
        truth: (N, K, 2) points, native pixels; read only where `valid`.
        valid: (N, K) bool, the point is labelled.
        scale: (N,) or one number, scoring-frame pixels per native pixel, > 0.
        normalisers: distance name → two groups of point indices whose means are its ends; `bbox` is added.
        ids: N image names.
        group: N names of the resampling unit.
        convention: N label conventions, where there are several.
        kind: N row kinds, where the dataset defines mixes.

    Raises:
        FkbenchError: shapes that do not fit together; a prediction that is not finite (or too large to be scored), or a
            labelled true point or scale that is not finite: the first such image is named.
    """
    pred, true, known = np.asarray(predicted, np.float64), np.asarray(truth, np.float64), np.asarray(valid, np.bool_)
    _check_shapes(pred, true, known, {"ids": ids, "group": group, "convention": convention, "kind": kind})
    factor = _scales(scale, ids)
    _require(np.isfinite(pred).all(axis=(1, 2)), ids, "The prediction", "is not finite", _REMEDY_PREDICTION)
    _require(np.isfinite(true).all(axis=2) | ~known, ids, "A labelled true point", "is not finite", _REMEDY_TRUTH)
    sums = _sums(pred, np.where(known[..., None], true, 0.0), known, factor, normalisers)
    fits = (sums["sum_sq"] <= LARGEST_SUM) & (sums["native_sum_sq"] <= LARGEST_SUM)
    _require(fits, ids, "The prediction", "is too far outside to be scored", _REMEDY_PREDICTION)
    conventions, kinds = (None if texts is None else tuple(texts) for texts in (convention, kind))
    return ImageErrors(tuple(ids), tuple(group), conventions, kind=kinds, **sums)


def _sums(
    pred: FloatArray, true: FloatArray, known: BoolArray, factor: FloatArray, normalisers: Mapping[str, Ends]
) -> dict[str, Any]:
    """The sums of `ImageErrors` by name; not finite where a prediction is too large to square."""
    with np.errstate(over="ignore", invalid="ignore"):
        native = np.where(known[..., None], pred - true, 0.0)
        error = native * factor[:, None, None]
        squared = error**2
        along_x, along_y = squared[..., 0].sum(axis=1), squared[..., 1].sum(axis=1)
        distance = np.sqrt(native[..., 0] ** 2 + native[..., 1] ** 2)
        return {
            "sum_sq": along_x + along_y,
            "sum_sq_x": along_x,
            "sum_sq_y": along_y,
            "sum_abs": np.abs(error).sum(axis=(1, 2)),
            "count": 2 * known.sum(axis=1, dtype=np.int64),
            "point_sum_sq": squared.sum(axis=2),
            "point_count": 2 * known.astype(np.int64),
            "native_sum_sq": (native**2).sum(axis=(1, 2)),
            "nme": _nme(distance, true, known, normalisers),
        }


_REMEDY_PREDICTION = (
    "Every keypoint needs finite x and y in native pixels; look for a net that diverged or empty cells."
)
_REMEDY_TRUTH = "Mark the point as missing in the dataset's `valid`."


def _check_shapes(
    pred: FloatArray, true: FloatArray, known: BoolArray, per_row: Mapping[str, Sequence[str] | None]
) -> None:
    if true.ndim != 3 or true.shape[2] != 2:
        raise FkbenchError(f"True points have shape {true.shape}, not (images, keypoints, 2).")
    if pred.shape != true.shape:
        raise FkbenchError(
            f"Predicted points have shape {pred.shape}, the true ones {true.shape}.",
            "Predict every keypoint of the scheme for every image of the split.",
        )
    if known.shape != true.shape[:2]:
        raise FkbenchError(f"The mask of labelled points has shape {known.shape}, not {true.shape[:2]}.")
    for name, values in per_row.items():
        if values is not None and len(values) != len(true):
            raise FkbenchError(f"{len(values)} values of '{name}' for {len(true)} images.")


def _scales(scale: npt.ArrayLike, ids: Sequence[str]) -> FloatArray:
    values = np.asarray(scale, np.float64)
    if values.shape not in ((), (len(ids),)):
        raise FkbenchError(f"Scales have shape {values.shape}, not ({len(ids)},).")
    factor = np.broadcast_to(values, (len(ids),))
    _require(np.isfinite(factor) & (factor > 0), ids, "The scale of the scoring frame", "is not positive", "")
    return factor


def _require(fine: npt.NDArray[np.bool_] | np.bool_, ids: Sequence[str], subject: str, fault: str, remedy: str) -> None:
    """Raise for the first image that is not fine; `fine` is (N,) or (N, K)."""
    if np.all(fine):
        return
    bad = np.flatnonzero(~np.reshape(fine, (len(ids), -1)).all(axis=1))
    others = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    raise FkbenchError(f"{subject} for image '{ids[int(bad[0])]}'{others} {fault}.", remedy)


def _nme(
    distance: FloatArray, true: FloatArray, known: BoolArray, normalisers: Mapping[str, Ends]
) -> dict[str, FloatArray]:
    points = known.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = distance.sum(axis=1) / points
        lengths = {name: _length(true, known, ends) for name, ends in normalisers.items() if name != BBOX}
        lengths[BBOX] = _box_side(true, known)
        return {name: np.where(length > 0, mean / length, np.nan) for name, length in lengths.items()}


def _length(true: FloatArray, known: BoolArray, ends: Ends) -> FloatArray:
    """(N,) distance between the means of two groups of points; NaN where one of them is not labelled."""
    first, second = (list(end) for end in ends)
    across = true[:, first].mean(axis=1) - true[:, second].mean(axis=1)
    length: FloatArray = np.sqrt(across[:, 0] ** 2 + across[:, 1] ** 2)
    return np.where(known[:, first + second].all(axis=1), length, np.nan)


def _box_side(true: FloatArray, known: BoolArray) -> FloatArray:
    """(N,) longer side of the bounding box of the labelled points; NaN where there are none."""
    low = np.where(known[..., None], true, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known[..., None], true, -np.inf).max(axis=1, initial=-np.inf)
    side: FloatArray = (high - low).max(axis=1)
    return np.where(known.any(axis=1), side, np.nan)
