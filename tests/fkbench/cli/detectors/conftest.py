"""A dataset and a detector of a local file, pictures for it, and a data and runs folder of their own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fkbench.cli.main import main

PLUGIN = '''
import fkbench
import numpy as np
from fkbench.datasets.samples import Frames, Samples

@fkbench.dataset("patches", scheme="face15", boxes=("truth", "frame"), any_box=True, scoring="face224", channels=3,
                 margin=0.2, defaults={"uniform": ("default", "truth")})
def patches(store, settings):
    """A bright patch on a dark ground, its keypoints inside; in some frames there is none."""
    source, frames, points, people = np.random.default_rng(0), [], [], []
    for i in range(48):
        frame = np.full((90, 120, 3), 20, np.uint8)
        x, y, side = source.integers(0, 60), source.integers(0, 40), source.integers(30, 48)
        if i % 6:
            frame[y : y + side, x : x + side] = 200
        frames.append(frame)
        points.append(np.stack([x, y]) + side * source.uniform(0.1, 0.9, (15, 2)) - 0.5)
        points[-1][0], points[-1][1] = (x, y), (x + side - 1, y + side - 1)
        people.append(f"p{i // 2}")
    names = tuple(f"f{i}" for i in range(48))
    return Samples(names, Frames.pack(frames), np.float32(points), tuple(people), "sha256:" + "1" * 64)

@fkbench.detector("bright", settings={"level": fkbench.Setting(100, "grey level of a face"),
                                      "preset": fkbench.Setting("plain", "which", ("plain", "deep"))},
                  presets={"deep": {"level": 150}}, licence="none")
def bright(level, preset):
    """The box of all that is bright, split down the middle of a wide picture."""
    def find(image):
        half = image.shape[1] if image.shape[1] < 2 * image.shape[0] else image.shape[1] // 2
        found = []
        for left in range(0, image.shape[1], half):
            rows, columns = np.nonzero(image[:, left : left + half, 0] > level)
            if len(rows):
                size = columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()
                found.append([left + columns.min(), rows.min(), *size, 0.9])
        return found
    return find
'''


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "plugin.py").write_text(PLUGIN)

    def call(self, *words: object) -> int:
        folders = [
            "--data",
            self.folder / "data",
            "--runs",
            self.folder / "runs",
            "--plugin",
            self.folder / "plugin.py",
        ]
        return main([*map(str, words), *map(str, folders)])

    def rows(self, name: str) -> list[dict[str, str]]:
        """A CSV file of the folder."""
        with (self.folder / name).open() as file:
            return list(csv.DictReader(file))

    def picture(self, name: str, patches: int = 1) -> Path:
        image = np.full((80, 100 * patches, 3), 20, np.uint8)
        for i in range(patches):
            image[20:60, 100 * i + 30 : 100 * i + 70] = 200
        path = self.folder / name
        assert cv2.imwrite(str(path), image)
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def train(bench, capsys):
    """Fits the mean shape to the patches, with more options where some are given, and gives the record."""

    def run(*words: str) -> dict[str, Any]:
        plain = ["run", "--model", "mean-shape", "--dataset", "patches", "--protocol", "smoke", "--json"]
        assert bench.call(*plain, *words) == 0
        (record,) = json.loads(capsys.readouterr().out)["runs"]
        return record

    return run


@pytest.fixture
def mixed(bench):
    """A folder of three pictures of which one does not decode, and one whose pictures are all broken."""
    for name in ("mixed", "broken"):
        (bench.folder / name).mkdir()
    for name in ("a.png", "c.png"):
        bench.picture(name).rename(bench.folder / "mixed" / name)
    for path in ("mixed/b.png", "broken/a.png", "broken/b.png"):
        (bench.folder / path).write_bytes(b"\x89PNG and no more")
    return bench.folder / "mixed", bench.folder / "broken"
