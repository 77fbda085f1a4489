"""A detector over all frames of a dataset, its answers kept in the data folder."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fkbench.datasets.progress import listener
from fkbench.datasets.samples import Frames
from fkbench.datasets.store import Pack, Store
from fkbench.detect.found import BoxArray, Found, main_face
from fkbench.detect.opening import OpenDetector
from fkbench.specs import DetectorSpec, resolve

FINDING_VERSION = 1


def find_all(
    detector: OpenDetector, frames: Frames, rows: Sequence[int], key: dict[str, Any], store: Store | None
) -> list[Found]:
    """What the detector finds in some frames.

    Args:
        rows: which frames, in this order.
        key: what the frames are (the dataset's fingerprint), for the cache.
        store: keeps the answers; None: nothing is kept. Where all frames were searched before, no more is done.
    """
    if store is None:
        return _find(detector, frames, rows)
    facts = {**key, **detector_facts(detector), "version": FINDING_VERSION}
    name, stated = _named(facts, rows)
    whole, _ = _named(facts, range(len(frames)))
    if not store.has(name) and store.has(whole):
        known = _unpack(store.read(whole))
        return [known[int(row)] for row in rows]
    with store.lock(name):
        if not store.has(name):
            _keep(store, name, stated, _find(detector, frames, rows))
    return _unpack(store.read(name))


def _named(facts: dict[str, Any], rows: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """Name and page of the answers for some frames."""
    stated = {**facts, "rows": hashlib.sha256(np.asarray(rows, np.int64).tobytes()).hexdigest()[:16]}
    return f"found/{hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:20]}", stated


def _find(detector: OpenDetector, frames: Frames, rows: Sequence[int]) -> list[Found]:
    tell, found = listener(), []
    for done, row in enumerate(rows):
        if done % 32 == 0:
            tell(f"finding faces: {detector.spec.name}", done, len(rows))
        found.append(detector.find(frames[int(row)]))
    tell(f"finding faces: {detector.spec.name}", len(rows), len(rows))
    return found


def _keep(store: Store, name: str, stated: dict[str, Any], found: list[Found]) -> None:
    boxes = np.concatenate([np.zeros((0, 4)), *(each.boxes for each in found)])
    scores = np.concatenate([np.zeros(0), *(each.scores for each in found)])
    counts = np.array([len(each) for each in found], np.int64)
    store.write(name, stated, {"boxes": boxes, "scores": scores, "counts": counts})


def _unpack(pack: Pack) -> list[Found]:
    boxes, scores = np.array(pack.arrays["boxes"], np.float64), np.array(pack.arrays["scores"], np.float64)
    ends = np.cumsum(pack.arrays["counts"]).astype(int)
    starts = np.concatenate([[0], ends[:-1]]).astype(int)
    return [Found(boxes[a:b], scores[a:b]) for a, b in zip(starts, ends, strict=True)]


def main_boxes(detector: OpenDetector, found: Sequence[Found]) -> BoxArray:
    """The corrected square of each picture's main face, (N, 4); NaN where none was found."""
    boxes = np.full((len(found), 4), np.nan)
    for i, each in enumerate(found):
        index = main_face(each)
        if index is not None:
            boxes[i] = detector.squares(each)[index]
    return boxes


def detector_facts(detector: OpenDetector) -> dict[str, Any]:
    """All that decides what a detector finds: name, settings, code, files, versions of its packages.

    Of a file its digest counts and its name is kept; where it lies is nobody's business.
    """
    return {
        "detector": detector.spec.name,
        "settings": {name: _without_folder(value) for name, value in detector.settings.items()},
        "source": source_of(detector.spec),
        "weights": detector.weights,
        "versions": versions_of(detector.spec),
    }


def _without_folder(value: Any) -> Any:
    return re.split(r"[/\\]", value)[-1] if isinstance(value, str) else value


def source_of(spec: DetectorSpec) -> str:
    """SHA-256 of the file that makes its finder; empty where there is none."""
    try:
        path = inspect.getsourcefile(inspect.unwrap(resolve(spec.find or spec.boxes or "")))
    except (TypeError, OSError):
        return ""
    text = Path(path).read_bytes().replace(b"\r\n", b"\n") if path else b""
    return hashlib.sha256(text).hexdigest()[:16] if path else ""


def versions_of(spec: DetectorSpec) -> dict[str, str]:
    """Versions of OpenCV, which prepares every picture, and of the packages that it needs."""
    return {package: _version(package) for package in sorted({"cv2", *spec.needs})}


def _version(package: str) -> str:
    own = getattr(importlib.import_module(package), "__version__", None)
    if own:
        return str(own)
    names = importlib.metadata.packages_distributions().get(package, [])
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(names))) or "unknown"
