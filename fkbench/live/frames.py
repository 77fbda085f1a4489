"""One picture on its way through the demo, and what is known about it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fkbench.datasets.samples import ByteArray
from fkbench.detect.found import BoxArray, Found

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """A face in one picture.

    Attributes:
        number: stays the same while the face is followed.
        points: (K, 2) x, y in pixels of the picture, centres at integers; smoothed where that was asked for.
        square: (4,) x, y, w, h of what the model saw.
        score: the detector's, NaN where it gives none or the face was followed without it.
    """

    number: int
    points: Points
    square: BoxArray
    score: float = float("nan")


@dataclass
class Frame:
    """A picture of a stream.

    Attributes:
        index: 0 for the first picture that was taken; pictures that were left out are counted too.
        picture: (H, W, 3) BGR, as OpenCV reads and shows it.
        at: seconds in the stream: by its frame rate for a file, by the clock for a camera.
        taken: when it was read, on the clock of `time.perf_counter`.
        found: what the detector found; None where it was not asked.
        squares: (M, 4) of these, in the convention of the reference square.
        faces: those that were found or followed.
    """

    index: int
    picture: ByteArray
    at: float
    taken: float
    found: Found | None = None
    squares: BoxArray | None = None
    faces: list[Face] = field(default_factory=list)
