"""Reading the imported frames, and the two ways to split them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fkbench.datasets.duplicates import DUPLICATE_RULE_VERSION
from fkbench.datasets.importing import check_layout
from fkbench.datasets.samples import FloatArray, Official, Samples, Split, Unlabelled
from fkbench.datasets.splits import TRAIN_SHARE, VAL_SHARE, by_group, from_masks, unit_hashes
from fkbench.datasets.store import Store

PACK = "youtube68"
LAYOUT = 1


def load(store: Store, settings: dict[str, Any]) -> Samples:
    """The labelled frames, colour (RGB), with person, clip and published part of each.

    Raises:
        DataMissingError: they have not been imported.
    """
    pack = store.read(PACK)
    check_layout(pack, PACK, LAYOUT, DUPLICATE_RULE_VERSION)
    meta = pack.meta
    points: FloatArray = pack.arrays["points"]  # type: ignore[assignment]
    return Samples(
        ids=tuple(meta["ids"]),
        frames=pack.frames(),
        points=points,
        group=tuple(meta["person"]),
        clip=tuple(meta["clip"]),
        published=tuple(name.partition("/")[0] for name in meta["ids"]),
        fingerprint=meta["fingerprint"],
        official=Official(meta["official"]["labels"], meta["official"]["pixels"]),
        duplicates=pack.arrays["duplicates"].astype(np.int64),
        unlabelled=Unlabelled(tuple(meta["unlabelled_ids"]), pack.frames("unlabelled")),
    )


def split(samples: Samples, name: str, fold: int) -> Split:
    """`identity`: persons apart, over all labelled frames. `official`: as published, validation by person.

    One hash of the person's name serves both: persons that validate in `official` validate in `identity` too.
    """
    if name == "identity":
        return by_group(samples, name)
    assert samples.published is not None
    units = unit_hashes(samples.group)
    test = np.array([part == "test" for part in samples.published])
    val = ~test & (units >= TRAIN_SHARE) & (units < TRAIN_SHARE + VAL_SHARE)
    return from_masks(name, ~test & ~val, val, test)
