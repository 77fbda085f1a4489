"""Six faces that this project has drawn, for checks of detectors: no photograph of anybody is in them.

`faces.png` holds pictures 2, 10, 20, 24, 26 and 47 of population 0 of `synthetic68`, side by side. Haar cascades, HOG,
MTCNN, libfacedetection and three models of BlazeFace, measured with their default settings, find every one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray

SHEET = Path(__file__).with_name("faces.png")
SIDE = 96
"""Of a drawn face's square, px."""
PICTURE = (240, 320)
"""Height and width of the pictures that they lie in: far larger, so that a box of the whole picture is not the face."""
GROUND = 128
PLACES = ((12, 20), (204, 16), (20, 130), (210, 132), (8, 72), (216, 76))
"""(x, y) of each face in its picture: never in the middle, where a guess would do."""


def drawn_faces() -> Iterator[tuple[ByteArray, npt.NDArray[np.float64]]]:
    """Pictures (240, 320, 3) of one face each, and its square x, y, width, height."""
    # From bytes: on Windows OpenCV opens no path that has letters beyond its code page.
    sheet = cv2.imdecode(np.frombuffer(SHEET.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    for number, (x, y) in enumerate(PLACES):
        picture = np.full((*PICTURE, 3), GROUND, np.uint8)
        picture[y : y + SIDE, x : x + SIDE] = sheet[:, number * SIDE : (number + 1) * SIDE, None]
        yield picture, np.array([x, y, SIDE, SIDE], np.float64)
