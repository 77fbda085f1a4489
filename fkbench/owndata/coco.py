"""COCO keypoints: one JSON file of pictures and annotations, a face each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.owndata.description import LabelFile
from fkbench.owndata.faces import Face, plain_name, read_text
from fkbench.schemes import Scheme

_REMEDY = 'Annotations are {"image_id": …, "keypoints": [x0, y0, v0, x1, …]}, see docs/own-data.md.'


def read(file: LabelFile, scheme: Scheme, options: Mapping[str, Any]) -> list[Face]:
    """Annotations `[x, y, v, …]`: v = 0 is not labelled, anything above is (COCO's data format, cocodataset.org).

    Annotations without any labelled keypoint, and crowds, are no faces here. Their `bbox` is not read. Texts and
    numbers of an annotation and of its picture can be called as columns.

    Raises:
        FkbenchError: not this format, or an annotation that does not hold together; its place and id are named.
    """
    page = _page(file)
    images = _by_id(page, "images", file)
    wanted = _category(page, options["category"], file)
    key, count = options["keypoints"], len(scheme.points)
    faces = []
    for place, entry in enumerate(_list(page, "annotations", file)):
        where = f"Annotation {place} of '{file.labels}'"
        if not isinstance(entry, Mapping):
            raise FkbenchError(f"{where} is no object.", _REMEDY)
        where = f"Annotation {place} (id {entry.get('id')}) of '{file.labels}'"
        if key not in entry or entry.get("iscrowd") or (wanted is not None and entry.get("category_id") != wanted):
            continue
        points = _points(entry[key], count, where)
        if not np.isfinite(points).any():
            continue
        image = images.get(_text(entry.get("image_id")))
        if image is None:
            raise FkbenchError(
                f"{where} belongs to the picture {entry.get('image_id')!r}, which is not listed.", _REMEDY
            )
        fields = {
            name: _text(v) for part in (image, entry) for name, v in part.items() if isinstance(v, str | int | float)
        }
        faces.append(Face(plain_name(image["file_name"]), points, where, fields))
    if not faces:
        raise FkbenchError(f"'{file.labels}' has no annotation with labelled '{key}'.", _REMEDY)
    return faces


def _page(file: LabelFile) -> Mapping[str, Any]:
    try:
        page = json.loads(read_text(file.labels))
    except (ValueError, RecursionError) as error:
        raise FkbenchError(
            f"'{file.labels}' is not JSON: {str(error)[:200]}.", "Give a COCO keypoints file."
        ) from error
    if not isinstance(page, Mapping):
        raise FkbenchError(f"'{file.labels}' is no COCO file: it is a {type(page).__name__}.", _REMEDY)
    return page


def _list(page: Mapping[str, Any], key: str, file: LabelFile) -> list[Any]:
    found = page.get(key)
    if not isinstance(found, list):
        raise FkbenchError(f"'{file.labels}' is no COCO file: it has no list '{key}'.", _REMEDY)
    return found


def _by_id(page: Mapping[str, Any], key: str, file: LabelFile) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for place, image in enumerate(_list(page, key, file)):
        name = image.get("file_name") if isinstance(image, Mapping) else None
        if not isinstance(name, str) or not name.strip() or "id" not in image:
            raise FkbenchError(f"Picture {place} of '{file.labels}' has no id or no file_name.", _REMEDY)
        if _text(image["id"]) in found:
            raise FkbenchError(f"'{file.labels}' has two pictures of the id {image['id']!r}.", "Give each its own.")
        found[_text(image["id"])] = image
    return found


def _category(page: Mapping[str, Any], name: str, file: LabelFile) -> Any:
    """Id of the category of this name; None where every category is taken."""
    if not name:
        return None
    known = {str(c.get("name")): c.get("id") for c in _list(page, "categories", file) if isinstance(c, Mapping)}
    if name not in known:
        raise UnknownNameError(f"category of '{file.labels}':", name, known)
    return known[name]


def _points(values: Any, count: int, where: str) -> Any:
    if not isinstance(values, list) or len(values) != 3 * count:
        have = f"{len(values)} values" if isinstance(values, list) else "no list"
        raise FkbenchError(f"{where} has {have}, but {count} points need {3 * count} (x, y, v of each).", _REMEDY)
    bad = next((v for v in values if not isinstance(v, int | float) or isinstance(v, bool)), None)
    if bad is not None:
        raise FkbenchError(f"{where} has {str(bad)[:40]!r} where a number is needed.", _REMEDY)
    try:
        table = np.array(values, np.float64).reshape(count, 3)
    except OverflowError as error:  # JSON has whole numbers of any length
        raise FkbenchError(f"{where} has a number that is too large.", _REMEDY) from error
    return np.where(table[:, 2:] > 0, table[:, :2], np.nan)


def _text(value: Any) -> str:
    return str(value)
