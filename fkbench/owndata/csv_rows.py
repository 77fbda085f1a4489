"""CSV: a picture's name and its coordinates in every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.owndata.description import LabelFile
from fkbench.owndata.faces import Face, numbers, plain_name, read_text
from fkbench.schemes import Scheme

PICTURES = {".png", ".jpg", ".jpeg"}


@dataclass(frozen=True)
class _Layout:
    """Where things stand in a row: coordinates in the scheme's order, all other columns by name, cells in all."""

    coordinates: tuple[int, ...]
    others: Mapping[str, int]
    width: int


def read(file: LabelFile, scheme: Scheme, options: Mapping[str, Any]) -> list[Face]:
    """Rows `picture,x0,y0,x1,y1,…` and further columns, with or without a header.

    With a header, coordinates may stand in any order if they are called `x0`, `y0`, … or `NAME_x`, `NAME_y`; otherwise
    they follow the picture's name. Without one, further columns are called by their number from 1.

    Raises:
        FkbenchError: a row of another length, or something that is no number; file and line are named.
    """
    rows = _rows(file, options["delimiter"])
    first = next(rows, None)
    if first is None:
        raise FkbenchError(f"'{file.labels}' is empty.", "Rows are picture,x0,y0,x1,y1,…")
    count = 2 * len(scheme.points)
    stated: bool | None = options["header"]
    headed = _is_header(first[1], count) if stated is None else stated
    layout = _by_header(first, scheme, file) if headed else _by_place(len(first[1]), count, first[0])
    body = rows if headed else _with_first(first, rows)
    return [_face(where, cells, layout) for where, cells in body]


def _rows(file: LabelFile, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """Where each row stands, and its cells; blank lines are passed over."""
    reader = csv.reader(io.StringIO(read_text(file.labels), newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"Line {reader.line_num} of '{file.labels}'", cells
    except csv.Error as error:
        raise FkbenchError(
            f"Line {reader.line_num} of '{file.labels}' is no CSV: {error}.", "Check the quotes and the delimiter."
        ) from error


def _with_first(first: tuple[str, list[str]], rows: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, list[str]]]:
    yield first
    yield from rows


def _is_header(cells: Sequence[str], count: int) -> bool:
    """Unless it begins with a picture's name and goes on with numbers."""
    named = PurePosixPath(plain_name(cells[0])).suffix.lower() in PICTURES
    return not named or any(not _numeric(cell) for cell in cells[1 : 1 + count])


def _numeric(cell: str) -> bool:
    try:
        float(cell.strip() or "nan")
    except ValueError:
        return False
    return True


def _by_header(first: tuple[str, list[str]], scheme: Scheme, file: LabelFile) -> _Layout:
    where, names = first[0], [cell.strip() for cell in first[1]]
    index: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in index and name:
            raise FkbenchError(f"{where} has the column '{name}' twice.", "Rename one of them.")
        index[name] = place
    by_number = [f"{axis}{k}" for k in range(len(scheme.points)) for axis in "xy"]
    by_name = [f"{point}_{axis}" for point in scheme.points for axis in "xy"]
    for wanted in (by_number, by_name):
        there = [name for name in wanted if name in index]
        if not there:
            continue
        lacking = [name for name in wanted if name not in index]
        if lacking:
            raise FkbenchError(
                f"{where} has '{there[0]}' but no '{lacking[0]}': {scheme.name} has {len(scheme.points)} points.",
                f"'{file.labels}' needs a column for each coordinate, {wanted[0]}, {wanted[1]}, … {wanted[-1]}.",
            )
        places = tuple(index[name] for name in wanted)
        return _Layout(places, {n: i for n, i in index.items() if i not in places and i > 0}, len(names))
    layout = _by_place(len(names), len(by_number), where)
    return _Layout(layout.coordinates, {n: i for n, i in index.items() if i > len(by_number)}, len(names))


def _by_place(width: int, count: int, where: str) -> _Layout:
    if width < 1 + count:
        raise FkbenchError(
            f"{where} has {width - 1} values after the picture's name, but {count // 2} points need {count}.",
            "Rows are picture,x0,y0,x1,y1,… Is it the right scheme, and the right delimiter?",
        )
    others = {str(place + 1): place for place in range(1 + count, width)}
    return _Layout(tuple(range(1, 1 + count)), others, width)


def _face(where: str, cells: list[str], layout: _Layout) -> Face:
    if len(cells) != layout.width:
        raise FkbenchError(
            f"{where} has {len(cells)} values, not {layout.width} as the first row has.",
            "Complete the row, or remove it.",
        )
    picture = plain_name(cells[0])
    if not picture:
        raise FkbenchError(f"{where} names no picture.", "Its name goes first.")
    values = numbers([cells[place] for place in layout.coordinates], where)
    points = np.array(values, np.float64).reshape(-1, 2)
    return Face(picture, points, where, {name: cells[place] for name, place in layout.others.items()})
