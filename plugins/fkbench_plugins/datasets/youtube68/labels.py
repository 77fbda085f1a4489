"""The two label tables: a name and 136 numbers a row."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from fkbench.datasets.archives import Source, SubSource, inside
from fkbench.datasets.importing import check_points
from fkbench.datasets.samples import FloatArray, IntArray
from fkbench.errors import FkbenchError

PARTS = ("training", "test")
TABLES = {part: f"{part}_frames_keypoints.csv" for part in PARTS}
OFFICIAL_TABLES = {
    "training": "9f3d1213429893d4955e2789076f6ce11e297253fed86337cffb6ca85bd61ec8",
    "test": "348e5e1a5906001f64d3da627e4f61dc3de90771d6d92f5d93628029b3c85e65",
}
"""SHA-256 of the tables as published."""
_NAME = re.compile(r"(?P<person>[^/\\]+)_(?P<clip>\d)\d\.jpg")
_REMEDY = "Get the set again with `fkbench data get youtube68`."
_LIMIT = 256 * 2**20


@dataclass(frozen=True)
class Labels:
    """All labelled frames, `training/` before `test/`, each sorted by name.

    Attributes:
        ids: N paths, `training/NAME.jpg`.
        points: (N, 68, 2) float32 native pixels.
        person: N names.
        clip: N names of a person's video, `NAME_V`.
        official: both tables are, byte for byte, as published.
    """

    ids: tuple[str, ...]
    points: FloatArray
    person: tuple[str, ...]
    clip: tuple[str, ...]
    official: bool


def find_root(source: Source) -> SubSource:
    """The folder with the two tables.

    Raises:
        FkbenchError: the archive is something else.
    """
    root = inside(source, TABLES["training"])
    if root is None or TABLES["test"] not in root.names:
        lacking = TABLES["training"] if root is None else TABLES["test"]
        raise FkbenchError(
            f"'{source.label}' is not the YouTube Faces keypoint set: it has no {lacking}.",
            "Give Udacity's train-test-data.zip or its unpacked folder.",
        )
    return root


def read_labels(root: Source) -> Labels:
    """Both tables.

    Raises:
        FkbenchError: a bad row; file and row are named.
    """
    rows: list[tuple[str, FloatArray]] = []
    official = True
    for part in PARTS:
        data = root.read(TABLES[part], _LIMIT)
        official &= hashlib.sha256(data).hexdigest() == OFFICIAL_TABLES[part]
        rows += sorted(_table(data, part, root.label), key=lambda row: row[0])
    ids = tuple(name for name, _ in rows)
    matches = [_NAME.fullmatch(name.partition("/")[2]) for name in ids]
    person = tuple(match["person"] for match in matches if match)
    clip = tuple(f"{match['person']}_{match['clip']}" for match in matches if match)
    return Labels(ids, np.stack([points for _, points in rows]), person, clip, official)


def _table(data: bytes, part: str, label: str) -> list[tuple[str, FloatArray]]:
    file = f"{TABLES[part]}' in '{label}"
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise FkbenchError(f"'{file}' is not a text file: {error.reason}.", _REMEDY) from error
    rows: dict[str, FloatArray] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        name, points = _row(line, f"Line {number} of '{file}'")
        if name in rows:
            raise FkbenchError(f"Line {number} of '{file}' labels '{name}' a second time.", _REMEDY)
        rows[name] = points
    if not rows:
        raise FkbenchError(f"'{file}' has no rows.", _REMEDY)
    return [(f"{part}/{name}", points) for name, points in rows.items()]


def _row(line: str, where: str) -> tuple[str, FloatArray]:
    name, *values = line.split(",")
    if len(values) != 136:
        raise FkbenchError(f"{where} has {len(values)} numbers, not 136.", _REMEDY)
    if not _NAME.fullmatch(name):
        raise FkbenchError(f"{where} names a picture '{name}', not one like Some_Name_00.jpg.", _REMEDY)
    try:
        points = np.array([float(value) for value in values], np.float32).reshape(68, 2)
    except ValueError as error:
        raise FkbenchError(f"{where} has something other than a number: {error}.", _REMEDY) from error
    return name, points


def check_positions(labels: Labels, shapes: IntArray, label: str) -> None:
    """Every point finite and near its picture.

    Raises:
        FkbenchError: one is not; file and picture are named.
    """
    for index, name in enumerate(labels.ids):
        part = name.partition("/")[0]
        where = f"The row of '{name}' in '{TABLES[part]}' of '{label}'"
        height, width = (int(v) for v in shapes[index, :2])
        check_points(labels.points[index], width, height, where, missing_allowed=False)
