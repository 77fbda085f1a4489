"""Fingerprints: equal for equal content, different for everything that could change a score."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from fkbench.datasets.fingerprints import array_digest, fingerprint
from fkbench.datasets.samples import Frames


@pytest.fixture
def content():
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (3, 4, 6), np.uint8)
    points = rng.normal(3, 1, (3, 2, 2)).astype(np.float32)
    points[1, 1] = np.nan
    return ["a", "b", "c"], images, points


def test_it_is_what_the_docstring_says(content):
    ids, images, points = content
    expected = hashlib.sha256()
    for text in ("fkbench-samples-1", "face2"):
        expected.update(struct.pack("<I", len(text)) + text.encode())
    for name, image, one in zip(ids, images, points, strict=True):
        expected.update(struct.pack("<I", len(name)) + name.encode() + struct.pack("<III", 4, 6, 1) + image.tobytes())
        for value in one.reshape(-1):
            expected.update(b"\x00\x00\xc0\x7f" if np.isnan(value) else struct.pack("<f", value))
    assert fingerprint("face2", ids, Frames.stack(images), points) == f"sha256:{expected.hexdigest()}"


def test_the_way_it_is_stored_does_not_matter(content, tmp_path):
    ids, images, points = content
    np.save(tmp_path / "x.npy", images.reshape(-1))
    mapped = Frames(
        np.load(tmp_path / "x.npy", mmap_mode="r"), np.array([0, 24, 48]), np.tile(np.array([4, 6, 1]), (3, 1))
    )
    other_nan = points.copy()
    other_nan.view(np.uint32)[np.isnan(points)] = 0xFFC12345
    big_endian = points.astype(">f4")
    expected = fingerprint("face2", ids, Frames.stack(images), points)
    assert fingerprint("face2", ids, mapped, points) == expected
    assert fingerprint("face2", ids, mapped, other_nan) == expected
    assert fingerprint("face2", ids, mapped, big_endian) == expected


def test_minus_zero_is_zero(content):
    ids, images, points = content
    points[0, 0] = 0.0
    expected = fingerprint("face2", ids, Frames.stack(images), points)
    points[0, 0] = -0.0
    assert fingerprint("face2", ids, Frames.stack(images), points) == expected


@pytest.mark.parametrize("what", ["pixel", "label", "missing", "id", "scheme", "shape", "order"])
def test_every_change_shows(content, what):
    ids, images, points = content
    before = fingerprint("face2", ids, Frames.stack(images), points)
    scheme = "face2"
    if what == "pixel":
        images[1, 2, 3] ^= 1
    elif what == "label":
        points[2, 0, 1] = np.nextafter(points[2, 0, 1], np.float32(100))
    elif what == "missing":
        points[0, 0] = np.nan
    elif what == "id":
        ids[0] = "A"
    elif what == "scheme":
        scheme = "face3"
    elif what == "shape":
        images = images.reshape(3, 6, 4)
    else:
        images, points, ids = images[::-1], points[::-1], ids[::-1]
    assert fingerprint(scheme, ids, Frames.stack(images), points) != before


def test_array_digests_tell_types_and_shapes_apart():
    values = np.arange(6, dtype=np.int64)
    others = (values, values.reshape(2, 3), values.astype(np.int32), values[::-1], values[:0])
    digests = [array_digest(array) for array in others]
    assert len(set(digests)) == len(digests)
    assert array_digest(values[::2]) == array_digest(values[::2].copy())
