"""The pack of own data: made once, made anew where a file has changed, and looked at by `data verify`."""

from __future__ import annotations

import logging
import os
import shutil

import numpy as np
import pytest

from fkbench.datasets.verifying import verify_dataset
from fkbench.errors import FkbenchError
from fkbench.owndata.naming import described_before

CSV = 'format = "csv"\nlabels = "labels.csv"\npictures = "images"\n'


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, logger="fkbench.owndata")
    return lambda: [record.getMessage() for record in caplog.records]


def test_what_has_not_changed_is_not_read_again(own, opened, spec_of, store, said, monkeypatch):
    own.csv()
    path = own.describe(CSV)
    first = opened(path)

    def never(*_args, **_keywords):
        raise AssertionError("read again")

    monkeypatch.setattr("fkbench.owndata.loading.import_own", never)
    again = opened(path)
    assert again.fingerprint == first.fingerprint
    assert said() == []
    assert [store.has(name) for name in spec_of(path).makes] == [True]


def change_labels(own):
    own.points[0, 0] += 1
    own.csv()


def change_picture(own):
    shutil.copy(own.folder / "images" / own.names[1], own.folder / "images" / own.names[0])


def change_list(own):
    (own.folder / "test.txt").write_text("\n".join(own.names[40:46]))


def change_description(own):
    own.describe("channels = 1\n" + LISTS)


LISTS = "split = {lists = {train = 'train.txt', test = 'test.txt'}}\n" + CSV


@pytest.mark.parametrize(
    ("change", "words", "fingerprint"),
    [
        (change_labels, "labels.csv' has changed, so it is read again", True),
        (change_picture, "pictures have changed", True),
        (change_description, "faces.toml' has changed", True),
        (change_list, "has changed", False),
    ],
)
def test_a_change_is_noticed_and_said(own, opened, said, change, words, fingerprint):
    own.csv()
    (own.folder / "train.txt").write_text("\n".join(own.names[:40]))
    (own.folder / "test.txt").write_text("\n".join(own.names[40:]))
    path = own.describe(LISTS)
    first = opened(path)
    change(own)
    second = opened(path)
    assert words in said()[0]
    assert (second.fingerprint != first.fingerprint) is fingerprint
    assert (second.published != first.published) is (change is change_list)
    opened(path)
    assert len(said()) == 1


def test_a_picture_that_is_gone_is_named(own, opened):
    own.csv()
    path = own.describe(CSV)
    opened(path)
    (own.folder / "images" / own.names[3]).unlink()
    with pytest.raises(FkbenchError, match=r"Line 5 of .* names the picture 'p1_1\.png'"):
        opened(path)


def test_touching_a_file_changes_no_fingerprint(own, opened):
    own.csv()
    path = own.describe(CSV)
    first = opened(path)
    os.utime(own.folder / "images" / own.names[0], ns=(1, 1))
    assert opened(path).fingerprint == first.fingerprint


def test_moved_data_is_the_same_data(own, opened, tmp_path):
    own.csv()
    first = opened(own.describe(CSV))
    target = tmp_path / "elsewhere"
    shutil.copytree(own.folder, target, ignore=shutil.ignore_patterns("data"))
    assert opened(target / "faces.toml").fingerprint == first.fingerprint


def test_the_store_remembers_which_file_described_it(own, opened, store):
    own.csv()
    path = own.describe("name = 'mine'\n" + CSV)
    opened(path)
    assert described_before(store.root, "mine") == [path.resolve()]
    assert described_before(store.root, "min") == []
    assert described_before(store.root / "nothing", "mine") == []


def test_verify_finds_it_intact_and_then_damaged(own, opened, spec_of, store):
    own.csv()
    spec = spec_of(own.describe("group = {column = 'person'}\n" + CSV))
    found = verify_dataset(spec, store)
    assert found["problems"] == []
    found = verify_dataset(spec, store)  # the pack is there now
    assert (found["problems"], found["counts"]["labelled"]) == ([], 48)
    assert found["splits"][0]["groups"]["total"] == 24
    file = store.folder(spec.makes[0]) / "points.npy"
    points = np.load(file)
    points[0, 0, 0] += 1
    np.save(file, points)
    problems = verify_dataset(spec, store)["problems"]
    assert any("points.npy' is not as it was written" in problem for problem in problems)
    assert any("fingerprint" in problem for problem in problems)


def test_labels_that_cannot_be_read_are_not_called_a_damaged_pack(own, opened, said):
    own.csv()
    path = own.describe(CSV)
    opened(path)
    (own.folder / "labels.csv").unlink()
    with pytest.raises(FkbenchError, match=r"labels\.csv"):
        opened(path)
    assert said() == []
