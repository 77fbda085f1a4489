"""Reading Kaggle's tables: labels in the first columns, 9216 pixels as text in the last."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fkbench.datasets.progress import listener
from fkbench.datasets.samples import ByteArray
from fkbench.errors import FkbenchError
from fkbench.schemes import FACE15

from .pixels import Spans, fault, parse_block

SIDE = 96
COLUMNS = tuple(f"{point}_{axis}" for point in FACE15.points for axis in "xy")
_BLOCK = 8  # rows parsed together: 0.3 MB of text, so that what is worked out about it stays in the cache
_REMEDY = "Get the file again from Kaggle; each row has its labels and 9216 pixels."

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """A parsed table.

    Attributes:
        fields: texts of the columns before `Image`, one list per row.
        images: (N, 96, 96) uint8.
        where: the file, for messages.
    """

    fields: list[list[bytes]]
    images: ByteArray
    where: str


def read_table(data: bytes, columns: tuple[str, ...], where: str) -> Table:
    """Parse a table with these columns and `Image` as the last one.

    Args:
        data: the file.
        columns: names that must come before `Image`, in order.
        where: the file, for messages.

    Raises:
        FkbenchError: it is another table, or a row is malformed; file and row are named.
    """
    body = _check_header(data, columns, where)
    fields: list[list[bytes]] = []
    spans: Spans = []
    for start, end in _lines(data, body):
        comma = data.rfind(b",", start, end)
        values = data[start:comma].split(b",") if comma >= 0 else []
        if len(values) != len(columns):
            got = data.count(b",", start, end) + 1
            raise _bad_row(len(fields), where, f"has {got} columns, not {len(columns) + 1}")
        fields.append(values)
        spans.append(_unquoted(data, comma + 1, end))
    if not fields:
        raise FkbenchError(f"'{where}' has no rows.", _REMEDY)
    return Table(fields, _images(data, spans, where), where)


def labels(table: Table) -> F64:
    """The label columns (N, 30) in float64, NaN where a field is empty.

    Raises:
        FkbenchError: a field is neither empty nor a finite number; file and row are named.
    """
    found = np.full((len(table.fields), len(COLUMNS)), np.nan)
    for row, values in enumerate(table.fields):
        for column, text in enumerate(values):
            if text:
                found[row, column] = _number(text, row, COLUMNS[column], table.where)
    return found


def image_numbers(table: Table) -> list[int]:
    """The `ImageId` column of the test table.

    Raises:
        FkbenchError: not a whole number, or one number twice; file and row are named.
    """
    found: list[int] = []
    for row, (text, *_) in enumerate(table.fields):
        if not text.isdigit():
            raise _bad_row(row, table.where, f"has the ImageId '{text[:20].decode('utf-8', 'replace')}'")
        found.append(int(text))
    if len(set(found)) != len(found):
        raise FkbenchError(f"'{table.where}' has an ImageId twice.", _REMEDY)
    return found


def _number(text: bytes, row: int, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        shown = text[:20].decode("utf-8", "replace")
        raise _bad_row(row, where, f"has '{shown}' as {column}, not a finite number (missing ones are left empty)")
    return value


def _check_header(data: bytes, columns: tuple[str, ...], where: str) -> int:
    """Position of the first row."""
    end = data.find(b"\n", 0, 1 << 16)
    header = data[: max(end, 0)].decode("utf-8-sig", "replace").strip()
    names = tuple(name.strip().strip('"') for name in header.split(","))
    if names != (*columns, "Image"):
        raise FkbenchError(
            f"'{where}' is not Kaggle's table: its header should be {columns[0]}, …, {columns[-1]}, Image."
            if len(columns) > 1
            else f"'{where}' is not Kaggle's table: its header should be {columns[0]},Image.",
            "Give facial-keypoints-detection.zip, its unpacked folder, or its training.csv.",
        )
    return end + 1


def _lines(data: bytes, at: int) -> list[tuple[int, int]]:
    """First and last + 1 byte of each line that is not empty; both kinds of line end."""
    found = []
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        stop = end - 1 if end > at and data[end - 1] == 13 else end
        if stop > at:
            found.append((at, stop))
        at = end + 1
    return found


def _unquoted(data: bytes, start: int, end: int) -> tuple[int, int]:
    quoted = end - start >= 2 and data[start] == 34 and data[end - 1] == 34
    return (start + 1, end - 1) if quoted else (start, end)


def _images(data: bytes, spans: Spans, where: str) -> ByteArray:
    buffer = np.frombuffer(data, np.uint8)
    images = np.empty((len(spans), SIDE * SIDE), np.uint8)
    starts = range(0, len(spans), _BLOCK)
    report = listener()

    def work(first: int) -> int:
        part = spans[first : first + _BLOCK]
        empty = any(start == end for start, end in part)
        found = None if empty else parse_block(buffer, part, SIDE * SIDE)
        if found is None:
            raise _faulty(data, spans, first, where)
        images[first : first + len(part)] = found
        return first + len(part)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done in pool.map(work, starts):
            report(f"Reading {where.rpartition(', ')[2].rpartition('/')[2]}", done, len(spans))
    return images.reshape(-1, SIDE, SIDE)


def _faulty(data: bytes, spans: Spans, first: int, where: str) -> FkbenchError:
    for row in range(first, min(first + _BLOCK, len(spans))):
        words = fault(data[slice(*spans[row])], SIDE * SIDE)
        if words:
            return _bad_row(row, where, words)
    raise AssertionError("a block was refused, but every row of it is well formed")


def _bad_row(row: int, where: str, words: str) -> FkbenchError:
    return FkbenchError(f"Row {row + 1} of '{where}' {words}.", _REMEDY)
