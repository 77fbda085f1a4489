"""synthetic15 and synthetic68 as datasets: one rendering for both, kept, split by index."""

from __future__ import annotations

import numpy as np
import pytest
from fkbench_plugins.datasets.synthetic import faces

from fkbench.datasets.access import open_samples
from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.projections import project
from fkbench.datasets.splits import get_split
from fkbench.errors import FkbenchError
from fkbench.schemes import FACE68
from fkbench.specs import DatasetSpec

SETTINGS = {"count": 40}


@pytest.fixture
def opened(registry, store):
    def _open(name: str, **settings):
        return open_samples(registry.get(DatasetSpec, name), store, {**SETTINGS, **settings})

    return _open


def test_both_share_their_pictures(opened, monkeypatch):
    wide = opened("synthetic68")
    monkeypatch.setattr(faces, "render", None)
    narrow = opened("synthetic15")
    np.testing.assert_array_equal(wide.frames.buffer, narrow.frames.buffer)
    np.testing.assert_array_equal(narrow.points, project(wide.points, FACE68, "face15"))
    assert narrow.valid.all()
    assert wide.fingerprint != narrow.fingerprint
    again = fingerprint("face15", narrow.ids, narrow.frames, narrow.points)
    assert narrow.fingerprint == again


def test_settings_are_other_data(opened):
    prints = {
        opened("synthetic15", **settings).fingerprint for settings in ({}, {"count": 41}, {"seed": 1}, {"size": 48})
    }
    assert len(prints) == 4
    small = opened("synthetic15", size=48)
    assert small.frames.shapes[0].tolist() == [48, 48, 1]
    assert small.points.max() < 60


def test_more_faces_begin_with_the_same(opened):
    few, many = opened("synthetic15"), opened("synthetic15", count=50)
    np.testing.assert_array_equal(few.frames[39], many.frames[39])
    np.testing.assert_array_equal(few.points, many.points[:40])


def test_split_by_index(registry, opened):
    split = get_split(registry.get(DatasetSpec, "synthetic68"), opened("synthetic68"), "index")
    assert split.counts == {"train": 28, "val": 4, "test": 8}
    assert set(split.val % 10) == {7}
    assert set(split.test % 10) == {8, 9}


def test_factors_are_kept(opened):
    samples = opened("synthetic15")
    assert "yaw" in samples.factors
    assert all(len(values) == 40 for values in samples.factors.values())


@pytest.mark.parametrize("count", [9, 0, -5, 10**9])
def test_absurd_counts(opened, count):
    with pytest.raises(FkbenchError, match=f"setting 'count' is {count}, which is not between 10 and 2000000"):
        opened("synthetic15", count=count)
