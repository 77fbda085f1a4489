"""What a runtime's arithmetic costs: its answers against those of the net in float32, in pixels, and its rmse."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from fkbench.datasets.samples import FloatArray, IntArray
from fkbench.datasets.views import apply_affine
from fkbench.runtimes.subjects import Timed
from fkbench.score import image_errors
from fkbench.train.predictors import Ready

LOOKED_AT = 512
"""Pictures of the test part, evenly spaced; all of them where there are no more."""
BATCH = 64


def looked_at(timed: Timed) -> IntArray:
    """Rows of the test part that are compared."""
    rows = timed.inputs.split.test
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(LOOKED_AT, len(rows))).round().astype(np.int64))
    found: IntArray = rows[chosen]
    return found


def deviation(timed: Timed, forward: Ready, rows: IntArray, expected: FloatArray) -> dict[str, Any]:
    """Answers of a prepared net against the expected ones.

    Args:
        forward: (B, C, R, R) uint8 → (B, K, 2) view pixels, on the device.
        rows: of the dataset.
        expected: (n, K, 2) answers of the net in float32.

    Returns:
        `max_px`, `rms_px`: greatest and root mean square difference of a coordinate, in pixels of the net's input;
        `images`: how many were compared, `of` how many; of a trained net `rmse` in the scoring frame on these images,
        beside `rmse_fp32`.
    """
    points = answers(timed, forward, rows)
    off = points.astype(np.float64) - expected
    found = {
        "images": len(rows),
        "of": len(timed.inputs.split.test),
        "max_px": float(np.abs(off).max()),
        "rms_px": float(np.sqrt(np.square(off).mean())),
    }
    if timed.record is not None:
        found |= {"rmse": _rmse(timed, points, rows), "rmse_fp32": _rmse(timed, expected, rows)}
    return found


def answers(timed: Timed, forward: Ready, rows: IntArray) -> FloatArray:
    """(n, K, 2) points in view pixels. All batches have one size, so that nothing is compiled for the last one."""
    pictures = timed.pictures(rows)
    size = min(BATCH, len(pictures))
    parts = []
    for low in range(0, len(pictures), size):
        start = min(low, len(pictures) - size)
        batch = torch.from_numpy(pictures[start : start + size]).to(timed.device)
        parts.append(forward(batch)[low - start :].float().cpu().numpy())
    return np.concatenate(parts)


def _rmse(timed: Timed, points: FloatArray, rows: IntArray) -> float:
    inputs = timed.inputs
    native = apply_affine(timed.views.to_native[rows], points)
    names = [inputs.samples.ids[i] for i in rows]
    errors = image_errors(
        native, inputs.samples.points[rows], inputs.samples.valid[rows], scale=inputs.scale[rows],
        normalisers=inputs.scheme.normalisers, ids=names, group=names,
    )  # fmt: skip
    return float(np.sqrt(errors.sum_sq.sum() / errors.count.sum()))
