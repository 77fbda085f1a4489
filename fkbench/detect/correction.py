"""Box corrections: detectors draw their boxes by different conventions, models are trained on one.

A correction has three numbers, fitted as medians over training frames: with a detected box (x, y, w, h) the corrected
one is a square of side scale · √(w·h), whose centre lies (dx·w, dy·h) from the box's. It may leave the picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fkbench.datasets.store import Store
from fkbench.detect.found import BoxArray
from fkbench.errors import FkbenchError
from fkbench.records import safe_name
from fkbench.records.files import write_atomic
from fkbench.specs import Correction, DetectorSpec

LEAST_FRAMES = 20


def corrected(boxes: BoxArray, correction: Correction) -> BoxArray:
    """(M, 4) squares of detected boxes (M, 4)."""
    size = boxes[:, 2:]
    side = correction.scale * np.sqrt(size[:, 0] * size[:, 1])
    centre = boxes[:, :2] + size / 2 + size * np.array([correction.dx, correction.dy])
    return np.column_stack([centre - side[:, None] / 2, side, side])


def fit_correction(boxes: BoxArray, truth: BoxArray) -> Correction:
    """The medians that bring boxes (M, 4) onto the reference squares (M, 4) of the same faces.

    Raises:
        FkbenchError: fewer than 20 faces.
    """
    if len(boxes) < LEAST_FRAMES:
        raise FkbenchError(
            f"The detector found {len(boxes)} of the training faces, too few to fit a correction.",
            f"At least {LEAST_FRAMES} are needed.",
        )
    size = boxes[:, 2:]
    away = (truth[:, :2] + truth[:, 2:] / 2 - boxes[:, :2] - size / 2) / size
    scale = truth[:, 2] / np.sqrt(size[:, 0] * size[:, 1])
    scale_, dx, dy = (round(float(np.median(values)), 4) for values in (scale, away[:, 0], away[:, 1]))
    return Correction(scale_, dx, dy)


def residuals(boxes: BoxArray, truth: BoxArray) -> npt.NDArray[np.float64]:
    """(M, 3): how far squares are off the reference squares: x and y of the centre and the side, shares of its side."""
    side = truth[:, 2:3]
    centre = boxes[:, :2] + boxes[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2
    return np.column_stack([centre / side, boxes[:, 2:3] / side - 1])


def choose_correction(spec: DetectorSpec, settings: Mapping[str, Any], store: Store | None = None) -> Correction:
    """The correction for these settings: one fitted in this data folder, else the plugin's own that fits best.

    Where there is none, the squares have the boxes' area and centre.
    """
    if store is not None:
        path = _path(spec, settings, store)
        if path.is_file():
            return _read(path)
    fitting = [c for c in spec.corrections if all(settings.get(name) == value for name, value in c.settings.items())]
    return max(fitting, key=lambda c: len(c.settings), default=Correction())


def store_correction(spec: DetectorSpec, settings: Mapping[str, Any], correction: Correction, store: Store) -> str:
    """Keep a correction in the data folder, for this detector under these settings. Returns its path.

    Raises:
        FkbenchError: the disk is full or the folder cannot be written; the one that was there stays.
    """
    path = _path(spec, settings, store)
    page = {**correction_page(correction), "detector": spec.name, "settings": dict(settings)}
    write_atomic(path, (json.dumps(page, indent=1, sort_keys=True) + "\n").encode())
    return str(path)


def correction_page(correction: Correction) -> dict[str, Any]:
    """A correction as JSON values."""
    return {
        "scale": correction.scale,
        "dx": correction.dx,
        "dy": correction.dy,
        "fitted": bool(correction.provenance),
        "provenance": dict(correction.provenance),
    }


def _path(spec: DetectorSpec, settings: Mapping[str, Any], store: Store) -> Any:
    digest = hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()[:12]
    return store.folder("detectors") / "corrections" / f"{safe_name(spec.name)}-{digest}.json"


def _read(path: Any) -> Correction:
    try:
        page = json.loads(path.read_text(encoding="utf-8"))
        scale, dx, dy = (float(page[name]) for name in ("scale", "dx", "dy"))
        provenance = dict(page["provenance"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FkbenchError(f"The correction '{path}' cannot be read: {error}.", "Delete it and fit again.") from error
    if not np.isfinite([scale, dx, dy]).all() or scale <= 0:
        raise FkbenchError(f"The box correction '{path}' makes no sense.", "Delete it and fit again.")
    return Correction(scale, dx, dy, provenance=provenance)
