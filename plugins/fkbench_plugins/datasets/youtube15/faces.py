"""The faces as a dataset: cut once into a pack, read from it afterwards."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.progress import listener
from fkbench.datasets.projections import project
from fkbench.datasets.samples import ByteArray, FloatArray, Frames, Samples
from fkbench.datasets.store import Pack, Store, frame_arrays
from fkbench.schemes import FACE68
from fkbench_plugins.datasets.youtube68.frames import load as load_frames

from .framing import CROP_VERSION, SIZE, cut, framing

PACK = "youtube15"


def load(store: Store, settings: dict[str, Any]) -> Samples:
    """The faces of all labelled frames of `youtube68`; persons, clips and parts are those of the frames.

    Official labels and pixels mean that those of `youtube68` are. Near-duplicates are those of the whole frames, whose
    crops differ by their jitter alone. Points may lie outside the crop.

    Raises:
        DataMissingError: `youtube68` has not been imported.
    """
    parent = load_frames(store, {})
    pack = _pack(store, parent)
    points: FloatArray = pack.arrays["points"]  # type: ignore[assignment]
    return replace(
        parent,
        frames=pack.frames(),
        points=points,
        fingerprint=pack.meta["fingerprint"],
        unlabelled=None,
    )


def _pack(store: Store, parent: Samples) -> Pack:
    key = {"parent": parent.fingerprint, "crop": CROP_VERSION}
    with store.lock(PACK):
        if store.has(PACK):
            pack = store.read(PACK)
            if pack.meta["key"] == key:
                return pack
        return _build(store, parent, key)


def _build(store: Store, parent: Samples, key: dict[str, Any]) -> Pack:
    places = [framing(points, name) for points, name in zip(parent.points, parent.ids, strict=True)]
    native = np.stack([place.map(points) for place, points in zip(places, parent.points, strict=True)])
    images = np.empty((len(parent), SIZE, SIZE), np.uint8)

    def work(index: int) -> ByteArray:
        return cut(parent.frames[index], places[index])

    report = listener()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for index, crop in enumerate(pool.map(work, range(len(parent)))):
            images[index] = crop
            if index % 64 == 0:
                report("Cutting faces", index, len(parent))
    report("Cutting faces", len(parent), len(parent))
    frames, points = Frames.stack(images), project(native, FACE68, "face15")
    meta = {"key": key, "fingerprint": fingerprint("face15", parent.ids, frames, points)}
    arrays = {**frame_arrays(frames), "points": points}
    return store.write(PACK, meta, arrays)
