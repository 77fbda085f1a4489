"""What a TOML file says of own data, checked and with every path resolved. Standard library only."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.owndata.landmarks import read_scheme
from fkbench.owndata.rules import PARTS, UNUSED, Key, SplitRule, read_key, read_split
from fkbench.owndata.table import Table, read_toml
from fkbench.schemes import Scheme

FORMATS: Mapping[str, str] = {
    "csv": "fkbench.owndata.csv_rows:read",
    "coco": "fkbench.owndata.coco:read",
    "pts": "fkbench.owndata.pts:read",
    "wflw": "fkbench.owndata.wflw:read",
}
"""Format → the function that reads a label file of it: `read(file, points, options) -> list[Face]`."""
OPTIONS: Mapping[str, tuple[str, ...]] = {"csv": ("delimiter", "header"), "coco": ("keypoints", "category")}
"""Keys that one format alone has."""
ORIGIN = {"pts": 1}
"""Position of the first pixel's centre in a format's coordinates, where it is not 0 (300-W counts as MATLAB does)."""
FOLDERS = ("pts",)
"""Formats whose labels are a folder."""
SHOWN_ONLY = ("summary", "terms")
"""Keys that change nothing in the data."""
KEYS = (
    "name", "summary", "scheme", "format", "labels", "pictures", "origin", "missing", "channels", "group", "clip",
    "split", "factors", "smallest", "crops", "scoring", "boxes", "any_box", "terms",
    *(key for keys in OPTIONS.values() for key in keys),
)  # fmt: skip


@dataclass(frozen=True)
class LabelFile:
    """Labels, the folder of their pictures, and the part of a split that they are (empty: not by file)."""

    labels: Path
    pictures: Path
    part: str = ""


@dataclass(frozen=True)
class Description:
    """Own data as its file describes it.

    Attributes:
        path: the file.
        table: its top level, for what `fkbench.owndata.dataset` makes of the rest.
        files: in order; ids begin with the part where the parts' pictures lie in different folders.
        origin: position of the first pixel's centre in the labels' coordinates.
        missing: the number that stands for a coordinate that is not there; None: no number does.
        channels: of the frames that are kept, 1 (grey) or 3 (RGB).
        smallest: faces whose points' longer side is less, in pixels, are left out.
        options: of the format.
        digest: of all that decides the data.
    """

    path: Path
    table: Table
    name: str
    scheme: Scheme
    format: str
    files: tuple[LabelFile, ...]
    origin: float
    missing: float | None
    channels: int
    smallest: float
    group: Key | None
    clip: Key | None
    split: SplitRule | None
    factors: tuple[str, ...]
    digest: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def given_split(self) -> bool:
        """Whether the parts are stated, by rule or by file."""
        return self.split is not None or any(file.part for file in self.files)


def describe(path: Path) -> Description:
    """Read a TOML file that describes own data.

    Raises:
        FkbenchError: it is not there, is not TOML, or says something that cannot be; file and key are named.
    """
    values = read_toml(path)
    where = f"'{path}'"
    table = Table.of(values, where, KEYS)
    style = table.one_of("format", FORMATS, table.needed("format", str, 'format = "csv"'))
    name = _name(table, path)
    if "scheme" not in values:
        table.needed("scheme", str, 'scheme = "face15", or a table [scheme]')
    files = _files(table, path.parent, style)
    split = read_split(table, path.parent)
    if split is not None and any(file.part for file in files):
        raise FkbenchError(f"{where} has parts both in 'labels' and in 'split'.", "Keep one of the two.")
    return Description(
        path=path,
        table=table,
        name=name,
        scheme=read_scheme(values["scheme"], where, name),
        format=style,
        files=files,
        origin=_origin(table, style),
        missing=table.get("missing", float, 0.0) if "missing" in values else None,
        channels=_channels(table),
        smallest=_smallest(table),
        group=read_key(table, "group"),
        clip=read_key(table, "clip"),
        split=split,
        factors=table.texts("factors"),
        digest=_digest(values),
        options=_options(table, style),
    )


def _name(table: Table, path: Path) -> str:
    name = table.get("name", str, path.stem)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name) or name.endswith((".py", ".toml")):
        raise FkbenchError(
            f"{table.where} gives the dataset the name '{name}'.",
            "A name is made of at most 80 letters, digits, '.', '_' and '-', for example name = \"myfaces\".",
        )
    return name


def _digest(values: Mapping[str, Any]) -> str:
    stated = {key: value for key, value in values.items() if key not in SHOWN_ONLY}
    return hashlib.sha256(json.dumps(stated, sort_keys=True, default=str).encode()).hexdigest()


def _origin(table: Table, style: str) -> float:
    origin = table.get("origin", float, float(ORIGIN.get(style, 0)))
    if origin not in (0.0, 0.5, 1.0):
        raise table.wrong("origin", "0, 0.5 or 1: the position of the first pixel's centre in your coordinates")
    return origin


def _channels(table: Table) -> int:
    channels = table.get("channels", int, 3)
    if channels not in (1, 3):
        raise table.wrong("channels", "1 (grey) or 3 (colour)")
    return channels


def _smallest(table: Table) -> float:
    smallest = table.get("smallest", float, 0.0)
    if not 0 <= smallest < float("inf"):
        raise table.wrong("smallest", "a number of pixels, 0 or more")
    return smallest


def _options(table: Table, style: str) -> dict[str, Any]:
    for owner, keys in OPTIONS.items():
        alien = [key for key in keys if key in table.values and owner != style]
        if alien:
            raise FkbenchError(
                f"'{alien[0]}' in {table.where} belongs to the format {owner}, not {style}.", "Leave it out."
            )
    if style == "csv":
        delimiter = table.get("delimiter", str, ",")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise table.wrong("delimiter", "one character")
        header = table.get("header", bool, True) if "header" in table.values else None
        return {"delimiter": delimiter, "header": header}
    if style == "coco":
        return {"keypoints": table.get("keypoints", str, "keypoints"), "category": table.get("category", str, "")}
    return {}


def _files(table: Table, base: Path, style: str) -> tuple[LabelFile, ...]:
    labels = _paths(table, "labels", base)
    if not labels:
        table.needed("labels", str, 'labels = "labels.csv", or one for each part: labels = {train = …, test = …}')
    pictures = _paths(table, "pictures", base)
    if set(pictures) - {""} and set(pictures) != set(labels):
        raise FkbenchError(
            f"'pictures' in {table.where} has other parts than 'labels'.", "Give a folder for each, or one for all."
        )
    files = []
    for part, path in labels.items():
        if style in FOLDERS and not path.is_dir():
            raise FkbenchError(
                f"{table.where}: there is no folder '{path}'.", f"Labels of {style} are a folder of files."
            )
        if style not in FOLDERS and not path.is_file():
            raise FkbenchError(f"{table.where}: there is no file '{path}'.", "'labels' is relative to the TOML file.")
        folder = pictures.get(part) or pictures.get("") or (path if style in FOLDERS else path.parent)
        if not folder.is_dir():
            raise FkbenchError(
                f"{table.where}: there is no folder '{folder}'.", "'pictures' is relative to the TOML file."
            )
        files.append(LabelFile(path, folder, part))
    return tuple(files)


def _paths(table: Table, key: str, base: Path) -> dict[str, Path]:
    """Part → path; one path alone has the empty part."""
    value = table.values.get(key, {})
    if isinstance(value, str):
        return {"": base / Path(value).expanduser()}
    if not isinstance(value, Mapping) or not all(isinstance(path, str) for path in value.values()):
        raise table.wrong(key, "a path, or a table of a path for each part")
    known = (*PARTS, UNUSED)
    for part in value:
        if part not in known:
            raise UnknownNameError(f"part in '{key}' of {table.where}:", part, known)
    return {part: base / Path(value[part]).expanduser() for part in known if part in value}
