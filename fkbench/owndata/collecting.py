"""From label files to faces with ids, points in this project's coordinates, and the names that rules give them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fkbench.errors import FkbenchError
from fkbench.owndata.description import FORMATS, Description, LabelFile
from fkbench.owndata.faces import Face, Points
from fkbench.specs import resolve

Factor = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Collected:
    """All faces of own data, in the order of the labels.

    Attributes:
        faces: N of them.
        ids: N names: the picture's, with `#1`, `#2` … where it shows several faces.
        files: N paths of pictures.
        names: N names of pictures; equal for faces of one picture.
        points: (N, K, 2) native pixels, centres at integers, NaN where missing.
        parts: N of `train`, `val`, `test`, `unused`; None where no split is given.
    """

    faces: tuple[Face, ...]
    ids: tuple[str, ...]
    files: tuple[Path, ...]
    names: tuple[str, ...]
    points: Points
    parts: tuple[str, ...] | None


def collect(description: Description) -> Collected:
    """Read all labels.

    Raises:
        FkbenchError: a bad row, a picture that is not there, or the same label twice; file and row are named.
    """
    read = resolve(FORMATS[description.format])
    faces: list[Face] = []
    owners: list[LabelFile] = []
    for file in description.files:
        found: list[Face] = read(file, description.scheme, description.options)
        faces += found
        owners += [file] * len(found)
    if not faces:
        raise FkbenchError(f"'{description.path}' describes no face.", "Its labels have no rows.")
    files = [owner.pictures / face.picture for owner, face in zip(owners, faces, strict=True)]
    _check_there(faces, files)
    names = _names(description, faces, owners)
    points = _points(description, faces)
    ids = _ids(names)
    _check_once(faces, names, points)
    return Collected(tuple(faces), ids, tuple(files), names, points, _parts(description, faces, owners))


def _check_there(faces: Sequence[Face], files: Sequence[Path]) -> None:
    known: dict[Path, bool] = {}
    for path in files:
        if path not in known:
            known[path] = path.is_file()
    absent = [i for i, path in enumerate(files) if not known[path]]
    if absent:
        first = absent[0]
        raise FkbenchError(
            f"{faces[first].where} names the picture '{faces[first].picture}', and there is no '{files[first]}' "
            f"({len({files[i] for i in absent})} of {len(known)} pictures are missing).",
            "Correct the name, or say with `pictures` in which folder they lie.",
        )


def _names(description: Description, faces: Sequence[Face], owners: Sequence[LabelFile]) -> tuple[str, ...]:
    """Names of pictures for ids: with the part in front where parts lie in different folders, and never absolute."""
    several = len({file.pictures for file in description.files}) > 1
    absolute = [face.picture for face in faces if os.path.isabs(face.picture)]
    try:
        common = os.path.commonpath([os.path.dirname(name) for name in absolute]) if absolute else ""
    except ValueError as error:
        raise FkbenchError(
            f"'{description.path}' has pictures on several drives, and no names for them that hold elsewhere.",
            "Put them below one folder.",
        ) from error

    def name(face: Face, owner: LabelFile) -> str:
        short = face.picture
        if os.path.isabs(short):  # ids are the same on every system: with `/`
            short = os.path.relpath(short, common).replace(os.path.sep, "/")
        return f"{owner.part}/{short}" if several and owner.part else short

    return tuple(name(face, owner) for face, owner in zip(faces, owners, strict=True))


def _ids(names: Sequence[str]) -> tuple[str, ...]:
    many = {name for name, count in Counter(names).items() if count > 1}
    seen: Counter[str] = Counter()
    ids = []
    for name in names:
        seen[name] += 1
        ids.append(f"{name}#{seen[name]}" if name in many else name)
    return tuple(ids)


def _points(description: Description, faces: Sequence[Face]) -> Points:
    points = np.stack([face.points for face in faces])
    if description.missing is not None:
        points[(points == description.missing).all(axis=2)] = np.nan
    half = np.isnan(points).any(axis=2) & ~np.isnan(points).all(axis=2)
    if half.any():
        row, point = (int(v) for v in np.argwhere(half)[0])
        name = description.scheme.points[point]
        raise FkbenchError(
            f"{faces[row].where} has only one coordinate of point {point} ({name}).",
            "Give both, or leave both empty.",
        )
    return np.asarray(points - description.origin, np.float64)


def _check_once(faces: Sequence[Face], names: Sequence[str], points: Points) -> None:
    """The same face twice would count twice, and could stand on both sides of a split."""
    seen: dict[tuple[str, bytes], int] = {}
    for row, name in enumerate(names):
        first = seen.setdefault((name, points[row].tobytes()), row)
        if first != row:
            raise FkbenchError(
                f"{faces[row].where} labels '{name}' as another row does: {faces[first].where}.",
                "Keep one of the two.",
            )


def _parts(description: Description, faces: Sequence[Face], owners: Sequence[LabelFile]) -> tuple[str, ...] | None:
    if description.split is not None:
        return tuple(description.split.parts(faces))
    return tuple(owner.part for owner in owners) if description.given_split else None


def factor(values: Sequence[str]) -> Factor:
    """A column as an array: of numbers where all are numbers, otherwise of texts."""
    try:
        return np.array([float(value) for value in values], np.float64)
    except ValueError:
        return np.array(values)
