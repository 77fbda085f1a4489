"""`history.csv`: one row per epoch, empty cells where nothing was measured."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from fkbench.errors import FkbenchError
from fkbench.records.files import MIB, read_bounded, write_atomic

HISTORY_FILE = "history.csv"
MAX_HISTORY_BYTES = 64 * MIB


@dataclass(frozen=True)
class Epoch:
    """One epoch of training.

    Attributes:
        epoch: from 1.
        lr: learning rate of its last step.
        train_loss: mean over its steps, in the codec's unit.
        val_loss: None where the recipe trains on the validation part too.
        val_rmse: in the scoring frame; None likewise.
        seconds: wall time since training began, or of the epoch, as the engine defines it.
    """

    epoch: int
    lr: float | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    val_rmse: float | None = None
    seconds: float | None = None


COLUMNS = tuple(field.name for field in fields(Epoch))


def write_history(path: Path, epochs: Iterable[Epoch]) -> None:
    """Write all epochs, atomically; numbers at six significant digits.

    Raises:
        FkbenchError: the disk is full or the folder cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in astuple(epoch)] for epoch in epochs)
    write_atomic(path, text.getvalue().encode())


def read_history(path: Path) -> list[Epoch]:
    """All epochs.

    Raises:
        FkbenchError: there is no such file, other columns, or a cell that is no number; row and column are named.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_bounded(path, MAX_HISTORY_BYTES).decode()), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FkbenchError(f"'{path}' is damaged: {error}.") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise FkbenchError(f"'{path}' is no history of a run.", f"Its columns must be {', '.join(COLUMNS)}.")
    return [_epoch(row, number, path) for number, row in enumerate(rows[1:], start=2)]


def _epoch(row: list[str], number: int, path: Path) -> Epoch:
    if len(row) != len(COLUMNS):
        raise FkbenchError(f"'{path}', row {number}: {len(row)} cells instead of {len(COLUMNS)}.")
    values: list[float | None] = []
    for name, cell in zip(COLUMNS, row, strict=True):
        try:
            values.append(float(cell) if cell else None)
        except ValueError:
            raise FkbenchError(f"'{path}', row {number}, {name}: '{cell[:40]}' is no number.") from None
    first = values[0]
    if first is None or not first.is_integer():
        raise FkbenchError(f"'{path}', row {number}, epoch: '{row[0][:40]}' is no whole number.")
    return Epoch(int(first), *values[1:])


def _cell(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6g}"
