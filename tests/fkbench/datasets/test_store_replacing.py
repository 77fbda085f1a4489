"""Packs that are replaced while others read them without a lock."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from fkbench.datasets import replacing
from fkbench.datasets.store import Store
from fkbench.errors import DataMissingError


def put(store, number):
    """A pack in which the page and both arrays say the same number."""
    return store.write("part/faces", {"number": number}, {"a": np.full(4, number), "b": np.full(4, number)})


def numbers(pack):
    return {pack.meta["number"], *pack.arrays["a"].tolist(), *pack.arrays["b"].tolist()}


def test_between_the_renames_readers_get_the_old_pack_and_then_the_new_one(store, monkeypatch):
    put(store, 1)
    seen = []
    rename = os.rename

    def watched(old, new):
        rename(old, new)
        seen.append((store.has("part/faces"), numbers(store.read("part/faces"))))

    monkeypatch.setattr(replacing.os, "rename", watched)
    put(store, 2)
    assert seen == [(True, {1}), (True, {2})]


@pytest.mark.parametrize("array", ["a", "b"])
def test_a_pack_replaced_while_it_is_read_is_read_whole(store, monkeypatch, array):
    put(store, 1)
    load, replaced = np.load, []

    def slow(file, **options):
        if file.stem == array and not replaced:
            replaced.append(True)
            put(Store(store.root), 2)
        return load(file, **options)

    monkeypatch.setattr(np, "load", slow)
    pack = store.read("part/faces")
    assert set(pack.arrays) == {"a", "b"}
    assert numbers(pack) == {2}


def test_arrays_that_are_open_stay_as_they_were(store):
    old = put(store, 1)
    put(store, 2)
    assert numbers(old) == {1}


def test_a_writer_killed_between_the_renames_loses_nothing(store, monkeypatch):
    put(store, 1)
    rename = os.rename

    def dies(old, new):
        if "-old-" not in str(new):
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(replacing.os, "rename", dies)
    with pytest.raises(KeyboardInterrupt):
        put(store, 2)
    monkeypatch.undo()
    assert store.has("part/faces")
    assert numbers(store.read("part/faces")) == {1}
    put(store, 3)
    assert numbers(store.read("part/faces")) == {3}
    assert [path.name for path in (store.root / "part").iterdir()] == ["faces"]


def test_a_pack_that_was_deleted_is_missing(store):
    put(store, 1)
    shutil.rmtree(store.folder("part/faces"))
    assert not store.has("part/faces")
    with pytest.raises(DataMissingError):
        store.read("part/faces")
