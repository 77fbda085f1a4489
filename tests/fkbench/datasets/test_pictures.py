"""Decoding pictures: sizes from headers, colour order, and pictures that are none."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from fkbench.datasets.archives import open_source
from fkbench.datasets.pictures import decode_rgb, picture_size, read_frames
from fkbench.errors import FkbenchError


@pytest.fixture
def picture():
    """(37, 53, 3) RGB, smooth enough for JPEG, every channel different."""
    y, x = np.mgrid[:37, :53]
    return np.stack([x * 4, y * 6, 255 - x * 2 - y * 2], axis=2).astype(np.uint8)


def encode(rgb, suffix, alpha=False):
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA if alpha else cv2.COLOR_RGB2BGR)
    return cv2.imencode(suffix, bgr)[1].tobytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_sizes_come_from_the_header_alone(picture, suffix):
    assert picture_size(encode(picture, suffix)[:700]) == (53, 37)


def test_progressive_jpeg(picture):
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert picture_size(data) == (53, 37)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x00" * 3])
def test_what_is_no_picture_has_no_size(data):
    assert picture_size(data) is None


def test_rgba_png_becomes_rgb_without_alpha(picture):
    np.testing.assert_array_equal(decode_rgb(encode(picture, ".png", alpha=True), "a"), picture)


def test_jpeg_is_rgb(picture):
    assert np.abs(decode_rgb(encode(picture, ".jpg"), "a").astype(int) - picture).max() < 40


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_picture_cut_short_is_named(picture, suffix, share):
    data = encode(picture, suffix)
    with pytest.raises(FkbenchError, match=r"'faces/a.jpg'"):
        decode_rgb(data[: int(len(data) * share)], "faces/a.jpg")


def test_frames_keep_order_and_sizes(tmp_path, picture):
    pictures = {"b": picture, "a": picture[:20], "c": picture[:, ::-1][:, :31]}
    for name, one in pictures.items():
        (tmp_path / name).write_bytes(encode(np.ascontiguousarray(one), ".png"))
    with open_source(tmp_path) as source:
        frames = read_frames(source, ["b", "c", "a"], "test")
    for index, name in enumerate(["b", "c", "a"]):
        np.testing.assert_array_equal(frames[index], pictures[name])


def test_no_frames_are_no_error(tmp_path):
    with open_source(tmp_path) as source:
        assert len(read_frames(source, [], "test")) == 0


def absurd_png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60000, 60000), (20000, 3), (9000, 9000), (0, 5)])
def test_absurd_sizes_are_refused_before_decoding(tmp_path, size):
    (tmp_path / "huge.jpg").write_bytes(absurd_png(*size))
    with open_source(tmp_path) as source, pytest.raises(FkbenchError, match=r"'huge.jpg' .* claims"):
        read_frames(source, ["huge.jpg"], "test")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", absurd_png(30, 30)])
def test_a_picture_that_does_not_decode_is_named(tmp_path, picture, content):
    (tmp_path / "good.png").write_bytes(encode(picture, ".png"))
    (tmp_path / "bad.png").write_bytes(content)
    with open_source(tmp_path) as source, pytest.raises(FkbenchError, match=r"'bad.png' in '.*' (does not|is cut)"):
        read_frames(source, ["good.png", "bad.png"], "test")
