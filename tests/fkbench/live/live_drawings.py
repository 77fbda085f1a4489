"""Drawn pictures and videos in which a bright disc plays the face, and a detector and a model that find it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkbench.detect import Found
from fkbench.live.sources import About
from fkbench.schemes import FACE15

RATE = 20.0
SHAPE = (120, 160)


def face(x, y, radius=15, shape=SHAPE):
    """(H, W, 3) BGR with a bright disc at (x, y)."""
    picture = np.full((*shape, 3), 20, np.uint8)
    cv2.circle(picture, (round(x), round(y)), radius, (240, 240, 240), cv2.FILLED)
    return picture


def around(x, y, radius=15):
    """(1, 4) square of that disc, in the convention of the reference square."""
    side = 2.5 * radius
    return np.array([[x + 0.5 - side / 2, y + 0.5 - side / 2, side, side]])


class DiscModel:
    """Points of the scheme's layout, stretched over the bright pixels of each view; NaN where there are none."""

    def __init__(self):
        self.batches = []

    def predict(self, images):
        self.batches.append(len(images))
        layout = np.array(FACE15.layout)
        spread = (layout - layout.min(0)) / (layout.max(0) - layout.min(0))
        points = np.full((len(images), 15, 2), np.nan, np.float32)
        for i, image in enumerate(images):
            rows, columns = np.nonzero(image[0] > 128)
            if len(rows):
                low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()])
                points[i] = low + spread * (high - low)
        return points


def discs(picture):
    """What a detector would find in (H, W, 3): the bright blobs, and their squares."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((picture[:, :, 0] > 128).astype(np.uint8))
    boxes = stats[1:count, :4].astype(np.float64).reshape(-1, 4)
    side = 1.25 * boxes[:, 2:].max(axis=1, keepdims=True)
    squares = np.hstack([boxes[:, :2] + boxes[:, 2:] / 2 - side / 2, side, side])
    return Found(boxes, np.full(len(boxes), 0.9)), squares


VIDEO = About("drawn", "video", False, RATE)


@dataclass
class Pictures:
    """A source of given pictures; a live one waits a little between them."""

    pictures: list
    about: About = VIDEO
    wait: object = None
    closed: bool = False
    taken: int = 0

    def read(self):
        if self.taken >= len(self.pictures):
            return None
        if self.wait is not None:
            self.wait(self.taken)
        self.taken += 1
        return self.pictures[self.taken - 1]

    def close(self):
        self.closed = True


def write_video(path: Path, pictures, codec="mp4v"):
    """Write pictures of one size, or skip the test where OpenCV lacks the codec."""
    high, wide = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), RATE, (wide, high))
    if not writer.isOpened():
        pytest.skip(f"this OpenCV has no codec {codec}")
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while (answer := capture.read())[0]:
        pictures.append(answer[1])
    return pictures
