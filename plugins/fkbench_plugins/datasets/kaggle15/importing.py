"""Import of Kaggle's tables into a pack."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.duplicates import DUPLICATE_RULE_VERSION, components, find_duplicates
from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.importing import check_points, write_import
from fkbench.datasets.samples import ByteArray, FloatArray, Frames, IntArray
from fkbench.datasets.store import Store, sample_arrays

from .faces import LAYOUT, PACK, row_ids
from .files import Tables, open_tables
from .lookup import read_lookup
from .rows import F64, OFFICIAL_LABELS, OFFICIAL_ROWS, Mask, complete_points, conventions, kinds, label_hash
from .table import COLUMNS, SIDE, image_numbers, labels, read_table

OFFICIAL_PIXELS: str | None = None
"""SHA-256 of the official pictures, row after row. Nobody here has held them: an import whose labels are official
prints its own as `pixels_sha256`, which belongs here once it is known."""


def import_tables(store: Store, path: Path) -> Mapping[str, Any]:
    """Read, check and pack the tables.

    Args:
        store: where the pack goes.
        path: Kaggle's zip, its unpacked folder, or a `training.csv`.

    Returns:
        What was found, see `fkbench.datasets.importing.write_import`.

    Raises:
        FkbenchError: it is something else or malformed; nothing is written then.
    """
    with open_tables(path) as tables:
        images, values, points = _training_part(tables)
        test_images, test_numbers = _test_part(tables)
        lookup, official_lookup = read_lookup(tables.lookup())
    frames = Frames.stack(images)
    duplicates = find_duplicates(frames)
    pixels = hashlib.sha256(images.data).hexdigest()
    meta = {
        "fingerprint": fingerprint("face15", row_ids(len(points)), frames, points),
        "official": _official(values, pixels),
        "official_lookup": official_lookup,
        "counts": _counts(complete_points(points), len(test_images)),
        "pixels_sha256": pixels,
        "layout": LAYOUT,
        "duplicate_rule": DUPLICATE_RULE_VERSION,
        "near_duplicates": len(duplicates),
        "scored_values": len(lookup),
    }
    arrays = sample_arrays(frames, Frames.stack(test_images), points, duplicates) | {
        "group": components(duplicates, len(points)),
        "test_numbers": test_numbers,
        "lookup": lookup,
    }
    return write_import(store, PACK, meta, arrays)


def _training_part(tables: Tables) -> tuple[ByteArray, F64, FloatArray]:
    """Pictures (N, 96, 96), labels (N, 30) as they stand there, and points (N, 15, 2), NaN where one is missing."""
    training = tables.training()
    table = read_table(training.data, COLUMNS, training.where)
    del training  # the text of a table is several times as large as its pictures
    values = labels(table)
    points = values.astype(np.float32).reshape(-1, 15, 2)
    for row, one in enumerate(points):
        check_points(one, SIDE, SIDE, f"Row {row + 1} of '{table.where}'", missing_allowed=True)
    return table.images, values, points


def _test_part(tables: Tables) -> tuple[ByteArray, IntArray]:
    found = tables.test()
    if found is None:
        return np.zeros((0, SIDE, SIDE), np.uint8), np.zeros(0, np.int64)
    table = read_table(found.data, ("ImageId",), found.where)
    return table.images, np.array(image_numbers(table), np.int64)


def _official(values: F64, pixels: str) -> dict[str, bool | None]:
    if len(values) != OFFICIAL_ROWS:
        return {"labels": False, "pixels": False}
    same = None if OFFICIAL_PIXELS is None else pixels == OFFICIAL_PIXELS
    return {"labels": label_hash(values) == OFFICIAL_LABELS, "pixels": same}


def _counts(valid: Mask, unlabelled: int) -> dict[str, int]:
    convention = Counter(conventions(valid).tolist())
    kind = Counter(kinds(valid).tolist())
    return {
        "labelled": int(valid.any(axis=1).sum()),
        "unlabelled": unlabelled,
        **{name: kind[name] for name in ("complete", "four", "other")},
        **{f"convention_{name}": convention[name] for name in ("full", "four")},
    }
