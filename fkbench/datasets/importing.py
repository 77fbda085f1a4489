"""Importing: the plugin reads the official files, this module keeps what it found and says what it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.fingerprints import array_digest
from fkbench.datasets.progress import Progress, listening
from fkbench.datasets.samples import Array, FloatArray
from fkbench.datasets.store import Pack, Store
from fkbench.errors import FkbenchError
from fkbench.specs import DatasetSpec, resolve

FAR = 2.0
"""A point further outside than this many picture sizes is an error, not a label."""


def import_dataset(spec: DatasetSpec, store: Store, path: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Import a dataset's official files from a zip or folder.

    Args:
        spec: the dataset.
        store: where it goes.
        path: zip, folder or file.
        progress: told of the work.

    Returns:
        What was found: counts, officialness, fingerprint, near-duplicates, where it lies, and whether it was there
        already.

    Raises:
        FkbenchError: the dataset is not imported from files, or the files are bad; nothing is written then.
    """
    if spec.importer is None:
        raise FkbenchError(f"{spec.name} is not imported from files.", spec.ways)
    with listening(progress):
        found: Mapping[str, Any] = resolve(spec.importer)(store, path.expanduser())
    return {"dataset": spec.name, "source": str(path), **found}


def write_import(store: Store, name: str, meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Keep an import as a pack, unless the same one is there already.

    Every array's digest goes into the pack, so that `damaged_arrays` can tell what the disk did to it.

    Args:
        meta: the pack's page; short values of it make up the summary.
        arrays: the pack's arrays.

    Returns:
        The short values of `meta`, `folder`, `bytes` and `unchanged`.

    Raises:
        FkbenchError: the disk is full or the folder cannot be written.
    """
    digests = {key: array_digest(array) for key, array in arrays.items()}
    page = {**meta, "digests": digests}
    with store.lock(name):
        unchanged = _same(store, name, page)
        if not unchanged:
            store.write(name, page, arrays)
    summary = {key: value for key, value in meta.items() if not isinstance(value, list | tuple)}
    size = sum(array.nbytes for array in arrays.values())
    return {**summary, "folder": str(store.folder(name)), "bytes": size, "unchanged": unchanged}


def _same(store: Store, name: str, page: Mapping[str, Any]) -> bool:
    if not store.has(name):
        return False
    try:
        pack = store.read(name)
    except FkbenchError:
        return False  # damaged or of an older version: replaced
    old, new = ({k: v for k, v in p.items() if k != "pack"} for p in (pack.meta, page))
    return _plain(old) == _plain(new) and not damaged_arrays(pack)


def _plain(value: Any) -> Any:
    """Tuples as JSON gives them back."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def damaged_arrays(pack: Pack) -> list[str]:
    """Names of a pack's arrays that are not as they were written; none for packs that keep no digests."""
    digests: Mapping[str, str] = pack.meta.get("digests", {})
    return [
        key for key, digest in sorted(digests.items())
        if key not in pack.arrays or array_digest(pack.arrays[key]) != digest
    ]  # fmt: skip


def check_layout(pack: Pack, name: str, layout: int, duplicate_rule: int) -> None:
    """A pack made by an older fkbench is not read as if it were a new one.

    Raises:
        FkbenchError: it has another layout, or its near-duplicates follow another rule.
    """
    if (pack.meta.get("layout"), pack.meta.get("duplicate_rule")) != (layout, duplicate_rule):
        raise FkbenchError(
            f"'{name}' in '{pack.folder}' was imported by another version of fkbench.",
            f"Import it again: `fkbench data import {name} --from …`.",
        )


def check_points(points: FloatArray, width: int, height: int, where: str, *, missing_allowed: bool) -> None:
    """Labels of one picture (K, 2) are numbers near the picture.

    Raises:
        FkbenchError: NaN where nothing may be missing, infinite, or more than two picture sizes outside.
    """
    remedy = "Correct the row, or remove it and its picture."
    if np.isinf(points).any() or (np.isnan(points).any() and not missing_allowed):
        raise FkbenchError(f"{where} has a point that is not a finite number.", remedy)
    size = np.array([width, height], np.float32)
    far = (points < -FAR * size) | (points > (1 + FAR) * size)
    if far.any():
        index = int(np.flatnonzero(far.any(axis=1))[0])
        x, y = (float(v) for v in points[index])
        raise FkbenchError(
            f"{where} has point {index} at ({x:g}, {y:g}), far outside its {width}×{height} picture.", remedy
        )
