"""The kit finds what is wrong with a dataset: for each check one that fails it, and no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.samples import Frames, Samples, Split
from fkbench.datasets.splits import by_group
from fkbench.errors import DataMissingError
from fkbench.schemes import FACE15, FACE68, Scheme
from fkbench.specs import DatasetSpec, Setting, SplitSpec
from fkbench.testing import check_dataset
from fkbench.testing.declared import scheme_fault

COUNT, SIDE = 80, 48


def good(store=None, settings=None) -> Samples:
    """Noise with points about where a face has them; two pictures of each person."""
    source = np.random.default_rng(0)
    images = source.integers(0, 256, (COUNT, SIDE, SIDE), dtype=np.uint8)
    layout = np.array(FACE15.layout) * (SIDE - 10) + 5
    points = (layout + source.normal(size=(COUNT, 15, 2))).astype(np.float32)
    points[3, 4] = np.nan
    ids = tuple(f"picture{index}" for index in range(COUNT))
    frames = Frames.stack(images)
    return Samples(ids, frames, points, tuple(f"person{index // 2}" for index in range(COUNT)),
                   fingerprint("face15", ids, frames, points))  # fmt: skip


def loading(**changes):
    def load(store, settings):
        samples = good()
        made = {name: change(samples) if callable(change) else change for name, change in changes.items()}
        return replace(samples, **made)

    return load


def spec(load=good, **fields) -> DatasetSpec:
    stated = {"scheme": "face15", "summary": "noise", "ways": "It is drawn here.", **fields}
    return DatasetSpec(name="noise", load=load, **stated)


def findings(found_in: DatasetSpec) -> dict[str, tuple[str, str]]:
    return {f.check: (f.status, f"{f.message} {f.remedy}") for f in check_dataset(found_in)}


def failed(found) -> set[str]:
    return {check for check, (status, _) in found.items() if status == "failed"}


def changed_points(change):
    def points(samples):
        found = samples.points.copy()
        change(found)
        return found

    return points


def half(points):
    points[5, 2, 0] = np.nan


def infinite(points):
    points[5, 2] = np.inf, 4


def unlabelled(points):
    points[7] = np.nan


def never(points):
    points[:, 9] = np.nan


def far(points):
    points[5, 2] = 400, 4


def random_fingerprint(samples):
    return f"sha256:{np.random.default_rng().bytes(32).hex()}"


def remembered(store, settings):
    """Draws a fingerprint once and keeps it: read twice from one data folder it is the same."""
    if not store.has("noise"):
        store.write("noise", {"fingerprint": random_fingerprint(None)}, {})
    return replace(good(), fingerprint=store.read("noise").meta["fingerprint"])


def halves(samples, name, fold):
    """Every other picture is tested: of each person one."""
    index = np.arange(len(samples))
    return Split(name, 1, index[index % 4 == 0], index[index % 4 == 2], index[index % 2 == 1])


def by_chance(samples, name, fold):
    order = np.random.permutation(COUNT // 2)[:, None] * 2 + [0, 1]
    return Split(name, 1, *(np.sort(part.ravel()) for part in np.split(order, [20, 30])))


def overlapping(samples, name, fold):
    index = np.arange(len(samples))
    return Split(name, 1, index[:50], index[50:60], index[40:])


def folds(samples, name, fold):
    """Three folds that test the same pictures."""
    return by_group(samples, name)


def two_folds(samples, name, fold):
    """Two folds of thirds: a third is never tested."""
    third = np.arange(len(samples)) // 2 % 3
    index = np.arange(len(samples))
    return Split(name, 1, index[third == (fold + 1) % 3], index[third == (fold + 2) % 3], index[third == fold])


def reordered(samples):
    return tuple(np.random.default_rng().permutation(samples.group))


BLACK = Frames.stack(np.zeros((COUNT, SIDE, SIDE), np.uint8))
SWAPPED = Scheme("swapped", "", FACE15.points, ((0, 10), (2, 14), (3, 13), (6, 12), (7, 11)), {}, {})

BAD = {
    "no_ways": (spec(ways=" "), "declared", "how to get its data"),
    "box": (spec(defaults={"uniform": ("default", "truth")}), "declared", "box 'truth', which it does not have"),
    "setting": (spec(settings={"count": Setting(1, "")}), "declared", "count"),
    "same_ids": (spec(loading(ids=("picture",) * COUNT)), "loads", "same id twice"),
    "shape": (spec(loading(points=lambda s: s.points[:, :14])), "loads", "(80, 14, 2)"),
    "raises": (spec(lambda store, settings: 1 / 0), "loads", "ZeroDivisionError"),
    "groups": (spec(loading(group=("",) * COUNT)), "loads", "groups must be texts"),
    "black": (spec(loading(frames=BLACK)), "pictures", "one flat colour"),
    "channels": (spec(channels=3), "pictures", "1 channels, not 3"),
    "unit": (spec(loading(points=lambda s: s.points / SIDE)), "points", "multiply by its size"),
    "far": (spec(loading(points=changed_points(far))), "points", "at (400.0, 4.0) in 48×48 pixels"),
    "double": (spec(loading(points=lambda s: s.points.astype(np.float64))), "points", "float64"),
    "half": (spec(loading(points=changed_points(half))), "masks", "one coordinate alone"),
    "unlabelled": (spec(loading(points=changed_points(unlabelled))), "masks", "1 pictures have no labelled point"),
    "never": (spec(loading(points=changed_points(never))), "masks", "right_eyebrow_outer_end"),
    "order": (spec(scheme=SWAPPED), "flip", "less like itself"),
    "fingerprint": (spec(loading(fingerprint="today")), "fingerprint", "'today'"),
    "random": (spec(loading(fingerprint=random_fingerprint)), "fingerprint", "gives other fingerprint"),
    "listing": (spec(loading(group=reordered)), "fingerprint", "gives other group."),
    "remembered": (spec(remembered), "fingerprint", "Made anew in an empty data folder, it gives other fingerprint."),
    "overlapping": (spec(split=overlapping), "splits", "a sample in two parts"),
    "folds": (spec(split=folds, splits=(SplitSpec("k", "f", folds=3),)), "splits", "Two folds of 'k' test the same"),
    "two_folds": (spec(split=two_folds, splits=(SplitSpec("k", "f", folds=2),)), "splits", "test 54 of 80"),
    "chance": (spec(split=by_chance), "steady", "another one each time"),
    "leak": (spec(split=halves), "groups", "40 groups on both sides, for example person0"),
}


def test_a_good_dataset_passes_everything():
    assert {status for status, _ in findings(spec()).values()} == {"passed"}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_dataset_fails_the_check_that_is_for_it_and_no_other(name):
    bad, check, words = BAD[name]
    found = findings(bad)
    broken = failed(found)
    assert check in broken, found
    if name not in {"overlapping", "listing"}:  # such parts or groups cannot be looked at in any other way
        assert broken == {check}, found
    assert words in found[check][1], found[check]


@pytest.mark.parametrize("requires", [(), ("noise",)])
def test_what_must_be_imported_is_required_and_the_rest_is_made_anew(requires, store):
    def load(store, settings):
        store.read("noise")
        return good()

    store.write("noise", {}, {})
    found = check_dataset(spec(load, requires=requires), store)
    failures = {finding.check: finding.remedy for finding in found if finding.status == "failed"}
    assert failures == ({} if requires else {"fingerprint": 'Name the imports that must be there: requires=("…",).'})
    assert store.has("noise")


def test_an_infinite_coordinate_is_no_number_and_no_gap():
    assert "infinite" in findings(spec(loading(points=changed_points(infinite))))["masks"][1]


def test_near_duplicates_and_clips_count_as_groups():
    pairs = np.array([[0, COUNT - 1]])

    def ends(samples, name, fold):
        index = np.arange(len(samples))
        return Split(name, 1, index[:50], index[50:60], index[60:])

    found = findings(spec(loading(duplicates=pairs), split=ends))
    assert failed(found) == {"groups"}
    assert "1 near duplicates on both sides" in found["groups"][1]
    clips = spec(loading(clip=("one",) * COUNT), split=ends)
    assert "1 clips on both sides" in findings(clips)["groups"][1]


def test_a_leak_that_is_stated_is_no_fault():
    found = findings(spec(split=halves, splits=(SplitSpec("halves", "every other", leaky=True),)))
    assert failed(found) == set()
    assert "Stated as leaky: halves" in found["groups"][1]


def test_data_that_is_not_here_is_skipped_with_the_way_to_get_it():
    def load(store, settings):
        raise DataMissingError("not there")

    found = findings(spec(load, ways="Write to its authors."))
    assert {check for check, (status, _) in found.items() if status == "passed"} == {"declared"}
    assert "Write to its authors." in found["loads"][1]
    assert "Write to its authors." in found["groups"][1]


def test_loading_leaves_the_random_streams_as_they_were():
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    findings(spec())
    assert np.array_equal(before, np.random.get_state()[1])


def scheme(**changes) -> Scheme:
    parts = {"points": ("a", "b", "c"), "flip_pairs": ((0, 1),), "regions": {"ears": (0, 1), "nose": (2,)},
             "normalisers": {"inter_ocular": ((0,), (1,))}}  # fmt: skip
    return Scheme("three", "three points", **{**parts, **changes})


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (scheme(points=("a", "a", "c")), "each its own"),
        (scheme(flip_pairs=((0, 3),)), "beyond the 3"),
        (scheme(flip_pairs=((0, 1), (1, 2))), "do not come back"),
        (scheme(flip_pairs=((0, 1), (1, 0))), "do not come back"),
        (scheme(regions={"ears": (0, 1)}), "exactly once"),
        (scheme(regions={"ear": (0,), "rest": (1, 2)}), "is no region"),
        (scheme(normalisers={"inter_ocular": ((0,), (3,))}), "normaliser"),
    ],
)
def test_faults_of_a_scheme(bad, words):
    fault = scheme_fault(bad)
    assert fault is not None
    assert words in " ".join(fault)


def test_good_schemes_have_no_fault():
    assert [scheme_fault(one) for one in (FACE15, FACE68, scheme(), scheme(regions={}))] == [None] * 4
