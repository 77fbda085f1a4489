"""Scores without training: a finished run under another split or box, or points that another program predicted."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.samples import FloatArray
from fkbench.errors import FkbenchError
from fkbench.records import rounded
from fkbench.records.detection_keys import boxed_stem
from fkbench.records.files import write_atomic
from fkbench.records.plain import plain
from fkbench.runner.calibration import on_reference_squares, settled
from fkbench.runner.inputs import Inputs
from fkbench.runner.loading import LoadedRun
from fkbench.runner.outcome import predict_test


def predict_boxed(run: LoadedRun, inputs: Inputs) -> FloatArray:
    """A run's points of the test part, (n, K, 2) native pixels, with the boxes of `inputs`.

    Where these are not the whole frames that the run was trained on, it looks as `predict` and `demo` do: see
    `fkbench.runner.calibration.settled`.
    """
    if inputs.detector.find is None and (not inputs.detector.needs_labels or on_reference_squares(run.relation)):
        return predict_test(run.predictor, run.model, inputs, run.geometry)
    rows, boxes = inputs.split.test, inputs.eval_boxes
    frames, squares, seen = inputs.samples.frames, boxes[rows], np.flatnonzero(~inputs.missed[rows])
    squares[seen] = settled(partial(run.look, frames.chosen(rows[seen])), squares[seen], run.relation)
    return run.look(frames.chosen(rows), squares)


def read_points_csv(path: Path, points: int) -> dict[str, FloatArray]:
    """Predicted points of another program: rows `id,x0,y0,…` in native pixels, with or without that header.

    Args:
        path: the file.
        points: K; 2K numbers are needed in every row.

    Returns:
        id → (K, 2).

    Raises:
        FkbenchError: a short or non-numeric row or a repeated id; file and row are named.
    """
    found: dict[str, FloatArray] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if row and not (number == 1 and row[0].strip().lower() == "id"):
                    name, values = _parse(path, number, row, points)
                    if name in found:
                        raise FkbenchError(
                            f"'{path}', row {number}: the id '{name}' stands twice.", "Keep one row per image."
                        )
                    found[name] = values
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FkbenchError(f"'{path}' cannot be read as CSV: {error}.", "Rows are id,x0,y0,x1,y1,…") from error
    if not found:
        raise FkbenchError(f"'{path}' holds no predictions.", "Rows are id,x0,y0,x1,y1,…")
    return found


def _parse(path: Path, number: int, row: list[str], points: int) -> tuple[str, FloatArray]:
    where = f"'{path}', row {number}"
    if len(row) != 1 + 2 * points:
        raise FkbenchError(
            f"{where}: {len(row) - 1} numbers, but {points} points need {2 * points}.", "Rows are id,x0,y0,x1,y1,…"
        )
    try:
        values = [float(cell) for cell in row[1:]]
    except ValueError:
        bad = next(cell for cell in row[1:] if not _is_number(cell))
        raise FkbenchError(f"{where}: '{bad}' is not a number.", "Every point needs an x and a y.") from None
    if not all(math.isfinite(value) for value in values):
        raise FkbenchError(f"{where}: a coordinate is not finite.", "Every image needs all its points predicted.")
    return row[0], np.array(values, np.float32).reshape(points, 2)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def in_test_order(found: dict[str, FloatArray], inputs: Inputs, source: Path) -> FloatArray:
    """The predictions of the test part, (n, K, 2) in its order.

    Raises:
        FkbenchError: an image of the test part has none; images elsewhere are ignored.
    """
    wanted = [inputs.samples.ids[i] for i in inputs.split.test]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise FkbenchError(
            f"'{source}' lacks {len(missing)} of the {len(wanted)} images of {inputs.spec.name} "
            f"{inputs.split.name}, '{missing[0]}' first.",
            "Ids are those of `fkbench predict RUN --part test --out FILE.csv`.",
        )
    return np.stack([found[name] for name in wanted])


def boxed_path(inputs: Inputs, folder: Path) -> Path:
    """Where a run's scores with a detector's boxes lie, beside its record: the same question replaces its answer."""
    settings = dict(inputs.box)
    page = {
        "dataset": {
            "fingerprint": inputs.samples.fingerprint,
            "split": inputs.split.name,
            "split_version": inputs.split.version,
        },
        "box": settings.pop("name"),
        "box_settings": settings,
    }
    return folder / f"{boxed_stem(page)}.json"


def write_boxed(result: Mapping[str, Any], path: Path) -> Path:
    """Keep the scores of a run with a detector's boxes.

    Args:
        result: JSON values.
        path: of `boxed_path`.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    write_atomic(path, (json.dumps(rounded(plain(result)), indent=1, ensure_ascii=False) + "\n").encode())
    return path
