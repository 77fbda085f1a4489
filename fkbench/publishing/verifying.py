"""Checking a result: its metrics from its errors, its errors from its predictions, its predictions from its weights.

Each step that holds raises the level of trust (`fkbench.records.trust`); a step that cannot be made here is said, and a
step that does not hold is a mismatch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.publishing.arithmetic import Line, check_metrics, metrics_of
from fkbench.publishing.form import fault_of_errors, fault_of_listed
from fkbench.publishing.labels import Labels, labels_of
from fkbench.publishing.planned import key_fault, of_this_code
from fkbench.publishing.predictions import Points, check_points
from fkbench.records import (
    ERRORS_FILE,
    LEVELS,
    PREDICTIONS_FILE,
    RunRecord,
    Verification,
    beside,
    read_errors,
    read_points,
    subject_of,
)
from fkbench.records.trust import Level
from fkbench.registry import Registry
from fkbench.score import ImageErrors
from fkbench.specs import DatasetSpec, MetricSpec, resolve
from fkbench.version import __version__

SAME_PREDICTIONS = 0.02
"""Predictions made again may differ from the stored ones, root mean square, by this share of the rmse. Their rmse then
differs by no more than that. Another processor or precision moves points by far less than this, another net by more."""
MOST_LINES = 200

Predict = Callable[[RunRecord], tuple[tuple[str, ...], Points]]


@dataclass
class Checked:
    """What a check has found.

    Attributes:
        lines: each metric, recorded and recomputed from the errors per image.
        from_predictions: the metrics that stored predictions and labels give; empty without the dataset.
        level: of trust, if nothing is wrong.
        mismatches: what does not fit, a line each.
        notes: what could not be checked, and why.
        deviation: of predictions made again, root mean square, native pixels.
    """

    record: RunRecord
    lines: list[Line] = field(default_factory=list)
    from_predictions: dict[str, object] = field(default_factory=dict)
    level: Level = LEVELS[0]
    mismatches: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    deviation: float | None = None

    @property
    def verification(self) -> Verification:
        """In the form in which it is stored."""
        return Verification(
            key=self.record.key,
            subject=subject_of(self.record),
            level=self.level,
            mismatches=[line[:4000] for line in self.mismatches[:MOST_LINES]],
            fkbench=__version__,
        )


def verify(record: RunRecord, registry: Registry, data: Path, predict: Predict | None = None) -> Checked:
    """Check a result as far as it can be done here.

    Args:
        registry: for the dataset, its mixes and the metrics of plugins.
        data: the data folder.
        predict: gives ids and native points (N, K, 2) of the test part from a run's weights; None: not asked for.

    Files that are listed and not there, or cannot be read, are mismatches, and so is a key that is not the plan's own.
    Without errors per image that can be, nothing is computed.

    Raises:
        FkbenchError: it is not finished; what `predict` raises.
    """
    if record.status != "done":
        raise FkbenchError(
            f"There is nothing to check: the run {record.key} is {record.status}.", "Name a finished one."
        )
    found = Checked(record)
    fault = key_fault(record, registry)
    if fault:
        # What a model sees and a dataset's margin are known from the code here; with other code they may be others.
        (found.mismatches if of_this_code(record, registry) else found.notes).append(fault)
    _check_files(found)
    errors = _stored_errors(found)
    if errors is None:
        return found
    plugins = {spec.name: resolve(spec.compute) for spec in registry.all(MetricSpec)}
    found.lines = check_metrics(record, errors, _mixes(record, registry), plugins)
    found.mismatches += [_text(line) for line in found.lines if line.verdict == "differs"]
    if record.metric("rmse") is None:
        found.mismatches.append("rmse: the record states none")
    found.level = "arithmetic checked (errors only)"
    stored = _stored_points(found)
    if stored is not None and _check_predictions(found, errors, *stored, registry, data):
        found.level = "arithmetic checked"
    if predict is not None and stored is not None:
        _check_weights(found, *stored, *predict(record))
        found.level = "predicted again" if found.level == "arithmetic checked" else found.level
    return found


def _check_files(found: Checked) -> None:
    for name in (ERRORS_FILE, PREDICTIONS_FILE):
        fault = fault_of_listed(found.record, name)
        if fault:
            found.mismatches.append(f"{name}: it {fault}")


def _stored_errors(found: Checked) -> ImageErrors | None:
    path = beside(found.record, ERRORS_FILE)
    try:
        errors = read_errors(path)
    except FkbenchError as error:
        _unreadable(found, ERRORS_FILE, path, error)
        return None
    fault = fault_of_errors(errors)
    if fault:
        found.mismatches.append(f"the errors per image {fault}")
    return None if fault else errors


def _unreadable(found: Checked, name: str, path: Path, error: FkbenchError) -> None:
    """A file that is damaged, or not there. What is kept of a check may be published: it names no folder."""
    if path.is_file() or name not in found.record.files:
        found.mismatches.append(f"{name}: {error.message.replace(str(path), path.name).rstrip('.')}")


def _mixes(record: RunRecord, registry: Registry) -> dict[str, dict[str, float]]:
    try:
        return {name: dict(mix) for name, mix in registry.get(DatasetSpec, record.dataset.name).convention_mix.items()}
    except UnknownNameError:
        return {}


def _text(line: Line) -> str:
    gap = line.note if line.difference is None else f"off by {line.difference:.3g}"
    numbers = (line.recorded, line.recomputed)
    if all(isinstance(value, int | float) for value in numbers):
        return f"{line.metric}: {line.recorded:.6g} recorded, {line.recomputed:.6g} computed"
    return f"{line.metric}: {gap}"


def _stored_points(found: Checked) -> tuple[tuple[str, ...], Points] | None:
    path = beside(found.record, PREDICTIONS_FILE)
    if not path.is_file():
        found.notes.append("no predictions are stored: the errors per image are taken as they are")
        return None
    try:
        return read_points(path)
    except FkbenchError as error:
        _unreadable(found, PREDICTIONS_FILE, path, error)
        return None


def _check_predictions(
    found: Checked, errors: ImageErrors, ids: tuple[str, ...], points: Points, registry: Registry, data: Path
) -> bool:
    """Whether the predictions could be held against labels."""
    from fkbench.datasets.store import Store

    try:
        labels = labels_of(found.record, registry, Store(data))
    except FkbenchError as error:
        found.notes.append(f"predictions are not held against the labels: {str(error).rstrip('.')}")
        return False
    found.mismatches += labels.denied(found.record)
    if errors.ids != ids:
        found.mismatches.append("predictions and errors are of other images, or in another order")
        return True
    wrong = check_points(errors, ids, points, labels)
    found.mismatches += wrong
    if not any("points" in line or "images of the test part" in line for line in wrong):
        found.from_predictions = _metrics(labels, ids, points)
    if points.dtype == np.float16:
        found.notes.append("points were rounded to float16 for publishing: each image is held to the bound of that")
    return True


def _metrics(labels: Labels, ids: tuple[str, ...], points: Points) -> dict[str, object]:
    places = {name: place for place, name in enumerate(ids)}
    order = [places[name] for name in labels.ids]
    again = labels.errors(points.astype(np.float64)[order])
    return dict(metrics_of(again, labels.spec.convention_mix)[0])


def _check_weights(
    found: Checked, ids: tuple[str, ...], points: Points, again_ids: tuple[str, ...], again: Points
) -> None:
    if ids != again_ids or points.shape != again.shape:
        found.mismatches.append("weights: they predict other images or points than those that are stored")
        return
    gaps = again.astype(np.float64) - points.astype(np.float64)
    found.deviation = float(np.sqrt(np.mean(gaps**2))) if gaps.size else 0.0
    rmse = found.record.metric("rmse_native") or found.record.metric("rmse") or 0.0
    if not found.deviation <= SAME_PREDICTIONS * rmse:
        found.mismatches.append(
            f"weights: predictions made again differ by {found.deviation:.3g} px root mean square, more than "
            f"{SAME_PREDICTIONS:.0%} of the rmse of {rmse:.4g} px"
        )
