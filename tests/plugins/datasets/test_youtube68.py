"""youtube68: reading the official layout, its splits, and everything that can be wrong with it."""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from fkbench_plugins.datasets.youtube68 import importing, labels
from fkbench_plugins.datasets.youtube68.download import ENVIRONMENT, acquire

from fkbench.datasets.access import open_samples
from fkbench.datasets.importing import import_dataset
from fkbench.datasets.leaks import leak_report
from fkbench.datasets.splits import get_split
from fkbench.errors import DataMissingError, FkbenchError
from fkbench.specs import DatasetSpec

PERSONS = 40


@pytest.fixture
def spec(registry) -> DatasetSpec:
    return registry.get(DatasetSpec, "youtube68")


def unpack(files: dict[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def edit(files: dict[str, bytes], row: int, change, part: str = "training") -> None:
    """Change the fields of one data row of a table."""
    lines = files[f"{part}_frames_keypoints.csv"].decode().splitlines()
    lines[row] = ",".join(change(lines[row].split(",")))
    files[f"{part}_frames_keypoints.csv"] = "\n".join(lines).encode()


def test_zip_folder_and_folder_within_read_alike(spec, store, tmp_path, youtube_files, youtube_zip):
    first = import_dataset(spec, store, youtube_zip)
    assert first["counts"] == {"labelled": 2 * PERSONS, "unlabelled": PERSONS, "training": PERSONS, "test": PERSONS}
    assert first["official"] == {"labels": False, "pixels": False}
    folder = unpack(youtube_files, tmp_path / "around" / "train-test-data")
    for path in (youtube_zip, folder, folder.parent):
        assert import_dataset(spec, store, path)["unchanged"] is True


def test_pictures_and_points_are_those_of_the_files(spec, store, youtube_files, youtube_zip):
    import_dataset(spec, store, youtube_zip)
    samples = open_samples(spec, store)
    assert list(samples.ids) == [
        f"{part}/Ann_O-Nym_{i:02d}_00.jpg" for part in ("training", "test") for i in range(PERSONS)
    ]
    tables = {part: youtube_files[f"{part}_frames_keypoints.csv"].decode() for part in ("training", "test")}
    for index, name in enumerate(samples.ids):
        encoded = np.frombuffer(youtube_files[name], np.uint8)
        np.testing.assert_array_equal(samples.frames[index][:, :, ::-1], cv2.imdecode(encoded, cv2.IMREAD_COLOR))
        part, _, file = name.partition("/")
        row = next(line for line in tables[part].splitlines() if line.startswith(file))
        np.testing.assert_array_equal(samples.points[index].reshape(-1), [float(v) for v in row.split(",")[1:]])
    assert samples.group[3] == "Ann_O-Nym_03"
    assert samples.clip is not None
    assert samples.clip[3] == "Ann_O-Nym_03_0"


def test_the_unlabelled_part_is_what_no_row_names(spec, store, youtube_files, youtube_zip):
    import_dataset(spec, store, youtube_zip)
    part = open_samples(spec, store).unlabelled
    assert part is not None
    assert list(part.ids) == [f"test/Ann_O-Nym_{i:02d}_01.jpg" for i in range(PERSONS)]
    encoded = np.frombuffer(youtube_files[part.ids[7]], np.uint8)
    np.testing.assert_array_equal(part.frames[7][:, :, ::-1], cv2.imdecode(encoded, cv2.IMREAD_COLOR))


def test_absent_unlabelled_frames_change_no_fingerprint(spec, store, tmp_path, youtube_files, youtube_zip):
    whole = import_dataset(spec, store, youtube_zip)
    few = {name: data for name, data in youtube_files.items() if not name.endswith("_01.jpg")}
    found = import_dataset(spec, store, unpack(few, tmp_path / "few"))
    assert found["counts"]["unlabelled"] == 0
    assert found["unchanged"] is False
    assert found["fingerprint"] == whole["fingerprint"]


def test_absent_labelled_frames_are_counted_and_named(spec, store, tmp_path, youtube_files):
    del youtube_files["training/Ann_O-Nym_07_00.jpg"], youtube_files["test/Ann_O-Nym_03_00.jpg"]
    with pytest.raises(FkbenchError, match=r"lacks 2 of the 80 labelled frames, the first is '.*_07_00"):
        import_dataset(spec, store, unpack(youtube_files, tmp_path / "set"))
    assert not store.has("youtube68")


def test_identity_parts_persons_and_official_parts_as_published(spec, store, youtube_zip):
    import_dataset(spec, store, youtube_zip)
    samples = open_samples(spec, store)
    identity, official = (get_split(spec, samples, name) for name in ("identity", "official"))
    assert leak_report(samples, identity)["leaky"] is False
    assert sum(identity.counts.values()) == 2 * PERSONS
    report = leak_report(samples, official)
    assert official.leaky is True
    assert report["groups"]["test_share"] == report["clips"]["test_share"] == 1.0
    assert official.test.tolist() == list(range(PERSONS, 2 * PERSONS))
    names = {part: {samples.group[i] for i in getattr(official, part)} for part in ("train", "val")}
    assert not names["train"] & names["val"]
    assert names["val"] == {samples.group[i] for i in identity.val}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f[:-1], "has 135 numbers, not 136"),
        (lambda f: [*f, "1.0"], "has 137 numbers, not 136"),
        (lambda f: [*f[:9], "left", *f[10:]], "something other than a number"),
        (lambda f: [*f[:9], "", *f[10:]], "something other than a number"),
        (lambda f: ["../../evil.jpg", *f[1:]], "names a picture '../../evil.jpg'"),
        (lambda f: ["picture.jpg", *f[1:]], "names a picture 'picture.jpg'"),
        (lambda f: ["Ann_O-Nym_05_00.jpg", *f[1:]], "a second time"),
    ],
)
def test_a_bad_row_is_named(spec, store, tmp_path, youtube_files, change, words):
    edit(youtube_files, 21, change)
    with pytest.raises(FkbenchError, match=words) as caught:
        import_dataset(spec, store, unpack(youtube_files, tmp_path / "set"))
    assert "Line 22 of 'training_frames_keypoints.csv'" in caught.value.message
    assert not store.has("youtube68")


