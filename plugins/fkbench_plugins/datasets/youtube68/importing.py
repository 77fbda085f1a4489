"""Import from the official zip, a zip of the same layout, or its unpacked folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.archives import Source, open_source
from fkbench.datasets.duplicates import DUPLICATE_RULE_VERSION, find_duplicates
from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.importing import write_import
from fkbench.datasets.pictures import read_frames
from fkbench.datasets.progress import listener
from fkbench.datasets.samples import Frames
from fkbench.datasets.store import Store, sample_arrays
from fkbench.errors import FkbenchError

from .frames import LAYOUT, PACK
from .labels import Labels, check_positions, find_root, read_labels

OFFICIAL_PIXELS = "a99b0898eadb035cffe1affcc15a484b51184ebd74f2010f5e16f11180ab3999"
"""Of the 4232 labelled frames as published; `pixel_hash` says over what."""


def import_frames(store: Store, path: Path) -> Mapping[str, Any]:
    """Read, check and pack the set.

    Args:
        store: where the pack goes.
        path: zip or folder.

    Returns:
        What was found, see `fkbench.datasets.importing.write_import`.

    Raises:
        FkbenchError: it is something else, incomplete or damaged; nothing is written then.
    """
    with open_source(path) as source:
        root = find_root(source)
        labels = read_labels(root)
        _check_complete(labels, root)
        rest = _unlabelled(root, labels)
        frames = read_frames(root, labels.ids, "Decoding labelled frames")
        check_positions(labels, frames.shapes, root.label)
        unlabelled = read_frames(root, rest, "Decoding unlabelled frames")
    pixels = pixel_hash(labels.ids, frames)
    duplicates = find_duplicates(frames)
    meta = {
        "fingerprint": fingerprint("face68", labels.ids, frames, labels.points),
        "official": {"labels": labels.official, "pixels": pixels == OFFICIAL_PIXELS},
        "counts": {"labelled": len(labels.ids), "unlabelled": len(rest), **_parts(labels.ids)},
        "persons": len(set(labels.person)),
        "clips": len(set(labels.clip)),
        "pixels_sha256": pixels,
        "layout": LAYOUT,
        "duplicate_rule": DUPLICATE_RULE_VERSION,
        "near_duplicates": len(duplicates),
        "ids": labels.ids,
        "person": labels.person,
        "clip": labels.clip,
        "unlabelled_ids": rest,
    }
    return write_import(store, PACK, meta, sample_arrays(frames, unlabelled, labels.points, duplicates))


def pixel_hash(ids: Sequence[str], frames: Frames) -> str:
    """SHA-256 over, for each labelled frame in order: its path, height and width (little-endian uint32), RGB rows."""
    digest = hashlib.sha256()
    report = listener()
    for index, name in enumerate(ids):
        picture = frames[index]
        digest.update(name.encode())
        digest.update(np.array(picture.shape[:2], "<u4").tobytes())
        digest.update(picture.data)
        if index % 256 == 0:
            report("Comparing with the published pixels", index, len(ids))
    report("Comparing with the published pixels", len(ids), len(ids))
    return digest.hexdigest()


def _check_complete(labels: Labels, root: Source) -> None:
    there = set(root.names)
    absent = [name for name in labels.ids if name not in there]
    if absent:
        raise FkbenchError(
            f"'{root.label}' lacks {len(absent)} of the {len(labels.ids)} labelled frames, the first is '{absent[0]}'.",
            "Import the whole set, or remove the rows of the absent frames from the tables (it is then another set).",
        )


def _unlabelled(root: Source, labels: Labels) -> tuple[str, ...]:
    """Frames of both parts that the tables do not name."""
    frames = (name for name in root.names if name.startswith(("training/", "test/")) and name.endswith(".jpg"))
    known = set(labels.ids)
    return tuple(name for name in frames if name not in known)


def _parts(ids: Sequence[str]) -> dict[str, int]:
    return {part: sum(name.startswith(f"{part}/") for name in ids) for part in ("training", "test")}
