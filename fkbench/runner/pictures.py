"""Reading pictures that a user names, and writing the points that were found on them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fkbench.datasets.samples import ByteArray, FloatArray
from fkbench.errors import FkbenchError, RunFailedError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """The files named, and for a folder the pictures directly inside it, sorted.

    Raises:
        FkbenchError: a path is not there, or a folder holds no picture.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise FkbenchError(
                    f"The folder '{path}' holds no picture.", f"Pictures end in {', '.join(sorted(SUFFIXES))}."
                )
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise FkbenchError(f"There is no file or folder '{path}'.", "Check the path.")
    return found


def read_picture(path: Path) -> ByteArray:
    """A picture as (H, W, 3) RGB uint8, alpha dropped.

    Raises:
        FkbenchError: it cannot be read, or does not decode.
    """
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except OSError as error:
        raise FkbenchError(f"'{path}' cannot be read: {error.strerror or error}.", "Check the file.") from error
    except cv2.error:
        picture = None
    if picture is None:
        raise FkbenchError(f"'{path}' does not decode as a picture.", "Give a JPEG, PNG, BMP, WebP or TIFF file.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)  # OpenCV 4.10 cannot decode to RGB


@dataclass
class Failures:
    """Those of some pictures that could not be used: each is said, the others go on, and the end is an error.

    Attributes:
        files: all of the pictures.
        say: told a line for each that fails among several.
        reasons: by path.
    """

    files: Sequence[Path]
    say: Callable[[str], None]
    reasons: dict[str, str] = field(default_factory=dict)
    _last: FkbenchError | None = None

    def add(self, path: Path, error: FkbenchError) -> None:
        """One more."""
        self.reasons[str(path)], self._last = error.message, error
        if len(self.files) > 1:
            self.say(error.message if str(path) in error.message else f"'{path}': {error.message}")

    @property
    def count(self) -> int:
        """How many of the files."""
        return sum(str(path) in self.reasons for path in self.files)

    def check_any(self) -> None:
        """Raises FkbenchError where none of the pictures could be used."""
        if self._last is None or self.count < len(self.files):
            return
        if len(self.files) == 1:
            raise self._last
        raise FkbenchError(f"None of the {len(self.files)} pictures can be used: see above.", self._last.remedy)

    def finish(self) -> None:
        """Raises RunFailedError (exit code 1) where some of the pictures could not be used."""
        if self.count:
            raise RunFailedError(
                f"{self.count} of {len(self.files)} pictures could not be used: see above.", "The others were used."
            )


def spare_sources(targets: Sequence[Path | None], sources: Sequence[Path | str]) -> None:
    """Raises FkbenchError where a file to be written is one of those that are read: a drawing would replace it."""
    read = {str(Path(source).resolve()) for source in sources}
    for target in targets:
        if target is not None and str(target.resolve()) in read:
            raise FkbenchError(f"'{target}' is read here, and writing would replace it.", "Choose another name.")


def drawing_names(paths: Sequence[Path]) -> list[str]:
    """A name for the drawing of each picture: its own with `.png`, and a number where two would have the same one."""
    taken: set[str] = set()
    names = []
    for path in paths:
        name, number = f"{path.stem}.png", 2
        while name.lower() in taken:
            name, number = f"{path.stem}-{number}.png", number + 1
        taken.add(name.lower())
        names.append(name)
    return names


def write_points(
    path: Path,
    ids: Sequence[str],
    points: FloatArray,
    facts: dict[str, Any],
    failed: Mapping[str, str] | None = None,
) -> None:
    """Points as JSON (with `facts`) or as CSV rows `id,x0,y0,…`, by the file's ending. Native pixels.

    Args:
        failed: pictures without points and why, for the JSON.

    Raises:
        FkbenchError: another ending, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in {".json", ".csv"}:
        raise FkbenchError(f"'{path}': points are written as JSON or CSV.", "End the name in .json or .csv.")
    rounded = np.round(points.astype(np.float64), 4)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            if suffix == ".csv":
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["id", *(f"{axis}{k}" for k in range(points.shape[1]) for axis in "xy")])
                writer.writerows([name, *row.reshape(-1).tolist()] for name, row in zip(ids, rounded, strict=True))
            else:
                json.dump({**facts, "images": image_facts(ids, points, failed)}, file, indent=1)
    except OSError as error:
        raise FkbenchError(f"'{path}' cannot be written: {error.strerror}.", "Choose another file.") from error


def image_facts(
    ids: Sequence[str], points: FloatArray, failed: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """One JSON object per picture: its id or path, and its points; then those that failed, with the `error`."""
    rounded = np.round(points.astype(np.float64), 4)
    found = [{"id": name, "points": row.tolist()} for name, row in zip(ids, rounded, strict=True)]
    return found + [{"id": name, "error": reason} for name, reason in (failed or {}).items()]
