"""The list of (picture, value) pairs that the competition scores."""

from __future__ import annotations

import hashlib

import numpy as np

from fkbench.datasets.samples import IntArray
from fkbench.errors import FkbenchError

from .files import Found
from .table import COLUMNS

OFFICIAL_LOOKUP = "e9fe9d4b34c3ca8db4598113d7bc9a3439640c5d70cbe2caa0a7f69355c3df55"


def read_lookup(found: Found | None) -> tuple[IntArray, bool]:
    """Pairs (M, 2) of ImageId and column index, and whether the file is Kaggle's (line ends may differ).

    Raises:
        FkbenchError: a malformed row; file and row are named.
    """
    if found is None:
        return np.zeros((0, 2), np.int64), False
    index = {name: i for i, name in enumerate(COLUMNS)}
    lines = found.data.decode("utf-8-sig", "replace").splitlines()
    pairs: list[tuple[int, int]] = []
    for number, line in enumerate(lines[1:], start=1):
        fields = line.split(",")
        if not line.strip():
            continue
        if len(fields) < 3 or not fields[1].isdigit() or fields[2] not in index:
            raise FkbenchError(
                f"Row {number} of '{found.where}' is not RowId,ImageId,FeatureName,Location.",
                "Get the file again from Kaggle.",
            )
        pairs.append((int(fields[1]), index[fields[2]]))
    unix = found.data.replace(b"\r\n", b"\n")
    variants = (found.data, unix, unix.replace(b"\n", b"\r\n"))
    official = OFFICIAL_LOOKUP in {hashlib.sha256(variant).hexdigest() for variant in variants}
    return np.array(pairs, np.int64).reshape(-1, 2), official
