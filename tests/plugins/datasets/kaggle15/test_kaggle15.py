"""kaggle15: Kaggle's tables in every packing, conventions, folds, and what is official."""

from __future__ import annotations

import csv
import hashlib
import io
import sys
import types

import numpy as np
import pytest
from fkbench_plugins.datasets.kaggle15 import download, importing, rows
from fkbench_plugins.datasets.kaggle15.pixels import parse_block

from fkbench.datasets.access import open_samples
from fkbench.datasets.importing import import_dataset
from fkbench.datasets.splits import get_split
from fkbench.errors import DataMissingError, FkbenchError
from fkbench.schemes import FACE15


def test_zip_of_zips_folder_and_table_read_alike(spec, store, kaggle_zip, folder):
    found = import_dataset(spec, store, kaggle_zip)
    assert found["counts"] == {
        "labelled": 99, "unlabelled": 3, "complete": 50, "four": 45, "other": 5,
        "convention_full": 52, "convention_four": 48,
    }  # fmt: skip
    assert found["official"] == {"labels": False, "pixels": False}
    for path in (folder, folder / "training.csv"):
        assert import_dataset(spec, store, path)["unchanged"] is True


def test_a_table_alone_has_no_unlabelled_part(spec, store, folder, kaggle_zip):
    whole = import_dataset(spec, store, kaggle_zip)
    (folder / "test.csv").unlink()
    found = import_dataset(spec, store, (folder / "training.csv").rename(folder / "faces.csv"))
    assert found["fingerprint"] == whole["fingerprint"]
    assert open_samples(spec, store).unlabelled is None


def test_a_single_inner_zip_is_enough(spec, store, tmp_path, kaggle_files):
    import zipfile

    with zipfile.ZipFile(tmp_path / "training.zip", "w") as archive:
        archive.writestr("training.csv", kaggle_files["training.csv"])
    assert import_dataset(spec, store, tmp_path / "training.zip")["counts"]["labelled"] == 99


def test_values_are_those_of_the_table(spec, store, kaggle_zip, kaggle_files):
    import_dataset(spec, store, kaggle_zip)
    samples = open_samples(spec, store)
    table = list(csv.DictReader(io.StringIO(kaggle_files["training.csv"].decode())))
    assert samples.ids == tuple(f"training/{row}" for row in range(1, len(table) + 1))
    for index, row in enumerate(table):
        image = np.array(row["Image"].split(), np.uint8).reshape(96, 96, 1)
        np.testing.assert_array_equal(samples.frames[index], image)
        for point, name in enumerate(FACE15.points):
            expected = [float(row[f"{name}_{axis}"] or "nan") for axis in "xy"]
            np.testing.assert_array_equal(samples.points[index, point], np.array(expected, np.float32))
    assert samples.unlabelled is not None
    assert samples.unlabelled.ids == ("test/1", "test/2", "test/3")
    tests = list(csv.DictReader(io.StringIO(kaggle_files["test.csv"].decode())))
    expected = np.array(tests[2]["Image"].split(), np.uint8).reshape(96, 96, 1)
    np.testing.assert_array_equal(samples.unlabelled.frames[2], expected)
    assert store.read("kaggle15").arrays["lookup"].tolist() == [[1, 0], [3, 21]]


def test_conventions_and_kinds(spec, store, kaggle_zip):
    import_dataset(spec, store, kaggle_zip)
    samples = open_samples(spec, store)
    assert samples.convention is not None
    assert samples.row_kind is not None
    assert samples.row_kind[:50] == ("complete",) * 50
    assert samples.row_kind[50:95] == ("four",) * 45
    assert samples.row_kind[95:] == ("other",) * 5
    assert samples.convention[:50] == ("full",) * 50
    assert samples.convention[50:95] == ("four",) * 45
    # two eye centres; an eye's inner corner too; four and a corner; nose tip; nothing
    assert samples.convention[95:] == ("four", "full", "full", "four", "four")
    assert set(spec.convention_mix["rmse_kaggle_mix"]) == {"complete", "four", "other"}


def test_folds_partition_and_agree_between_the_splits(spec, store, kaggle_zip):
    import_dataset(spec, store, kaggle_zip)
    samples = open_samples(spec, store)
    tested = {"complete": [], "all": []}
    for fold in range(5):
        complete, everything = (get_split(spec, samples, f"{name}/{fold}") for name in ("complete", "all"))
        assert sorted(np.concatenate([complete.train, complete.val, complete.test])) == list(range(50))
        assert sorted(np.concatenate([everything.train, everything.val, everything.test])) == list(range(99))
        assert set(complete.test) <= set(everything.test)
        assert set(complete.val) <= set(everything.val)
        tested["complete"] += complete.test.tolist()
        tested["all"] += everything.test.tolist()
    assert sorted(tested["complete"]) == list(range(50))
    assert sorted(tested["all"]) == list(range(99))
    assert get_split(spec, samples, "complete").test.tolist() == get_split(spec, samples, "complete/0").test.tolist()


def test_shares_at_the_real_size(spec, store, kaggle_zip):
    import_dataset(spec, store, kaggle_zip)
    from dataclasses import replace

    from fkbench.datasets.samples import Frames

    some = open_samples(spec, store)
    ids = tuple(f"training/{row + 1}" for row in range(2140))
    points = np.zeros((2140, 15, 2), np.float32)
    many = replace(
        some, ids=ids, group=ids, points=points, frames=Frames.stack(np.zeros((2140, 1, 1), np.uint8)),
        row_kind=("complete",) * 2140, convention=("full",) * 2140,
    )  # fmt: skip
    for fold in range(5):
        counts = get_split(spec, many, f"complete/{fold}").counts
        np.testing.assert_allclose(list(counts.values()), [1498, 214, 428], atol=60)


