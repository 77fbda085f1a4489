"""A part of the real archive, described by hand: the same as what its own plugin reads."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from fkbench.datasets.access import open_samples
from fkbench.datasets.leaks import leak_report
from fkbench.datasets.pictures import decode_rgb
from fkbench.datasets.splits import get_split
from fkbench.datasets.store import Store
from fkbench.finding import find_dataset
from fkbench.registry import load_registry

PARTS = {"training": 240, "test": 120}
TEXT = """
name = "frames"
format = "csv"
scheme = "face68"
labels = {train = "training.csv", test = "test.csv"}
pictures = {train = "training", test = "test"}
group = {pattern = '^(.+)_\\d\\d\\.'}
clip = {pattern = '^(.+_\\d)\\d\\.'}
"""


@pytest.fixture(scope="module")
def rows(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """Every tenth row or so of both tables with their pictures, unpacked."""
    folder = tmp_path_factory.mktemp("frames")
    kept: dict[str, list[str]] = {}
    with zipfile.ZipFile(shared_data / "youtube68.zip") as archive:
        for part, count in PARTS.items():
            header, *lines = archive.read(f"{part}_frames_keypoints.csv").decode().splitlines()
            chosen = [lines[i] for i in np.linspace(0, len(lines) - 1, count).astype(int)]
            kept[part] = chosen
            (folder / f"{part}.csv").write_text("\n".join([header, *chosen]) + "\n")
            (folder / part).mkdir()
            for line in chosen:
                name = line.partition(",")[0]
                (folder / part / name).write_bytes(archive.read(f"{part}/{name}"))
    (folder / "frames.toml").write_text(TEXT)
    return folder, kept


@pytest.mark.realdata
def test_real_frames_described_by_hand(rows, tmp_path):
    folder, kept = rows
    spec = find_dataset(load_registry(), str(folder / "frames.toml"))
    samples = open_samples(spec, Store(tmp_path / "data"))
    assert len(samples) == sum(PARTS.values())
    lines = [*(f"train/{line}" for line in kept["training"]), *(f"test/{line}" for line in kept["test"])]
    for i, line in enumerate(lines):
        name, *values = line.split(",")
        assert samples.ids[i] == name
        np.testing.assert_array_equal(samples.points[i].reshape(-1), np.array(values, np.float32))
    for i in (0, 300):
        part, _, name = lines[i].partition(",")[0].partition("/")
        data = (folder / {"train": "training"}.get(part, part) / name).read_bytes()
        np.testing.assert_array_equal(samples.frames[i], decode_rgb(data, name))
        assert samples.group[i] == name.rpartition("_")[0]
    given, grouped = (leak_report(samples, get_split(spec, samples, name)) for name in ("given", "grouped"))
    assert given["groups"]["both_sides"] > 10
    assert given["leaky"]
    assert get_split(spec, samples, "given").leaky
    assert grouped["groups"]["both_sides"] == grouped["clips"]["both_sides"] == 0


@pytest.mark.realdata
def test_the_same_persons_part_as_in_the_built_in_set(rows, tmp_path):
    """The default split is one hash of the group's name for everybody: scores on both speak of the same persons."""
    folder, _ = rows
    registry = load_registry()
    spec = find_dataset(registry, str(folder / "frames.toml"))
    samples = open_samples(spec, Store(tmp_path / "data"))
    ours = get_split(spec, samples, "grouped")
    built_in = next(s for s in registry.specs["datasets"].values() if s.name == "youtube68")
    theirs = get_split(built_in, samples, "identity")
    for part in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