@pytest.mark.parametrize(("value", "words"), [("nan", "not a finite"), ("inf", "finite"), ("5000", "far outside")])
def test_impossible_points_are_named(spec, store, tmp_path, youtube_files, value, words):
    edit(youtube_files, 21, lambda f: [*f[:9], value, *f[10:]], "test")
    with pytest.raises(FkbenchError, match=words) as caught:
        import_dataset(spec, store, unpack(youtube_files, tmp_path / "set"))
    assert "'test/Ann_O-Nym_20_00.jpg' in 'test_frames_keypoints.csv'" in caught.value.message


def test_a_picture_that_does_not_decode_is_named(spec, store, tmp_path, youtube_files):
    youtube_files["test/Ann_O-Nym_20_00.jpg"] = b"<html>not found</html>"
    with pytest.raises(FkbenchError, match=r"'test/Ann_O-Nym_20_00.jpg' in .* does not decode"):
        import_dataset(spec, store, unpack(youtube_files, tmp_path / "set"))
    assert not store.has("youtube68")


@pytest.mark.parametrize("lost", ["training_frames_keypoints.csv", "test_frames_keypoints.csv"])
def test_something_else_is_said_to_be_something_else(spec, store, tmp_path, youtube_files, lost):
    del youtube_files[lost]
    with pytest.raises(FkbenchError, match=f"is not the YouTube Faces keypoint set: it has no {lost}"):
        import_dataset(spec, store, unpack(youtube_files, tmp_path / "set"))