def test_near_duplicates_share_a_group_and_a_fold(spec, store, folder, kaggle_row):
    lines = (folder / "training.csv").read_text().splitlines()
    twin = kaggle_row(7).rpartition(",")[2]  # the picture of row 8, labelled otherwise
    lines[60] = lines[60].rpartition(",")[0] + "," + twin
    (folder / "training.csv").write_text("\n".join(lines))
    assert import_dataset(spec, store, folder)["near_duplicates"] == 1
    samples = open_samples(spec, store)
    assert samples.duplicates.tolist() == [[7, 59]]
    assert samples.group[59] == samples.group[7] == "training/8"
    for fold in range(5):
        test = set(get_split(spec, samples, f"all/{fold}").test.tolist())
        assert len(test & {7, 59}) in (0, 2)


def test_windows_line_ends_quotes_and_a_missing_last_newline(spec, store, folder, kaggle_zip):
    whole = import_dataset(spec, store, kaggle_zip)
    lines = (folder / "training.csv").read_text().splitlines()
    lines[1:] = [f'{head},"{image}"' for head, _, image in (line.rpartition(",") for line in lines[1:])]
    (folder / "training.csv").write_bytes("\r\n".join(lines).encode())
    assert import_dataset(spec, store, folder)["fingerprint"] == whole["fingerprint"]


def test_official_means_that_the_hashes_agree(spec, store, monkeypatch, kaggle_zip, kaggle_files):
    table = list(csv.reader(io.StringIO(kaggle_files["training.csv"].decode())))[1:]
    whole = [[round(float(v) * 10_000) if v else -(2**31) for v in row[:30]] for row in table]
    monkeypatch.setattr(importing, "OFFICIAL_ROWS", len(table))
    assert import_dataset(spec, store, kaggle_zip)["official"] == {"labels": False, "pixels": None}
    digest = hashlib.sha256(np.array(whole, "<i4").tobytes()).hexdigest()
    monkeypatch.setattr(importing, "OFFICIAL_LABELS", digest)
    found = import_dataset(spec, store, kaggle_zip)
    assert found["official"] == {"labels": True, "pixels": None}
    monkeypatch.setattr(importing, "OFFICIAL_PIXELS", found["pixels_sha256"])
    assert import_dataset(spec, store, kaggle_zip)["official"] == {"labels": True, "pixels": True}


def test_the_block_parser_against_plain_conversion():
    rng = np.random.default_rng(1)
    values = rng.choice([0, 1, 9, 10, 19, 99, 100, 101, 109, 200, 255], (40, 50))
    text = b""
    spans = []
    for row in values:
        text += b"12.5,,99.25,"  # labels between the pictures must not be read as pixels
        body = b"  ".join(str(v).encode() for v in row) if rng.random() < 0.3 else " ".join(map(str, row)).encode()
        spans.append((len(text), len(text) + len(body)))
        text += body + b"\n"
    found = parse_block(np.frombuffer(text, np.uint8), spans, 50)
    np.testing.assert_array_equal(found, values)
    assert parse_block(np.frombuffer(text, np.uint8), spans, 51) is None


def test_getting_it_says_exactly_what_to_do(spec, store, registry, monkeypatch):
    with pytest.raises(FkbenchError, match="--offline forbids") as caught:
        download.acquire(store, True)
    assert "data import kaggle15 --from" in caught.value.remedy
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FkbenchError, match="pip install 'fkbench\\[kaggle\\]'") as caught:
        download.acquire(store, False)
    assert "accept the rules" in caught.value.remedy
    monkeypatch.undo()
    with pytest.raises(DataMissingError) as caught:
        open_samples(spec, store, registry=registry)
    assert "Accept the rules" in caught.value.remedy
    assert "synthetic15" in caught.value.remedy


def test_kagglehub_brings_the_folder_or_its_reason(spec, store, folder, monkeypatch):
    hub = types.ModuleType("kagglehub")
    asked = []
    hub.competition_download = lambda name: asked.append(name) or str(folder)
    monkeypatch.setitem(sys.modules, "kagglehub", hub)
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: object())
    path = download.acquire(store, False)
    assert asked == ["facial-keypoints-detection"]
    assert import_dataset(spec, store, path)["counts"]["labelled"] == 99

    def refuse(name):
        raise RuntimeError("403 Client Error: You must accept the rules\nmore")

    hub.competition_download = refuse
    with pytest.raises(FkbenchError, match="403 Client Error: You must accept the rules") as caught:
        download.acquire(store, False)
    assert "/rules" in caught.value.remedy
    assert "\n" not in caught.value.message


def test_label_hash_of_missing_values():
    values = np.array([[1.23456, np.nan]])
    expected = hashlib.sha256(np.array([[12346, -(2**31)]], "<i4").tobytes()).hexdigest()
    assert rows.label_hash(values) == expected


@pytest.mark.realdata
def test_the_archive_in_kaggles_shape(spec, store, shared_data):
    found = import_dataset(spec, store, shared_data / "kaggle15-shaped.zip")
    assert (found["counts"]["labelled"], found["counts"]["unlabelled"]) == (2600, 770)
    assert found["counts"]["convention_full"] == 1200
    assert found["counts"]["convention_four"] == 1400
    assert found["counts"]["complete"] == 1187
    assert found["official"] == {"labels": False, "pixels": False}
    samples = open_samples(spec, store)
    counts = get_split(spec, samples, "complete").counts
    assert sum(counts.values()) == 1187
