"""Fingerprints: what a dataset really held, whatever archive, file format or folder it came from.

SHA-256 over, in this order: the text `fkbench-samples-1`, the landmark scheme (`fkbench.schemes.scheme_identity`: of a
built-in one its name), and for each sample in the dataset's own order its id (UTF-8), its picture's height, width and
channels (little-endian uint32), the pixels (row order, uint8) and its points (little-endian float32, x and y in turn,
every missing value as the one quiet NaN 0x7fc00000). Texts are preceded by their length in bytes (little-endian
uint32), so that no two different inputs read alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from fkbench.datasets.progress import listener
from fkbench.datasets.samples import Array, FloatArray, Frames
from fkbench.schemes import Scheme, scheme_identity

VERSION_TEXT = "fkbench-samples-1"
_EVERY = 256  # samples between two reports of progress


def fingerprint(scheme: str | Scheme, ids: Sequence[str], frames: Frames, points: FloatArray) -> str:
    """Fingerprint of labelled samples.

    Args:
        scheme: the landmark scheme, or the name of a built-in one.
        ids: N names.
        frames: N pictures.
        points: (N, K, 2) native pixels, NaN where missing.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    report = listener()
    digest = hashlib.sha256()
    _text(digest, VERSION_TEXT)
    _text(digest, scheme_identity(scheme))
    numbers = canonical_points(points)
    for index, name in enumerate(ids):
        _text(digest, name)
        picture = frames[index]
        digest.update(np.array(picture.shape, "<u4").tobytes())
        digest.update(np.ascontiguousarray(picture).data)
        digest.update(numbers[index].tobytes())
        if index % _EVERY == 0:
            report("Fingerprint", index, len(ids))
    report("Fingerprint", len(ids), len(ids))
    return f"sha256:{digest.hexdigest()}"


def canonical_points(points: FloatArray) -> FloatArray:
    """The points as little-endian float32 with one bit pattern for every missing value and one zero."""
    numbers = points.astype("<f4") + np.float32(0)  # −0 + 0 = 0
    numbers[np.isnan(numbers)] = np.float32(np.nan)
    return numbers


def array_digest(array: Array) -> str:
    """SHA-256 of an array's type, shape and bytes (C order), to notice damage on the disk."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    if array.size:
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _text(digest: hashlib._Hash, text: str) -> None:
    encoded = text.encode()
    digest.update(np.array([len(encoded)], "<u4").tobytes())
    digest.update(encoded)
