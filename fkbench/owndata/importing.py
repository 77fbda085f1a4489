"""Packing own data: pictures decoded and checked, labels, names and near-duplicates, kept as any other dataset is."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fkbench.datasets.boxes import TRUTH_SIDE, reference_squares
from fkbench.datasets.duplicates import DUPLICATE_RULE_VERSION, components, find_duplicates
from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.importing import check_points, write_import
from fkbench.datasets.pictures import MAX_ENCODED, read_frames
from fkbench.datasets.samples import Frames, IntArray
from fkbench.datasets.store import Store, sample_arrays
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.owndata.collecting import Collected, collect
from fkbench.owndata.description import Description
from fkbench.owndata.faces import Face
from fkbench.owndata.naming import LAYOUT, pack_name
from fkbench.owndata.state import labels_digest, pictures_digest
from fkbench.owndata.wflw import ATTRIBUTES

_log = logging.getLogger(__name__)
LEAST_FACE = 2.0
"""Pixels; points closer together than this tell no size of a face."""


class PictureFiles:
    """The pictures that labels name, as `fkbench.datasets.pictures.read_frames` reads them."""

    def __init__(self, label: str, files: dict[str, Path]) -> None:
        self.label, self.names = label, list(files)
        self._files = files

    def read(self, name: str, limit: int = MAX_ENCODED) -> bytes:
        data = self.head(name, limit + 1)
        if len(data) > limit:
            raise FkbenchError(
                f"The picture '{name}' in '{self.label}' is larger than {limit // 2**20} MiB.", "Save it smaller."
            )
        return data

    def head(self, name: str, count: int) -> bytes:
        try:
            with self._files[name].open("rb") as file:
                return file.read(count)
        except OSError as error:
            raise FkbenchError(
                f"The picture '{self._files[name]}' cannot be read: {error.strerror or error}.",
                "Check its permissions.",
            ) from error


def import_own(description: Description, store: Store, *, sized: bool) -> dict[str, Any]:
    """Read labels and pictures and pack them.

    Args:
        sized: a face's size must be told from its points (for boxes or scores that rest on it).

    Returns:
        What was found, see `fkbench.datasets.importing.write_import`.

    Raises:
        FkbenchError: bad labels or pictures; file and row are named; nothing is written then.
    """
    labels = labels_digest(description)
    found = collect(description)
    # Before anything is decoded: what changes meanwhile is noticed the next time.
    source = _source(description, found, labels)
    labelled, bare = _rows(description, found)
    frames = _frames(description, found, labelled, "Decoding pictures")
    points = found.points[labelled].astype(np.float32)
    faces = [found.faces[i] for i in labelled]
    _check(faces, points, frames, sized=sized)
    ids = tuple(found.ids[i] for i in labelled)
    duplicates = find_duplicates(frames)
    meta = {
        **source,
        "fingerprint": fingerprint(description.scheme, ids, frames, points),
        "counts": {"labelled": len(ids), "unlabelled": len(bare)},
        "near_duplicates": len(duplicates),
        "ids": ids,
        "unlabelled_ids": [found.ids[i] for i in bare],
        **_named(description, faces, ids, duplicates),
        "parts": None if found.parts is None else [found.parts[i] for i in labelled],
    }
    unlabelled = _frames(description, found, bare, "Decoding unlabelled pictures")
    return write_import(store, pack_name(description), meta, sample_arrays(frames, unlabelled, points, duplicates))


def _source(description: Description, found: Collected, labels: str) -> dict[str, Any]:
    """What the pack is made from, by which `fkbench.owndata.state.what_changed` tells whether it still stands."""
    files = [str(path.resolve()) for path in dict.fromkeys(found.files)]
    return {
        "toml": str(description.path.resolve()),
        "dataset": description.name,
        "state": {"description": description.digest, "labels": labels, "pictures": pictures_digest(files)},
        "files": files,
        "layout": LAYOUT,
        "duplicate_rule": DUPLICATE_RULE_VERSION,
    }


def _rows(description: Description, found: Collected) -> tuple[IntArray, IntArray]:
    """The rows with points, without those of faces that are too small, and the rows without any."""
    known = np.asarray(np.isfinite(found.points).any(axis=(1, 2)))
    labelled = np.flatnonzero(known)
    if len(labelled) and description.smallest:
        sides = reference_squares(found.points[labelled].astype(np.float32))[:, 2] / TRUTH_SIDE
        kept = labelled[sides >= description.smallest]
        _log.warning(
            "%s: %d of %d faces are smaller than %g pixels and left out.",
            description.name, len(labelled) - len(kept), len(labelled), description.smallest,
        )  # fmt: skip
        labelled = kept
    if not len(labelled):
        raise FkbenchError(f"'{description.path}' describes no labelled face.", "Every row is empty or left out.")
    return labelled, np.flatnonzero(~known)


def _frames(description: Description, found: Collected, rows: IntArray, stage: str) -> Frames:
    """The pictures of these rows, one that shows several faces kept once."""
    files = {found.names[i]: found.files[i] for i in rows}
    folders = {file.pictures for file in description.files}
    label = str(folders.pop()) if len(folders) == 1 else str(description.path.parent)
    frames = read_frames(PictureFiles(label, files), list(files), stage)
    if description.channels == 1:
        frames = _grey(frames)
    place = {name: i for i, name in enumerate(files)}
    index = np.array([place[found.names[i]] for i in rows], np.int64)
    return Frames(frames.buffer, frames.offsets[index], frames.shapes[index].reshape(-1, 3))


def _grey(frames: Frames) -> Frames:
    sizes = frames.shapes[:, :2].prod(axis=1)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    shapes = np.column_stack([frames.shapes[:, :2], np.ones(len(frames), np.int64)])
    grey = Frames(np.empty(int(offsets[-1]), np.uint8), offsets[:-1], shapes)
    for i in range(len(frames)):
        grey[i][:, :, 0] = cv2.cvtColor(frames[i], cv2.COLOR_RGB2GRAY)
    return grey


def _check(faces: Sequence[Face], points: Any, frames: Frames, *, sized: bool) -> None:
    for i, face in enumerate(faces):
        height, width = (int(v) for v in frames.shapes[i, :2])
        check_points(points[i], width, height, face.where, missing_allowed=True)
    if not sized:
        return
    sides = reference_squares(points)[:, 2] / TRUTH_SIDE
    small = np.flatnonzero(sides < LEAST_FACE)
    if len(small):
        raise FkbenchError(
            f"{faces[int(small[0])].where} has one point, or all points in one place: the face's size is not told "
            f"({len(small)} of {len(faces)} rows).",
            f"Leave such rows out with smallest = {LEAST_FACE:g}; or say crops = true if each picture is a crop.",
        )


def _named(description: Description, faces: Sequence[Face], ids: Sequence[str], duplicates: IntArray) -> dict[str, Any]:
    """Group, clip and factors of every face."""
    if description.group is not None:
        group = description.group.names(faces)
    else:
        group = [ids[i] for i in components(duplicates, len(ids))]
    automatic = ATTRIBUTES if description.format == "wflw" else ()
    factors: dict[str, list[str]] = {}
    for name in description.factors or automatic:
        lacking = next((face for face in faces if name not in face.fields), None)
        if lacking is not None:
            raise UnknownNameError(f"column in 'factors' of '{description.path}':", name, lacking.fields)
        factors[name] = [face.fields[name] for face in faces]
    clip = None if description.clip is None else description.clip.names(faces)
    return {"group": group, "clip": clip, "factors": factors, "groups": len(Counter(group))}
