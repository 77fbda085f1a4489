"""Faces drawn by the tests, written with their labels in every format that a TOML file can name."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkbench.datasets.access import open_samples
from fkbench.datasets.samples import Samples
from fkbench.datasets.store import Store
from fkbench.finding import find_dataset
from fkbench.registry import load_registry
from fkbench.specs import DatasetSpec

POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
SCHEME = """
[scheme]
points = ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]
normalisers = {inter_pupil = ["left_eye", "right_eye"]}
"""
SHAPE = np.array([[62, 30], [34, 30], [48, 46], [60, 62], [36, 62]], np.float64)


@dataclass
class OwnData:
    """A folder with pictures, and their labels as the tests want them.

    Attributes:
        names: of the pictures, in order.
        points: (N, 5, 2), quarters of pixels: exact in every format.
        person: of each picture.
    """

    folder: Path
    names: list[str]
    points: np.ndarray
    person: list[str]
    warnings: list[str] = field(default_factory=list)

    def describe(self, text: str, scheme: str = SCHEME, name: str = "faces.toml") -> Path:
        """Write a TOML file; its top-level keys go before the scheme's table."""
        path = self.folder / name
        path.write_text(text + scheme, encoding="utf-8")
        return path

    def csv(self, file: str = "labels.csv", header: bool = True, rows: Sequence[int] | None = None) -> Path:
        """`picture,x0,…,person,part`, or without a header."""
        path = self.folder / file
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            if header:
                writer.writerow(["picture", *(f"{axis}{k}" for k in range(5) for axis in "xy"), "person", "part"])
            for i in range(len(self.names)) if rows is None else rows:
                cells = ["" if np.isnan(v) else f"{v:g}" for v in self.points[i].reshape(-1)]
                part = ("train", "train", "val", "test")[int(self.person[i][1:]) % 4]
                writer.writerow([self.names[i], *cells, self.person[i], part])
        return path

    def coco(self, file: str = "labels.json") -> Path:
        images = [{"id": 10 + i, "file_name": name} for i, name in enumerate(self.names)]
        annotations = []
        for i, face in enumerate(self.points):
            keypoints: list[float] = []
            for x, y in face:
                keypoints += [0, 0, 0] if np.isnan(x) else [float(x), float(y), 2]
            extra = {"id": i, "person": self.person[i], "bbox": [0, 0, 1, 1], "category_id": 1}
            annotations.append({"image_id": 10 + i, "keypoints": keypoints, **extra})
        path = self.folder / file
        path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": []}))
        return path

    def pts(self, folder: str = "pts") -> Path:
        """One file for each picture, the first pixel's centre at (1, 1)."""
        target = self.folder / folder
        for name, face in zip(self.names, self.points, strict=True):
            path = (target / name).with_suffix(".pts")
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = "\n".join(f"{x + 1:g} {y + 1:g}" for x, y in face)
            path.write_text(f"version: 1\nn_points:  {len(face)}\n{{\n{rows}\n}}\n")
        return target

    def wflw(self, file: str = "list_rect_attr.txt") -> Path:
        lines = []
        for i, (name, face) in enumerate(zip(self.names, self.points, strict=True)):
            attributes = [i % 2, 0, 0, 1, 0, int(i % 3 == 0)]
            lines.append(" ".join([*(f"{v:g}" for v in face.reshape(-1)), "1 2 3 4", *map(str, attributes), name]))
        path = self.folder / file
        path.write_text("\n".join(lines) + "\n")
        return path


def draw(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """A face on a background of its own, (110, 100, 3) BGR."""
    picture = cv2.resize(rng.integers(0, 256, (5, 5, 3), np.uint8), (100, 110), interpolation=cv2.INTER_CUBIC)
    whole = [(int(x), int(y)) for x, y in points.round()]
    centre = np.mean(whole, axis=0).round().astype(int).tolist()
    cv2.ellipse(picture, tuple(centre), (30, 38), 0, 0, 360, (170, 190, 210), -1)
    for place in whole[:2]:
        cv2.circle(picture, place, 3, (20, 20, 20), -1)
    cv2.circle(picture, whole[2], 2, (60, 60, 160), -1)
    cv2.line(picture, whole[3], whole[4], (30, 30, 150), 2)
    return picture


@pytest.fixture
def own(tmp_path: Path) -> OwnData:
    """48 faces of 24 persons in `images/`."""
    rng = np.random.default_rng(7)
    found = OwnData(tmp_path, [], np.zeros((0, 5, 2)), [])
    faces = []
    (tmp_path / "images").mkdir()
    for person in range(24):
        for take in range(2):
            face = np.round((SHAPE + rng.normal(0, 2, (5, 2)) + rng.uniform(-8, 10, 2)) * 4) / 4
            name = f"p{person}_{take}.png"
            cv2.imwrite(str(tmp_path / "images" / name), draw(rng, face))
            found.names.append(name)
            found.person.append(f"p{person}")
            faces.append(face)
    found.points = np.stack(faces)
    return found


@pytest.fixture
def spec_of() -> Callable[[Path], DatasetSpec]:
    return lambda path: find_dataset(load_registry(), str(path))


@pytest.fixture
def opened(store: Store, spec_of: Callable[[Path], DatasetSpec]) -> Callable[[Path], Samples]:
    """The samples that a TOML file describes."""
    return lambda path: open_samples(spec_of(path), store)
