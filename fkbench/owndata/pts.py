"""`.pts` files as of 300-W: one beside each picture."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.owndata.description import LabelFile
from fkbench.owndata.faces import Face, numbers, read_text
from fkbench.schemes import Scheme

LIMIT = 2**20
MOST_FILES = 500_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG")


def read(file: LabelFile, scheme: Scheme, options: Mapping[str, Any]) -> list[Face]:
    """Every `.pts` file in the folder and the folders below it.

    The format (ibug.doc.ic.ac.uk/resources/300-W): `version: 1`, `n_points: K`, and between braces a line `x y` for
    each point, where (1, 1) is the centre of the first pixel.

    Raises:
        FkbenchError: a file of another form or number of points, or without a picture; file and line are named.
    """
    return [_face(path, file, scheme) for path in find(file.labels)]


def find(folder: Path) -> list[Path]:
    """The `.pts` files below a folder, sorted.

    Raises:
        FkbenchError: there is none.
    """
    paths = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        paths += [Path(parent) / name for name in names if name.lower().endswith(".pts")]
        if len(paths) > MOST_FILES:
            raise FkbenchError(f"'{folder}' holds more than {MOST_FILES} .pts files.", "Give a folder with fewer.")
    if not paths:
        raise FkbenchError(f"'{folder}' holds no .pts file.", "Give the folder in which they lie beside the pictures.")
    return sorted(paths)


def _face(path: Path, file: LabelFile, scheme: Scheme) -> Face:
    relative = path.relative_to(file.labels)
    names = [relative.with_suffix(suffix) for suffix in SUFFIXES]
    picture = next((name for name in names if (file.pictures / name).is_file()), None)
    if picture is None:
        stem = file.pictures / relative.with_suffix("")
        raise FkbenchError(
            f"'{path}' has no picture: there is no '{stem}.png' or '.jpg'.",
            "Put it beside the file, or name the pictures' folder with `pictures`.",
        )
    points = _points(path, len(scheme.points))
    return Face(picture.as_posix(), points, f"'{path}'")


def _points(path: Path, count: int) -> Any:
    lines = _lines(path)
    head: dict[str, str] = {}
    for number, line in lines:
        if line == "{":
            break
        key, colon, value = line.partition(":")
        if not colon:
            raise FkbenchError(f"Line {number} of '{path}' is '{line[:40]}', not 'n_points: {count}' or '{{'.", _REMEDY)
        head[key.strip()] = value.strip()
    else:
        raise FkbenchError(f"'{path}' has no '{{'.", _REMEDY)
    stated = head.get("n_points", "")
    if stated != str(count):
        raise FkbenchError(f"'{path}' has n_points '{stated}', but the scheme {count}.", "Is it the right scheme?")
    rows = []
    for number, line in lines:
        if line == "}":
            break
        where = f"Line {number} of '{path}'"
        cells = line.split()
        if len(cells) != 2:
            raise FkbenchError(f"{where} has {len(cells)} values, not x and y.", _REMEDY)
        rows.append(numbers(cells, where))
    else:
        raise FkbenchError(f"'{path}' has no '}}': it is cut short.", "Get the file again.")
    if len(rows) != count:
        raise FkbenchError(f"'{path}' has {len(rows)} points, not {count}.", _REMEDY)
    return np.array(rows, np.float64)


_REMEDY = "A .pts file is 'version: 1', 'n_points: K', '{', K lines of x and y, '}'."


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every line that is not blank; one iterator for head and points."""
    for number, line in enumerate(read_text(path, LIMIT).splitlines(), start=1):
        if line.strip():
            yield number, line.strip()
