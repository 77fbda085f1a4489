"""Splits: names and folds, shares, and the promise that parts are disjoint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.datasets.hashing import unit_hash
from fkbench.datasets.samples import Frames, Samples, Split
from fkbench.datasets.splits import by_group, get_split
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.specs import DatasetSpec, SplitSpec


def samples_of(groups) -> Samples:
    count = len(groups)
    frames = Frames.stack(np.zeros((count, 2, 2), np.uint8))
    ids = tuple(f"id{i}" for i in range(count))
    return Samples(ids, frames, np.zeros((count, 15, 2), np.float32), tuple(groups), "sha256:0")


def spec_with(split=None, *splits: SplitSpec) -> DatasetSpec:
    more = {"splits": splits} if splits else {}
    return DatasetSpec(name="faces", scheme="face15", load=lambda store, settings: None, split=split, **more)


@pytest.fixture
def people() -> Samples:
    """600 persons of 1 to 4 pictures."""
    return samples_of([f"person{i}" for i in range(600) for _ in range(1 + i % 4)])


def test_the_default_parts_groups_by_their_hash(people):
    split = get_split(spec_with(), people, "default")
    assert sum(split.counts.values()) == len(people)
    for index, group in enumerate(people.group):
        unit = unit_hash(group)
        part = split.train if unit < 0.65 else split.val if unit < 0.75 else split.test
        assert index in part


def test_the_default_shares(people):
    counts = get_split(spec_with(), people, "default").counts
    shares = np.array([counts[part] for part in ("train", "val", "test")]) / len(people)
    np.testing.assert_allclose(shares, [0.65, 0.10, 0.25], atol=0.05)


def test_membership_does_not_depend_on_who_else_is_there(people):
    whole = get_split(spec_with(), people, "default")
    few = get_split(spec_with(), samples_of(people.group[:300]), "default")
    assert set(few.test) == {index for index in whole.test if index < 300}


def test_a_salt_gives_another_split(people):
    assert by_group(people, "x").test.tolist() != by_group(people, "x", ("salt",)).test.tolist()


def folded(samples: Samples, name: str, fold: int) -> Split:
    digit = np.arange(len(samples)) % 5
    parts = (np.flatnonzero(digit > 1), np.flatnonzero(digit == 1), np.flatnonzero(digit == 0))
    return Split(f"{name}-{fold}", 99, *(part + fold * 0 for part in parts))


FOLDED = spec_with(folded, SplitSpec("plain", ""), SplitSpec("fine", "", folds=5, version=3, leaky=True))


@pytest.mark.parametrize(
    ("asked", "shown"), [("fine", "fine"), ("fine/0", "fine"), ("fine/4", "fine/4"), ("plain", "plain")]
)
def test_names_and_folds(people, asked, shown):
    split = get_split(FOLDED, people, asked)
    assert split.name == shown
    assert (split.version, split.leaky) == ((3, True) if shown.startswith("fine") else (1, False))


def test_the_plugin_gets_name_and_fold(people):
    seen = []

    def record(samples, name, fold):
        seen.append((name, fold))
        return folded(samples, name, fold)

    get_split(spec_with(record, SplitSpec("fine", "", folds=5)), people, "fine/3")
    assert seen == [("fine", 3)]


@pytest.mark.parametrize("asked", ["fine/5", "fine/-1", "fine/", "fine/x", "fine/1/2", "fine/²"])
def test_bad_folds_name_the_good_ones(people, asked):
    with pytest.raises(FkbenchError, match="has no fold") as caught:
        get_split(FOLDED, people, asked)
    assert "fine/0 to fine/4" in caught.value.remedy


def test_a_fold_of_a_split_without_folds(people):
    with pytest.raises(FkbenchError, match="has no folds"):
        get_split(FOLDED, people, "plain/1")


def test_an_unknown_split_names_the_nearest(people):
    with pytest.raises(UnknownNameError) as caught:
        get_split(FOLDED, people, "plane")
    assert "plain" in caught.value.remedy


@pytest.mark.parametrize(
    ("train", "val", "test", "words"),
    [
        ([0, 1], [2], [1, 3], "in two parts"),
        ([0, 0], [2], [3], "in two parts"),
        ([0], [1], [4000], "not there"),
        ([-1], [1], [2], "not there"),
        ([0], [], [2], "nothing in val"),
        ([0], [1], [], "nothing in test"),
    ],
)
def test_a_split_that_is_no_partition_is_refused(people, train, val, test, words):
    def wrong(samples, name, fold):
        return Split(name, 1, *(np.array(part, np.int64) for part in (train, val, test)))

    with pytest.raises(FkbenchError, match=words):
        get_split(spec_with(wrong), people, "default")


def test_a_version_by_content_follows_all_that_an_honest_split_rests_on(people):
    """A training row that moves to a test person makes another split, although the parts have the same members."""
    parts = get_split(spec_with(), people, "default")

    def version(samples, leaky=False):
        made = Split("own", 0, parts.train, parts.val, parts.test, leaky)
        return get_split(spec_with(lambda *_: made, SplitSpec("own", "by content", version=0)), samples, "own").version

    groups = list(people.group)
    groups[int(parts.train[0])] = groups[int(parts.test[0])]
    clips = replace(people, clip=people.group)
    versions = [version(people), version(replace(people, group=tuple(groups))), version(clips), version(people, True)]
    assert len(set(versions)) == 4
    assert version(people) == versions[0]
