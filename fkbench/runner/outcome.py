"""What a fitted model gives on the test part: predictions, scores, and the files and pictures beside a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.samples import FloatArray
from fkbench.datasets.views import apply_affine
from fkbench.records import ERRORS_FILE, PREDICTIONS_FILE, write_errors, write_predictions
from fkbench.registry import Registry
from fkbench.runner.inputs import Inputs
from fkbench.score import ImageErrors, image_errors, rmse_interval, summary
from fkbench.specs import Geometry, MetricSpec, ModelSpec, resolve
from fkbench.train.predictors import Predictor

GRID_FACES = 24


@dataclass(frozen=True)
class Outcome:
    """Scores of a model on the test part.

    Attributes:
        points: (n, K, 2) predicted native pixels.
        errors: per-image sums.
        metrics: as in the record.
    """

    points: FloatArray
    errors: ImageErrors
    metrics: dict[str, Any]


def predict_test(predictor: Predictor, model: ModelSpec, inputs: Inputs, geometry: Geometry | None) -> FloatArray:
    """Predicted points of the test part, (n, K, 2) native pixels. `geometry`: the recipe's, or None."""
    channels, size = model.input
    views = inputs.eval_views(size, channels, geometry)
    rows = inputs.split.test
    predicted = predictor.predict(np.ascontiguousarray(views.images[rows]))
    return apply_affine(views.to_native[rows], predicted)


def score_points(points: FloatArray, inputs: Inputs, registry: Registry) -> Outcome:
    """Score predicted native points (n, K, 2) of the test part, in its order."""
    rows, samples = inputs.split.test, inputs.samples
    errors = image_errors(
        points,
        samples.points[rows],
        samples.valid[rows],
        scale=inputs.scale[rows],
        normalisers=inputs.scheme.normalisers,
        ids=[samples.ids[i] for i in rows],
        group=[samples.group[i] for i in rows],
        convention=[samples.convention[i] for i in rows] if samples.convention else None,
        kind=[samples.row_kind[i] for i in rows] if samples.row_kind else None,
    )
    metrics: dict[str, Any] = dict(summary(errors, mixes=inputs.spec.convention_mix))
    interval = rmse_interval(errors.sum_sq, errors.count, errors.group)
    metrics["rmse_ci"] = interval.bounds
    metrics["missed_faces"] = int(inputs.missed[rows].sum())
    for metric in registry.all(MetricSpec):
        metrics[metric.name] = float(resolve(metric.compute)(errors))
    return Outcome(points, errors, metrics)


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Predictions and per-image errors beside the record."""
    write_predictions(folder / PREDICTIONS_FILE, outcome.errors.ids, outcome.points)
    write_errors(folder / ERRORS_FILE, outcome.errors)


def draw_outcome(
    outcome: Outcome,
    inputs: Inputs,
    history: list[dict[str, float]],
    baselines: Mapping[str, float],
    folder: Path,
    title: str,
) -> list[str]:
    """Loss curve (of a trained net) and a grid of predictions against truth. Returns the file names."""
    from fkbench.draw.curves import loss_curve
    from fkbench.draw.grids import sample_grid, save

    names = []
    if history:
        loss_curve(
            history,
            folder / "loss.png",
            title=title,
            baseline_rmse={f"{name}, test": rmse for name, rmse in baselines.items()},
        )
        names.append("loss.png")
    chosen = spread(outcome.errors, GRID_FACES)
    rows = inputs.split.test[chosen]
    crops = [_shown(inputs, int(row)) for row in rows]
    rmse = np.sqrt(outcome.errors.sum_sq / np.maximum(outcome.errors.count, 1))
    grid = sample_grid(
        [picture for picture, _ in crops],
        [inputs.samples.points[row] - shift for row, (_, shift) in zip(rows, crops, strict=True)],
        scheme=inputs.scheme,
        titles=[f"rmse {rmse[i]:.2f} px" for i in chosen],
        columns=6,
        predicted=[outcome.points[i] - shift for i, (_, shift) in zip(chosen, crops, strict=True)],
    )
    save(grid, folder / "predictions.png")
    return [*names, "predictions.png"]


def spread(errors: ImageErrors, count: int) -> list[int]:
    """Indices of images at even ranks of error, from the best to the worst: a picture of the whole, not of the best."""
    order = np.argsort(errors.sum_sq / np.maximum(errors.count, 1), kind="stable")
    ranks = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return [int(order[rank]) for rank in ranks]


def _shown(inputs: Inputs, row: int) -> tuple[Any, FloatArray]:
    """The part of a frame around its points, and the shift of the cut."""
    from fkbench.datasets.boxes import reference_squares

    frame = inputs.samples.frames[row]
    height, width = frame.shape[:2]
    if max(height, width) <= 128:
        return frame, np.zeros(2, np.float32)
    x, y, side, _ = reference_squares(inputs.samples.points[row : row + 1])[0]
    left, top = max(0, int(x - 0.1 * side)), max(0, int(y - 0.1 * side))
    right, bottom = min(width, int(x + 1.1 * side) + 1), min(height, int(y + 1.1 * side) + 1)
    return frame[top:bottom, left:right], np.array([left, top], np.float32)
