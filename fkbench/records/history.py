"""`history.csv`: one row per epoch, empty cells where nothing was measured."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fkbench.errors import FkbenchError
from fkbench.records.files import MIB, read_bounded, write_atomic

HISTORY_FILE = "history.csv"
MAX_HISTORY_BYTES = 64 * MIB

COLUMNS = ("epoch", "lr", "train_loss", "val_loss", "val_rmse", "seconds")
"""Epoch from 1; learning rate of its last step; losses in the codec's unit; validation rmse in the scoring frame
(both validation columns empty where the recipe trains on that part too); seconds as the engine counts them."""

Row = Mapping[str, float | None]


def write_history(path: Path, rows: Iterable[Row]) -> None:
    """Write all epochs, atomically; numbers at six significant digits, empty where absent, None or not finite.

    Raises:
        ValueError: a row has a column that the file has not.
        FkbenchError: the disk is full or the folder cannot be written.
    """
    write_atomic(path, encode_history(rows))


def encode_history(rows: Iterable[Row]) -> bytes:
    """The content of the file.

    Raises:
        ValueError: a row has a column that the file has not.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def read_history(path: Path) -> list[dict[str, float | None]]:
    """All epochs, every column in each.

    Raises:
        FkbenchError: there is no such file, other columns, or a cell that is no number; row and column are named.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_bounded(path, MAX_HISTORY_BYTES).decode()), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FkbenchError(f"'{path}' is damaged: {error}.") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise FkbenchError(f"'{path}' is no history of a run.", f"Its columns must be {', '.join(COLUMNS)}.")
    if any(len(row) != len(COLUMNS) for row in rows):
        return [_values(row, number, path) for number, row in enumerate(rows[1:], start=2)]
    try:
        columns = [_numbers(cells, int if name == "epoch" else float) for name, *cells in zip(*rows, strict=True)]
    except ValueError:  # row by row, to say which cell is wrong
        return [_values(row, number, path) for number, row in enumerate(rows[1:], start=2)]
    return [dict(zip(COLUMNS, values, strict=True)) for values in zip(*columns, strict=True)]


def _numbers(cells: Sequence[str], kind: type[int] | type[float]) -> list[float | None]:
    return list(map(kind, cells)) if all(cells) else [kind(cell) if cell else None for cell in cells]


def _values(row: list[str], number: int, path: Path) -> dict[str, float | None]:
    if len(row) != len(COLUMNS):
        raise FkbenchError(f"'{path}', row {number}: {len(row)} cells instead of {len(COLUMNS)}.")
    values: dict[str, float | None] = {}
    for name, cell in zip(COLUMNS, row, strict=True):
        try:
            values[name] = (int(cell) if name == "epoch" else float(cell)) if cell else None
        except ValueError:
            raise FkbenchError(f"'{path}', row {number}, {name}: '{cell[:40]}' is no number.") from None
    return values


def _cell(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6g}"
