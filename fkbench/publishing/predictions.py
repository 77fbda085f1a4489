"""Whether stored predictions and a dataset's labels give the stored errors, up to the rounding of the predictions.

Published points are float16, whose steps at p are 2^(⌊log₂ p⌋ − 10) pixels: 1/16 px from 64 to 128, 1/4 px from 256
to 512. With δ half a step in each coordinate, the triangle inequality bounds what rounding can do to each image: the
root of its sum of squares moves by at most the one that δ itself has as an error, and so do the sum of absolute errors
and the NME. So each image is held to its own bound, and no tolerance had to be chosen. Points in float32 are what was
scored; for them, and beside every bound, a hundred-thousandth is allowed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fkbench.publishing.labels import Labels
from fkbench.score import ImageErrors

RELATIVE, ABSOLUTE = 1e-5, 1e-5
Points = npt.NDArray[np.floating]
_ROOTS = ("sum_sq", "sum_sq_x", "sum_sq_y", "native_sum_sq", "point_sum_sq")


def rounding_of(points: Points) -> npt.NDArray[np.float64]:
    """(N, K, 2) by how much each stored coordinate may be off what was scored, native pixels."""
    if points.dtype != np.float16:
        return np.zeros(points.shape)
    return 0.5 * np.spacing(np.abs(points)).astype(np.float64)


def check_points(stored: ImageErrors, ids: tuple[str, ...], points: Points, labels: Labels) -> list[str]:
    """What does not fit between stored errors, predictions and labels, a line each; empty where all does."""
    places = {name: place for place, name in enumerate(labels.ids)}
    strange = [name for name in ids if name not in places]
    if strange or len(set(ids)) != len(labels.ids):
        what = f"'{strange[0][:60]}' is not in the test part" if strange else f"{len(set(ids))} of {len(labels.ids)}"
        return [f"predictions are not of the images of the test part: {what}"]
    if points.shape[1:] != labels.points.shape[1:]:
        return [f"predictions have {points.shape[1]} points, the labels {labels.points.shape[1]}"]
    order = np.empty(len(ids), np.int64)
    order[[places[name] for name in ids]] = np.arange(len(ids))
    if not np.isfinite(points).all():
        return ["predicted points are not finite"]
    again = labels.errors(points.astype(np.float64)[order])
    shaken = np.where(np.isfinite(labels.points), labels.points, 0.0) + rounding_of(points)[order]
    return compared(stored.take(order), again, labels.errors(shaken))


def compared(stored: ImageErrors, again: ImageErrors, bound: ImageErrors) -> list[str]:
    """Which parts of two errors per image differ beyond a bound, with the worst image of each."""
    found = []
    if stored.ids != again.ids:
        return ["errors and predictions are of other images"]
    for name in ("group", "convention", "kind"):
        if getattr(stored, name) != getattr(again, name):
            found.append(f"{name}: not those of the dataset")
    for name in ("count", "point_count"):
        if not np.array_equal(getattr(stored, name), getattr(again, name)):
            found.append(f"{name}: not the labelled coordinates of the dataset")
    pairs = {name: [np.sqrt(getattr(part, name)) for part in (stored, again, bound)] for name in _ROOTS}
    pairs["sum_abs"] = [part.sum_abs for part in (stored, again, bound)]
    for name, values in again.nme.items():
        if name not in stored.nme:
            found.append(f"nme@{name}: not among the stored errors")
            continue
        pairs[f"nme@{name}"] = [stored.nme[name], values, bound.nme[name]]
    return found + [line for name, (a, b, c) in pairs.items() if (line := _worst(name, again.ids, a, b, c))]


def _worst(name: str, ids: tuple[str, ...], stored: Points, again: Points, bound: Points) -> str:
    """The image that is furthest beyond its bound; empty if none is."""
    gaps = np.abs(stored - again) - np.nan_to_num(bound) - RELATIVE * np.abs(again) - ABSOLUTE
    gaps = np.where(np.isnan(stored) & np.isnan(again), -1.0, np.where(np.isnan(gaps), np.inf, gaps))
    rows = gaps.reshape(len(ids), -1).max(axis=1)
    if not len(rows) or rows.max() <= 0:
        return ""
    place = int(rows.argmax())
    return f"{name}: {int((rows > 0).sum())} of {len(ids)} images differ, '{ids[place][:60]}' most"
