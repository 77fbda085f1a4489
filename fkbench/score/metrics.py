"""Scores of a set of images.

* `rmse` = √(Σ_i sum_sq_i / Σ_i count_i): one mean over all labelled coordinates, missing ones left out, x and y apart
  (the definition of Kaggle's "Facial Keypoints Detection"). `mae` likewise with absolute errors.
* `nme@d` = mean over images of the image's NME under distance d; images without d are excluded and counted.
* CED: share of images whose NME is ≤ x. `fr@k` = share with NME > k %. `auc@k` = (1/t)·∫₀ᵗ CED(x) dx at t = k/100,
  which for the step function is exactly the mean over images of max(0, t − nme)/t: no grid, no interpolation.
* a mix = √(Σ_j w_j · MSE(rows of kind j)), null unless every kind with a weight occurs.

Totals are exactly rounded sums (`math.fsum`), so they do not depend on the order of images or on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fkbench.errors import FkbenchError
from fkbench.score.errors import BBOX, FloatArray, ImageErrors

Score = float | int | None | list[float | None] | dict[str, float | int | None]
"""One entry of a summary: a number, a number per point, or a number per name; None: not defined for these images."""

REFERENCE = "inter_ocular"
INTER_PUPIL = "inter_pupil"
WORST = 0.01


def total(values: npt.ArrayLike) -> float:
    """Exactly rounded sum, whatever the order; NaN where it runs over."""
    return exact_sum(np.asarray(values, np.float64).ravel().tolist())


def exact_sum(values: Sequence[float]) -> float:
    """`total` of floats that are no array."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return math.nan


def mean_square(sum_sq: npt.ArrayLike, count: npt.ArrayLike) -> float | None:
    """Ratio of the totals, pixels²; None without a labelled coordinate."""
    coordinates = total(count)
    return total(sum_sq) / coordinates if coordinates else None


def root_mean_square(sum_sq: npt.ArrayLike, count: npt.ArrayLike) -> float | None:
    """Root of the ratio of the totals, pixels; None without a labelled coordinate."""
    value = mean_square(sum_sq, count)
    return None if value is None else math.sqrt(value)


def rmse(errors: ImageErrors) -> float | None:
    """RMSE over all labelled coordinates, scoring-frame pixels."""
    return root_mean_square(errors.sum_sq, errors.count)


def mae(errors: ImageErrors) -> float | None:
    """Mean absolute error over all labelled coordinates, scoring-frame pixels."""
    return mean_square(errors.sum_abs, errors.count)


def rmse_by_point(errors: ImageErrors) -> list[float | None]:
    """RMSE of each of the K points, scoring-frame pixels; None for a point that is labelled nowhere."""
    columns = range(errors.point_sum_sq.shape[1])
    return [root_mean_square(errors.point_sum_sq[:, k], errors.point_count[:, k]) for k in columns]


def rmse_by_label(errors: ImageErrors, labels: Sequence[str]) -> dict[str, float | int | None]:
    """RMSE within each of the N labels' values (conventions, slices), by sorted name."""
    if len(labels) != len(errors):
        raise FkbenchError(f"{len(labels)} labels for {len(errors)} images.")
    names = np.asarray(labels, dtype=object)
    rows = {name: np.flatnonzero(names == name) for name in sorted(set(labels))}
    return {name: root_mean_square(errors.sum_sq[r], errors.count[r]) for name, r in rows.items()}


def rmse_mix(errors: ImageErrors, weights: Mapping[str, float]) -> float | None:
    """Root of the weighted mean of the MSE of each kind of rows; None unless each kind with a weight is labelled.

    Args:
        errors: with `kind` per image; without kinds the result is None.
        weights: row kind → weight; they add up to 1.

    Raises:
        FkbenchError: weights that are negative or do not add up to 1, or a row of a kind that has no weight.
    """
    if any(w < 0 for w in weights.values()) or not math.isclose(sum(weights.values()), 1.0, abs_tol=1e-6):
        raise FkbenchError(f"Weights of a mix add up to {sum(weights.values()):g}.", "They must be ≥ 0 and sum to 1.")
    if errors.kind is None:
        return None
    unknown = sorted(set(errors.kind) - set(weights))
    if unknown:
        raise FkbenchError(f"Rows of kind '{unknown[0]}' have no weight in the mix.", f"Known: {', '.join(weights)}.")
    kinds = np.asarray(errors.kind, dtype=object)
    parts: list[float] = []
    for name, weight in weights.items():
        rows = np.flatnonzero(kinds == name)
        value = mean_square(errors.sum_sq[rows], errors.count[rows])
        if weight and value is None:
            return None
        parts.append(weight * (value or 0.0))
    return math.sqrt(math.fsum(parts))


