"""Which found box is which face: overlap as intersection over union, and one-to-one matching by it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fkbench.detect.found import BoxArray


def overlaps(one: BoxArray, two: BoxArray) -> BoxArray:
    """(A, B) intersection over union of boxes (A, 4) and (B, 4), x, y, w, h."""
    low = np.maximum(one[:, None, :2], two[None, :, :2])
    high = np.minimum(one[:, None, :2] + one[:, None, 2:], two[None, :, :2] + two[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    whole = one[:, 2:].prod(axis=1)[:, None] + two[:, 2:].prod(axis=1)[None, :] - shared
    return np.asarray(shared / np.maximum(whole, 1e-12))


def match(boxes: BoxArray, faces: BoxArray, least: float) -> npt.NDArray[np.int64]:
    """For each box (M, 4), surest first, the face (F, 4) that it finds: -1 for none, each face at most once.

    A box takes the free face that it overlaps most, if by `least` or more (COCO's rule, Lin et al. 2014). A face whose
    place is not known (NaN) is found by none.
    """
    taken = np.full(len(boxes), -1, np.int64)
    if not len(faces):
        return taken
    shares = np.nan_to_num(overlaps(boxes, faces), nan=0.0)
    for i, row in enumerate(shares):
        best = int(np.argmax(row))
        if row[best] >= least:
            taken[i] = best
            shares[:, best] = -1.0
    return taken
