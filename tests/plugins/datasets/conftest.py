"""Small sets in the official layouts, written by the tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkbench.registry import Registry, load_registry
from fkbench.schemes import FACE15

PERSONS = 40


@pytest.fixture(scope="session")
def registry() -> Registry:
    found = load_registry()
    assert found.failures == []
    return found


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def face68(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """68 whole-numbered points of something like a face within a frame of this size."""
    eyes = np.array([[-0.2, 0], [0.2, 0]])
    points = rng.uniform(-0.28, 0.28, (68, 2)) + np.array([0, 0.1])
    points[36:42] = eyes[0] + rng.uniform(-0.03, 0.03, (6, 2))
    points[42:48] = eyes[1] + rng.uniform(-0.03, 0.03, (6, 2))
    return np.round(points * min(width, height) + [width / 2, height / 2])


@pytest.fixture
def youtube_files(_youtube_set: dict[str, bytes]) -> dict[str, bytes]:
    """Udacity's layout, small; a test may change its own copy."""
    return dict(_youtube_set)


@pytest.fixture(scope="session")
def _youtube_set() -> dict[str, bytes]:
    """40 persons with one clip: a labelled training frame (RGBA PNG in a .jpg name), a labelled test frame of the same
    name (JPEG), and an unlabelled one."""
    rng = np.random.default_rng(68)
    files: dict[str, bytes] = {}
    tables: dict[str, list[str]] = {"training": [], "test": []}
    for person in range(PERSONS):
        width, height = (int(v) for v in rng.integers(72, 120, 2))
        name = f"Ann_O-Nym_{person:02d}"
        for part, frame, labelled in (("training", 0, True), ("test", 0, True), ("test", 1, False)):
            coarse = rng.integers(0, 256, (12, 12, 4), np.uint8)
            rgba = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
            rgba[:, :, 3] = 255
            suffix, picture = (".png", rgba) if part == "training" else (".jpg", rgba[:, :, :3])
            file = f"{name}_0{frame}.jpg"
            files[f"{part}/{file}"] = cv2.imencode(suffix, picture)[1].tobytes()
            if labelled:
                values = face68(rng, width, height).reshape(-1)
                tables[part].append(",".join([file, *(f"{v:.1f}" for v in values)]))
    header = "," + ",".join(str(i) for i in range(136))
    for part, rows in tables.items():
        files[f"{part}_frames_keypoints.csv"] = ("\n".join([header, *rows]) + "\n").encode()
    return files


@pytest.fixture
def youtube_zip(tmp_path: Path, youtube_files: dict[str, bytes]) -> Path:
    path = tmp_path / "train-test-data.zip"
    path.write_bytes(zipped(youtube_files))
    return path


FOUR = (0, 1, 10, 14)


@pytest.fixture(scope="session")
def kaggle_row() -> Callable[..., str]:
    """A row of `training.csv`: labels of the given points, and a random picture."""

    @lru_cache
    def row(seed: int, labelled: tuple[int, ...] = tuple(range(15))) -> str:
        rng = np.random.default_rng(seed)
        labels = [""] * 30
        for point in labelled:
            labels[2 * point : 2 * point + 2] = [f"{v:.6f}" for v in rng.uniform(5, 90, 2)]
        coarse = rng.integers(0, 256, (12, 12), np.uint8)
        image = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)
        return ",".join(labels) + "," + " ".join(map(str, image.reshape(-1).tolist()))

    return row


@pytest.fixture
def kaggle_files(_kaggle_tables: dict[str, bytes]) -> dict[str, bytes]:
    """Kaggle's tables, small; a test may change its own copy."""
    return dict(_kaggle_tables)


@pytest.fixture(scope="session")
def _kaggle_tables(kaggle_row: Callable[..., str]) -> dict[str, bytes]:
    """50 complete rows, 45 with the four points, 4 with something else, 1 with nothing; 3 test pictures; the lookup."""
    header = ",".join([*(f"{p}_{axis}" for p in FACE15.points for axis in "xy"), "Image"])
    rows = [kaggle_row(seed) for seed in range(50)]
    rows += [kaggle_row(seed, FOUR) for seed in range(50, 95)]
    rows += [kaggle_row(95, (0, 1)), kaggle_row(96, (0, 1, 2)), kaggle_row(97, (*FOUR, 5)), kaggle_row(98, (10,))]
    rows += [kaggle_row(99, ())]
    images = [row.rpartition(",")[2] for row in (kaggle_row(seed) for seed in (200, 201, 202))]
    test = "\n".join(["ImageId,Image", *(f"{i},{image}" for i, image in enumerate(images, start=1))])
    lookup = "RowId,ImageId,FeatureName,Location\n1,1,left_eye_center_x,\n2,3,nose_tip_y,\n"
    return {
        "training.csv": ("\n".join([header, *rows]) + "\n").encode(),
        "test.csv": (test + "\n").encode(),
        "IdLookupTable.csv": lookup.encode(),
    }


@pytest.fixture
def kaggle_zip(tmp_path: Path, kaggle_files: dict[str, bytes]) -> Path:
    """As Kaggle packs it: zips in a zip."""
    path = tmp_path / "facial-keypoints-detection.zip"
    inner = {
        "training.zip": zipped({"training.csv": kaggle_files["training.csv"]}),
        "test.zip": zipped({"test.csv": kaggle_files["test.csv"]}),
    }
    path.write_bytes(zipped({**inner, "IdLookupTable.csv": kaggle_files["IdLookupTable.csv"]}))
    return path
