"""Keeping what was imported: whole or not at all, again without harm, damage found."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.importing import check_layout, check_points, damaged_arrays, import_dataset, write_import
from fkbench.datasets.samples import Frames, Samples
from fkbench.datasets.store import frame_arrays
from fkbench.datasets.verifying import verify_dataset
from fkbench.errors import DataMissingError, FkbenchError
from fkbench.specs import DatasetSpec

COUNT = 60


def load(store, settings):
    pack = store.read("mine")
    ids = tuple(pack.meta["ids"])
    return Samples(ids, pack.frames(), pack.arrays["points"], ids, pack.meta["fingerprint"])


def import_seeded(store, path):
    rng = np.random.default_rng(int(path.read_text()))
    frames = Frames.stack(rng.integers(0, 256, (COUNT, 8, 8), np.uint8))
    points = rng.uniform(0, 7, (COUNT, 15, 2)).astype(np.float32)
    ids = tuple(f"{i}" for i in range(COUNT))
    meta = {"fingerprint": fingerprint("face15", ids, frames, points), "ids": ids, "counts": {"labelled": COUNT}}
    return write_import(store, "mine", meta, {**frame_arrays(frames), "points": points})


SPEC = DatasetSpec(name="faces", scheme="face15", load=load, importer=import_seeded, requires=("mine",))


@pytest.fixture
def seed_file(tmp_path):
    path = tmp_path / "seed.txt"
    path.write_text("1")
    return path


def test_an_import_says_what_it_found(store, seed_file):
    found = import_dataset(SPEC, store, seed_file)
    assert found["dataset"] == "faces"
    assert found["counts"] == {"labelled": COUNT}
    assert found["unchanged"] is False
    assert found["folder"] == str(store.root / "mine")
    assert "ids" not in found


def test_importing_again_changes_nothing(store, seed_file):
    first = import_dataset(SPEC, store, seed_file)
    page = store.root / "mine" / "pack.json"
    before = page.stat().st_ino
    again = import_dataset(SPEC, store, seed_file)
    assert again == {**first, "unchanged": True}
    assert page.stat().st_ino == before


def test_importing_something_else_replaces_it(store, seed_file):
    first = import_dataset(SPEC, store, seed_file)
    seed_file.write_text("2")
    second = import_dataset(SPEC, store, seed_file)
    assert second["unchanged"] is False
    assert second["fingerprint"] != first["fingerprint"]
    assert load(store, {}).fingerprint == second["fingerprint"]


def test_importing_again_mends_a_damaged_pack(store, seed_file):
    import_dataset(SPEC, store, seed_file)
    flip_byte(store.root / "mine" / "points.npy")
    assert import_dataset(SPEC, store, seed_file)["unchanged"] is False
    assert damaged_arrays(store.read("mine")) == []


def flip_byte(path):
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 16
    path.write_bytes(raw)


@pytest.mark.parametrize("name", ["points", "frames_buffer"])
def test_verify_finds_a_flipped_byte(store, seed_file, name):
    import_dataset(SPEC, store, seed_file)
    assert verify_dataset(SPEC, store)["problems"] == []
    flip_byte(store.root / "mine" / f"{name}.npy")
    problems = verify_dataset(SPEC, store)["problems"]
    assert any(f"{name}.npy' is not as it was written" in problem for problem in problems)
    assert any("fingerprint" in problem for problem in problems)


def test_verify_finds_a_cut_file(store, seed_file):
    import_dataset(SPEC, store, seed_file)
    path = store.root / "mine" / "frames_buffer.npy"
    path.write_bytes(path.read_bytes()[:-100])
    assert any("damaged" in problem for problem in verify_dataset(SPEC, store)["problems"])


def test_verify_reports_leaks_of_every_split(store, seed_file):
    import_dataset(SPEC, store, seed_file)
    (report,) = verify_dataset(SPEC, store)["splits"]
    assert report["split"] == "default"
    assert sum(report["counts"].values()) == COUNT


def test_verify_of_what_is_not_there(store):
    with pytest.raises(DataMissingError):
        verify_dataset(SPEC, store)


def test_a_full_disk_leaves_nothing_behind(store, seed_file, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(FkbenchError, match="No space left") as caught:
        import_dataset(SPEC, store, seed_file)
    assert "--data" in caught.value.remedy
    assert not store.has("mine")
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == []


def test_a_dataset_that_is_not_imported(store, seed_file):
    spec = DatasetSpec(name="drawn", scheme="face15", load=load, ways="It is drawn.")
    with pytest.raises(FkbenchError, match="drawn is not imported from files"):
        import_dataset(spec, store, seed_file)


def test_packs_of_other_versions_are_not_read(store):
    pack = store.write("old", {"layout": 1, "duplicate_rule": 1}, {"points": np.zeros(3)})
    check_layout(pack, "old", 1, 1)
    for layout, rule in ((2, 1), (1, 2)):
        with pytest.raises(FkbenchError, match="another version") as caught:
            check_layout(pack, "old", layout, rule)
        assert "data import old" in caught.value.remedy


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ((-200, 5), (-201, 5)),
        ((5, -160), (5, -161)),
        ((300, 5), (301, 5)),
        ((5, 240), (5, 241)),
        ((300, 240), (1e30, 0)),
    ],
)
def test_points_pass_up_to_two_sizes_outside_and_no_further(inside, outside):
    check_points(np.array([[1, 1], inside], np.float32), 100, 80, "Row 3", missing_allowed=False)
    with pytest.raises(FkbenchError, match=r"Row 3 has point 1 .* far outside"):
        check_points(np.array([[1, 1], outside], np.float32), 100, 80, "Row 3", missing_allowed=True)


def test_missing_points():
    points = np.array([[1, 1], [np.nan, 2]], np.float32)
    check_points(points, 100, 80, "Row 3", missing_allowed=True)
    with pytest.raises(FkbenchError, match="not a finite number"):
        check_points(points, 100, 80, "Row 3", missing_allowed=False)
    with pytest.raises(FkbenchError, match="not a finite number"):
        check_points(np.array([[np.inf, 1]], np.float32), 100, 80, "Row 3", missing_allowed=True)
