"""One labelled face as a label file has it, and what the readers of all formats share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from fkbench.errors import FkbenchError

LIMIT = 512 * 2**20
"""Bytes of one label file: ten million points as CSV."""
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Face:
    """One labelled face.

    Attributes:
        picture: its file's name as the labels have it, with `/`.
        points: (K, 2) x, y as the labels have them, NaN where missing.
        where: file and row, for messages.
        fields: what else the labels say of it.
    """

    picture: str
    points: Points
    where: str
    fields: Mapping[str, str] = field(default_factory=dict)


def plain_name(text: str) -> str:
    """A file's name with `/` for `\\` and without `./`; empty for an empty text."""
    name = text.strip().replace("\\", "/")
    return PurePosixPath(name).as_posix() if name else ""


def read_text(path: Path, limit: int = LIMIT) -> str:
    """A text file in UTF-8, with or without a byte-order mark.

    Raises:
        FkbenchError: it cannot be read, is too large, or is not text; the line is named.
    """
    data = read_bytes(path, limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FkbenchError(f"'{path}' is not UTF-8 text: line {line}.", "Save it as UTF-8.") from error


def read_bytes(path: Path, limit: int = LIMIT) -> bytes:
    """A whole file.

    Raises:
        FkbenchError: it is no file, cannot be read, or is larger than `limit`.
    """
    if not path.is_file():  # a pipe would be waited for without end
        raise FkbenchError(f"There is no file '{path}'.", "Check the path.")
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FkbenchError(f"'{path}' cannot be read: {error.strerror or error}.", "Check its permissions.") from error
    if len(data) > limit:
        raise FkbenchError(f"'{path}' is larger than {limit // 2**20} MiB.", "It was not read.")
    return data


def numbers(cells: Sequence[str], where: str) -> list[float]:
    """Texts as numbers; an empty one and `nan` are missing.

    Raises:
        FkbenchError: one is something else; the row and the text are named.
    """
    found = []
    for cell in cells:
        text = cell.strip()
        try:
            found.append(float(text) if text else np.nan)
        except ValueError:
            raise FkbenchError(
                f"{where} has '{text[:40]}' where a number is needed.", "A missing coordinate is empty or NaN."
            ) from None
    return found