def test_official_means_that_the_hashes_agree(spec, store, monkeypatch, youtube_files, youtube_zip):
    for part in ("training", "test"):
        table = youtube_files[f"{part}_frames_keypoints.csv"]
        monkeypatch.setitem(labels.OFFICIAL_TABLES, part, hashlib.sha256(table).hexdigest())
    digest = hashlib.sha256()
    names = sorted(n for n in youtube_files if n.endswith("_00.jpg"))
    for name in sorted(names, key=lambda n: (not n.startswith("training/"), n)):
        rgb = cv2.imdecode(np.frombuffer(youtube_files[name], np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        digest.update(name.encode() + struct.pack("<II", *rgb.shape[:2]) + rgb.tobytes())
    assert import_dataset(spec, store, youtube_zip)["official"] == {"labels": True, "pixels": False}
    monkeypatch.setattr(importing, "OFFICIAL_PIXELS", digest.hexdigest())
    assert import_dataset(spec, store, youtube_zip)["official"] == {"labels": True, "pixels": True}


def test_data_that_is_not_there(spec, store, registry):
    with pytest.raises(DataMissingError) as caught:
        open_samples(spec, store, registry=registry)
    assert "fkbench data get youtube68" in caught.value.remedy
    assert "synthetic68" in caught.value.remedy


def test_offline_get_says_where_to_find_it(store, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "http://127.0.0.1:9/set.zip")
    with pytest.raises(FkbenchError, match="--offline") as caught:
        acquire(store, True)
    assert "data import youtube68" in caught.value.remedy
    with pytest.raises(FkbenchError, match=r"127\.0\.0\.1:9"):
        acquire(store, False)


@pytest.fixture
def served(tmp_path, youtube_zip):
    """The zip's folder on a server of our own; its address."""
    handler = partial(QuietHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_get_downloads_what_import_reads(spec, store, served, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(ENVIRONMENT, f"{served}/train-test-data.zip")
    path = acquire(store, False)
    assert import_dataset(spec, store, path)["counts"]["labelled"] == 2 * PERSONS
    assert path.is_relative_to(store.root)


@pytest.mark.slow
@pytest.mark.realdata
def test_the_real_archive(spec, store, shared_data):
    found = import_dataset(spec, store, shared_data / "youtube68.zip")
    assert found["counts"] == {"labelled": 4232, "unlabelled": 60, "training": 3462, "test": 770}
    assert (found["persons"], found["clips"]) == (347, 1154)
    assert found["official"] == {"labels": True, "pixels": False}
    samples = open_samples(spec, store)
    identity = get_split(spec, samples, "identity")
    assert identity.counts == {"train": 2763, "val": 394, "test": 1075}
    assert leak_report(samples, identity)["leaky"] is False
    official = leak_report(samples, get_split(spec, samples, "official"))
    assert official["counts"] == {"train": 3141, "val": 321, "test": 770}
    assert official["clips"]["test_share"] == 1.0


@pytest.mark.realdata
def test_frames_as_published(spec, store, shared_data):
    """RGBA PNG under .jpg names; fewer rows than the whole set, so neither labels nor pixels are the official set."""
    found = import_dataset(spec, store, shared_data / "youtube68-originals.zip")
    assert found["counts"]["labelled"] == 48
    assert found["official"] == {"labels": False, "pixels": False}
    samples = open_samples(spec, store)
    with zipfile.ZipFile(shared_data / "youtube68-originals.zip") as archive:
        for index in (0, 30):
            raw = cv2.imdecode(np.frombuffer(archive.read(samples.ids[index]), np.uint8), cv2.IMREAD_UNCHANGED)
            assert raw.shape[2] == 4
            np.testing.assert_array_equal(samples.frames[index], raw[:, :, 2::-1])
    assert os.path.getsize(Path(found["folder"]) / "frames_buffer.npy") > 48 * 72 * 72 * 3