def mean_nme(errors: ImageErrors, normaliser: str = REFERENCE) -> float | None:
    """Mean NME over the images that have the distance, a fraction (0.05 = 5 %); None without such images."""
    values = _defined(errors, normaliser)
    return total(values) / len(values) if len(values) else None


def failure_rate(errors: ImageErrors, threshold: float, normaliser: str = REFERENCE) -> float | None:
    """Share of the images with the distance whose NME is above `threshold` (0.08 = 8 %)."""
    values = _defined(errors, normaliser)
    return int((values > threshold).sum()) / len(values) if len(values) else None


def area_under_ced(errors: ImageErrors, threshold: float, normaliser: str = REFERENCE) -> float | None:
    """Area under the CED from 0 to `threshold`, over `threshold`: 0 to 1, exact for the step function."""
    values = _defined(errors, normaliser)
    return total(np.maximum(0.0, threshold - values)) / threshold / len(values) if len(values) else None


def ced(errors: ImageErrors, normaliser: str = REFERENCE) -> tuple[FloatArray, FloatArray]:
    """Cumulative error distribution: the distinct NME values in rising order and the share of images at or below each.

    The curve is 0 left of the first value and constant between two. Empty where no image has the distance.
    """
    values, times = np.unique(_defined(errors, normaliser), return_counts=True)
    return values, np.cumsum(times) / max(1, int(times.sum()))


def worst_share(errors: ImageErrors, fraction: float = WORST) -> float | None:
    """Share of the whole squared error that lies in the worst `fraction` of the labelled images (at least one)."""
    values = np.sort(errors.sum_sq[errors.count > 0])
    whole = total(values)
    if not whole:
        return None
    # The tolerance keeps 0.07 · 100 at 7 where binary rounding would make it 8.
    worst = max(1, math.ceil(fraction * len(values) - 1e-9))
    return total(values[-worst:]) / whole


def excluded(errors: ImageErrors, normaliser: str) -> int:
    """Images that an NME leaves out: distance not labelled or zero."""
    return len(errors) - len(_defined(errors, normaliser))


def summary(errors: ImageErrors, *, mixes: Mapping[str, Mapping[str, float]] | None = None) -> dict[str, Score]:
    """All scores by name. Lengths are scoring-frame pixels, `rmse_native` native ones, NME-based scores fractions.

    Args:
        errors: of the images to be scored.
        mixes: metric name → (row kind → weight), as the dataset's spec gives them.
    """
    half = errors.count // 2
    result: dict[str, Score] = {
        "rmse": rmse(errors),
        "rmse_x": root_mean_square(errors.sum_sq_x, half),
        "rmse_y": root_mean_square(errors.sum_sq_y, half),
        "rmse_native": root_mean_square(errors.native_sum_sq, errors.count),
        "mae": mae(errors),
        "rmse_by_point": rmse_by_point(errors),
        "rmse_worst_1pct_share": worst_share(errors),
    }
    if errors.convention is not None:
        result["rmse_by_convention"] = rmse_by_label(errors, errors.convention)
    for name, weights in (mixes or {}).items():
        result[name] = rmse_mix(errors, weights)
    names = sorted({REFERENCE, INTER_PUPIL, BBOX, *errors.nme})
    result.update({f"nme@{name}": mean_nme(errors, name) for name in names})
    result["nme_excluded"] = {name: excluded(errors, name) for name in names}
    result["auc@8"] = area_under_ced(errors, 0.08)
    result["fr@8"] = failure_rate(errors, 0.08)
    result["fr@10"] = failure_rate(errors, 0.10)
    return result


def _defined(errors: ImageErrors, normaliser: str) -> FloatArray:
    """NME of the images that have it; empty where the scheme has no such distance."""
    values = errors.nme.get(normaliser)
    return np.zeros(0) if values is None else values[np.isfinite(values)]
