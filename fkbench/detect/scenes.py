"""What detectors are scored on: pictures with the reference square of every face, as they are or made harder.

The harder sets are made from the same frames. Whatever is chosen (angle, place, size, noise) follows from a hash of
the frame's id, so that every machine gets the same pictures:

* `rotated`: about the face by 20° to 45°, either way; outside the frame its border is repeated;
* `small`: the face 40 to 64 px large (side of the reference square), anywhere on a plain canvas of 640×480;
* `dark`: a fifth of the brightness, and noise of σ 4;
* `blurred`: Gaussian blur of σ 5 % of the reference square's side;
* `several`: four persons' faces, 100 to 180 px large, in the cells of a picture of 640×640.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fkbench.datasets.boxes import reference_squares
from fkbench.datasets.hashing import unit_hash
from fkbench.datasets.samples import ByteArray, FloatArray, Samples
from fkbench.detect.found import BoxArray

HARDER_VERSION = 1
CANVAS = (480, 640)
CELL = 320
GREY = 118


@dataclass(frozen=True)
class Scene:
    """A picture to be searched.

    Attributes:
        image: (H, W, C) uint8.
        points: (F, K, 2) true keypoints of its faces, native pixels, NaN where missing.
        group: the resampling unit: the person, or the picture where there are several.
    """

    id: str
    image: ByteArray
    points: FloatArray
    group: str

    @property
    def squares(self) -> BoxArray:
        """(F, 4) reference squares."""
        return reference_squares(self.points)


def plain_scenes(samples: Samples, rows: Sequence[int]) -> Iterator[Scene]:
    """The frames as they are."""
    for row in rows:
        points = samples.points[row : row + 1]
        yield Scene(samples.ids[row], samples.frames[row], points, samples.group[row])


def chosen_rows(samples: Samples, rows: Sequence[int], most: int, purpose: str) -> list[int]:
    """At most so many of these rows, by a hash of their ids, in their order."""
    if len(rows) <= most:
        return [int(row) for row in rows]
    ranked = sorted((unit_hash(purpose, samples.ids[int(row)]), int(row)) for row in rows)
    return sorted(row for _, row in ranked[:most])


def moved(scene: Scene, maps: npt.NDArray[np.float64], size: tuple[int, int], border: int) -> Scene:
    """A scene through an affine map (2, 3) of pixel centres onto a picture of (height, width)."""
    shrink = math.sqrt(abs(float(np.linalg.det(maps[:, :2]))))
    image: npt.NDArray[Any] = scene.image
    if shrink < 1:
        image = cv2.GaussianBlur(
            image, (0, 0), 0.5 * math.sqrt(1 / shrink**2 - 1) + 1e-6, borderType=cv2.BORDER_REPLICATE
        )
    fill = [GREY] * 4
    out: npt.NDArray[Any] = cv2.warpAffine(
        image, maps, size[::-1], flags=cv2.INTER_LINEAR, borderMode=border, borderValue=fill
    )
    points = np.einsum("ij,fkj->fki", maps[:, :2], scene.points.astype(np.float64)) + maps[:, 2]
    return Scene(scene.id, out.reshape(*size, -1), points.astype(np.float32), scene.group)


def _between(low: float, high: float, *what: str) -> float:
    return low + (high - low) * unit_hash("harder", *what)


def rotated(scene: Scene) -> Scene:
    turn = _between(20, 45, "angle", scene.id) * (1 if _between(0, 1, "turn", scene.id) < 0.5 else -1)
    x, y, side, _ = scene.squares[0]
    maps = cv2.getRotationMatrix2D((x + side / 2 - 0.5, y + side / 2 - 0.5), turn, 1.0)
    return moved(scene, np.asarray(maps), scene.image.shape[:2], cv2.BORDER_REPLICATE)


def small(scene: Scene) -> Scene:
    x, y, side, _ = scene.squares[0]
    wanted = _between(40, 64, "side", scene.id)
    height, width = CANVAS
    left = _between(0, width - wanted, "left", scene.id)
    top = _between(0, height - wanted, "top", scene.id)
    return moved(scene, _placing(x, y, wanted / side, left, top), CANVAS, cv2.BORDER_CONSTANT)


def _placing(x: float, y: float, scale: float, left: float, top: float) -> npt.NDArray[np.float64]:
    """The map that scales a picture and brings its (x, y) to (left, top), both in continuous coordinates."""
    half = (scale - 1) / 2
    return np.array([[scale, 0, left - scale * x + half], [0, scale, top - scale * y + half]])


def dark(scene: Scene) -> Scene:
    source = np.random.default_rng(int(unit_hash("harder", "noise", scene.id) * 2**32))
    noisy = scene.image * 0.2 + source.normal(0, 4, scene.image.shape)
    return Scene(scene.id, np.clip(np.rint(noisy), 0, 255).astype(np.uint8), scene.points, scene.group)


def blurred(scene: Scene) -> Scene:
    sigma = 0.05 * float(scene.squares[0, 2])
    out: npt.NDArray[Any] = cv2.GaussianBlur(scene.image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return Scene(scene.id, out.reshape(scene.image.shape), scene.points, scene.group)


def in_cell(scene: Scene) -> Scene:
    """A face in the middle of a square cell."""
    x, y, side, _ = scene.squares[0]
    wanted = _between(100, 180, "cell", scene.id)
    inset = (CELL - wanted) / 2
    return moved(scene, _placing(x, y, wanted / side, inset, inset), (CELL, CELL), cv2.BORDER_REPLICATE)


def several(scenes: Sequence[Scene]) -> Iterator[Scene]:
    """Pictures of four faces each; what is left over at the end is dropped."""
    for start in range(0, len(scenes) - 3, 4):
        cells = [in_cell(scene) for scene in scenes[start : start + 4]]
        rows = [np.concatenate([cells[i].image, cells[i + 1].image], axis=1) for i in (0, 2)]
        offsets = [np.array([CELL * (i % 2), CELL * (i // 2)], np.float32) for i in range(4)]
        points = np.concatenate([cell.points + offset for cell, offset in zip(cells, offsets, strict=True)])
        name = cells[0].id
        yield Scene(name, np.ascontiguousarray(np.concatenate(rows)), points, name)


SINGLE: dict[str, Callable[[Scene], Scene]] = {"rotated": rotated, "small": small, "dark": dark, "blurred": blurred}


def spread_out(samples: Samples, rows: Sequence[int]) -> list[int]:
    """Rows in an order in which neighbours are different persons: in turns through the persons."""
    seen: dict[str, int] = {}
    keyed = []
    for row in sorted(rows, key=lambda r: unit_hash("several", samples.ids[r])):
        turn = seen.get(samples.group[row], 0)
        seen[samples.group[row]] = turn + 1
        keyed.append((turn, unit_hash("several", samples.group[row]), row))
    return [row for _, _, row in sorted(keyed)]


def harder_scenes(samples: Samples, rows: Sequence[int]) -> Iterator[tuple[str, Iterator[Scene]]]:
    """(kind, scenes) of each harder set made from these rows."""
    for kind, change in SINGLE.items():
        yield kind, (change(scene) for scene in plain_scenes(samples, rows))
    yield "several", several(list(plain_scenes(samples, spread_out(samples, rows))))
