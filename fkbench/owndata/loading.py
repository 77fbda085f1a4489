"""Opening own data: from its pack where nothing has changed, read anew where something has."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from fkbench.datasets.leaks import leak_report
from fkbench.datasets.samples import FloatArray, Samples, Split, Unlabelled
from fkbench.datasets.splits import TRAIN_SHARE, VAL_SHARE, by_group, from_masks, unit_hashes
from fkbench.datasets.store import Pack, Store
from fkbench.errors import FkbenchError
from fkbench.owndata.collecting import factor
from fkbench.owndata.description import Description
from fkbench.owndata.importing import import_own
from fkbench.owndata.naming import pack_name
from fkbench.owndata.rules import PARTS
from fkbench.owndata.state import what_changed

GIVEN = "given"
_log = logging.getLogger(__name__)


def load(description: Description, store: Store, *, sized: bool) -> Samples:
    """The labelled faces; rows without any point are the unlabelled part.

    Raises:
        FkbenchError: bad labels or pictures; file and row are named.
    """
    pack = _pack(description, store, sized=sized)
    meta = pack.meta
    points: FloatArray = pack.arrays["points"]  # type: ignore[assignment]
    bare = tuple(meta["unlabelled_ids"])
    return Samples(
        ids=tuple(meta["ids"]),
        frames=pack.frames(),
        points=points,
        group=tuple(meta["group"]),
        clip=None if meta["clip"] is None else tuple(meta["clip"]),
        published=None if meta["parts"] is None else tuple(meta["parts"]),
        factors={name: factor(values) for name, values in meta["factors"].items()},
        fingerprint=meta["fingerprint"],
        duplicates=pack.arrays["duplicates"].astype(np.int64),
        unlabelled=Unlabelled(bare, pack.frames("unlabelled")) if bare else None,
    )


def _pack(description: Description, store: Store, *, sized: bool) -> Pack:
    name = pack_name(description)
    if store.has(name):
        try:
            pack = store.read(name)
        except FkbenchError:
            changed = "its pack is damaged"
        else:
            changed = what_changed(description, pack)
            if not changed:
                return pack
        _log.warning("%s: %s, so it is read again.", description.name, changed)
    import_own(description, store, sized=sized)
    return store.read(name)


def split(samples: Samples, name: str, fold: int) -> Split:
    """`given`: the parts that the labels state; without a validation part, 10 % of the training groups by hash. Any
    other name: 65/10/25 % by a hash of the group.

    A split with a group, a clip or a near-duplicate on both sides is marked as leaky: nobody else has looked at it.
    """
    found = _given(samples, name) if name == GIVEN else by_group(samples, name)
    return replace(found, leaky=bool(leak_report(samples, found)["leaky"]))


def _given(samples: Samples, name: str) -> Split:
    assert samples.published is not None
    train, val, test = (np.array([part == wanted for part in samples.published]) for wanted in PARTS)
    if not val.any():
        units = unit_hashes(samples.group)
        val = train & (units >= TRAIN_SHARE) & (units < TRAIN_SHARE + VAL_SHARE)
        train = train & ~val
    return from_masks(name, train, val, test)
