"""What a record says of its data, held to the dataset at hand."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.datasets.access import open_samples
from fkbench.datasets.leaks import leak_numbers
from fkbench.datasets.samples import Frames, Official, Samples
from fkbench.datasets.splits import from_masks, get_split
from fkbench.datasets.store import Store
from fkbench.publishing.labels import labels_of
from fkbench.records.plain import plain
from fkbench.registry import Registry, load_registry
from fkbench.specs import DatasetSpec, Plugin, SplitSpec

PICTURES = 40


def load(store, settings):
    rng = np.random.default_rng(0)
    return Samples(
        ids=tuple(f"face{i}" for i in range(PICTURES)),
        frames=Frames.stack(rng.integers(0, 255, (PICTURES, 96, 96), np.uint8)),
        points=rng.uniform(2, 90, (PICTURES, 15, 2)).astype(np.float32),
        group=tuple(f"person{i // 2}" for i in range(PICTURES)),
        fingerprint="sha256:abc", official=Official(True, False),
    )  # fmt: skip


def parted(samples, name, fold):
    """`identity` keeps the two pictures of a person together, `random` parts every person."""
    place = np.arange(PICTURES) // 2 % 4 if name == "identity" else np.arange(PICTURES) % 4
    return from_masks(name, place < 2, place == 2, place == 3)


@pytest.fixture
def stated(tmp_path, put):
    """Labels for a record on a split, and what they deny of it; `{}`: it states the leak report as it is."""
    registry = Registry()
    splits = (SplitSpec("identity", "by person"), SplitSpec("random", "by picture", leaky=True))
    spec = DatasetSpec(name="people", scheme="face15", load=load, split=parted, splits=splits)
    registry.add((spec,), Plugin("test", "1.0"))
    data = Store(tmp_path / "data")
    samples = open_samples(spec, data, {}, registry=registry)

    def denied(name, leaks, **changes):
        split = get_split(spec, samples, name)
        record = put(
            "net", dataset__name="people", dataset__fingerprint=samples.fingerprint, dataset__counts=split.counts,
            dataset__split=name, dataset__split_version=split.version,
            dataset__official={"labels": True, "pixels": False},
            dataset__leaks={**plain(leak_numbers(samples, split)), **leaks}, **changes,
        )  # fmt: skip
        return labels_of(record, registry, data).denied(record)

    return denied


def test_a_leaky_split_with_its_own_leak_report_is_believed(stated):
    assert stated("random", {}, flags=["leaky"]) == []
    assert stated("identity", {}) == []


def test_a_leaky_split_that_is_told_as_honest_is_denied(stated):
    none = {"total": 20, "both_sides": 0, "test_samples": 0, "test_share": 0.0}
    assert stated("random", {}) == ["flag leaky: the record has false, the dataset here true"]
    [line] = stated("random", {"groups": none}, flags=["leaky"])
    assert line.startswith("leaks: ")
    assert stated("identity", {}, flags=["leaky"]) == ["flag leaky: the record has true, the dataset here false"]


def test_the_facts_are_those_of_the_dataset_and_its_split(tmp_path, put):
    registry = load_registry()
    spec = registry.get(DatasetSpec, "synthetic15")
    settings = {"count": 40, "seed": 0, "size": 32}
    data = Store(tmp_path / "data")
    samples = open_samples(spec, data, settings, registry=registry)
    record = put(
        "net", dataset__name="synthetic15", dataset__settings=settings, dataset__split="index",
        dataset__fingerprint=samples.fingerprint,
    )  # fmt: skip
    found = labels_of(record, registry, data)
    assert found.facts["official"] == {"labels": True, "pixels": True}
    assert found.facts["counts"] == get_split(spec, samples, "index").counts
    assert found.facts["leaky"] is False
