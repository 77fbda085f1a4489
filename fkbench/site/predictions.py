"""Which predictions of a run are drawn, and how: points alone, from the files beside its record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.records import PREDICTIONS_FILE, RunRecord, beside, read_predictions
from fkbench.schemes import Scheme
from fkbench.score import ImageErrors
from fkbench.site.faces import predicted_faces

PLACES = (("best", 0.0), ("better than 3 of 4", 0.25), ("median", 0.5), ("worse than 3 of 4", 0.75),
          ("worse than 19 of 20", 0.95), ("worst", 1.0))  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A predicted face.

    Attributes:
        what: its place among all test images.
        image: name of the image.
        rmse: its error, px.
        svg: the points.
    """

    what: str
    image: str
    rmse: float
    svg: str


def drawn_predictions(record: RunRecord, errors: ImageErrors, scheme: Scheme | None) -> list[Drawn]:
    """Six test images from the best to the worst; none where there are no predictions of the same images."""
    try:
        ids, points = read_predictions(beside(record, PREDICTIONS_FILE))
    except FkbenchError:
        return []
    if ids != errors.ids or points.shape[1] != errors.point_sum_sq.shape[1]:
        return []
    with np.errstate(all="ignore"):
        rmse = np.sqrt(errors.sum_sq / np.where(errors.count > 0, errors.count, np.nan))
        each = np.sqrt(errors.point_sum_sq / np.where(errors.point_count > 0, errors.point_count, np.nan))
    order = np.lexsort((np.arange(len(rmse)), rmse))
    order = order[np.isfinite(rmse[order])]
    if not len(order):
        return []
    places = {what: int(order[round(share * (len(order) - 1))]) for what, share in PLACES}
    drawn = list(places.values())
    worst = float(np.nanmax(np.where(np.isfinite(each), each, np.nan)[drawn]))
    faces = predicted_faces(scheme, points[drawn], each[drawn], worst)
    return [
        Drawn(what, errors.ids[i], float(rmse[i]), svg) for (what, i), svg in zip(places.items(), faces, strict=True)
    ]
