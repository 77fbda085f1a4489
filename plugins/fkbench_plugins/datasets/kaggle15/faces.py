"""Reading the imported faces, and their folds."""

from __future__ import annotations

from typing import Any

import numpy as np

from fkbench.datasets.duplicates import DUPLICATE_RULE_VERSION
from fkbench.datasets.importing import check_layout
from fkbench.datasets.samples import FloatArray, Official, Samples, Split, Unlabelled
from fkbench.datasets.splits import from_masks, unit_hashes
from fkbench.datasets.store import Store

from .rows import complete_points, conventions, kinds

PACK = "kaggle15"
LAYOUT = 1
FOLDS = 5
VAL_SHARE = 0.125  # of what is not tested: 10 % of all


def load(store: Store, settings: dict[str, Any]) -> Samples:
    """Every row of the training table; rows without any label are in no split.

    A row's group is that of its near-duplicates, named after the first of them.

    Raises:
        DataMissingError: the tables have not been imported.
    """
    pack = store.read(PACK)
    check_layout(pack, PACK, LAYOUT, DUPLICATE_RULE_VERSION)
    meta = pack.meta
    points: FloatArray = pack.arrays["points"]  # type: ignore[assignment]
    valid = complete_points(points)
    ids = row_ids(len(points))
    numbers = tuple(f"test/{number}" for number in pack.arrays["test_numbers"].tolist())
    return Samples(
        ids=ids,
        frames=pack.frames(),
        points=points,
        group=tuple(ids[first] for first in pack.arrays["group"].tolist()),
        convention=tuple(conventions(valid).tolist()),
        row_kind=tuple(kinds(valid).tolist()),
        fingerprint=meta["fingerprint"],
        official=Official(meta["official"]["labels"], meta["official"]["pixels"]),
        duplicates=pack.arrays["duplicates"].astype(np.int64),
        unlabelled=Unlabelled(numbers, pack.frames("unlabelled")) if numbers else None,
    )


def row_ids(count: int) -> tuple[str, ...]:
    """`training/1` … in the table's order."""
    return tuple(f"training/{row + 1}" for row in range(count))


def split(samples: Samples, name: str, fold: int) -> Split:
    """`complete`: rows with all 30 values; `all`: every labelled row. A fold is a fifth of the near-duplicate groups.

    A row is tested in the same fold of both, so that `all/i` never trains on a test row of `complete/i`.
    """
    assert samples.row_kind is not None
    used = samples.valid.any(axis=1)
    if name == "complete":
        used &= np.array([kind == "complete" for kind in samples.row_kind])
    test = np.floor(unit_hashes(samples.group, "kaggle15-fold") * FOLDS).astype(np.int64) == fold
    val = ~test & (unit_hashes(samples.group, "kaggle15-val", str(fold)) < VAL_SHARE)
    return from_masks(name, used & ~test & ~val, used & val, used & test)
