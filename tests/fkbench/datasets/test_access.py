"""Opening datasets: settings, data that is not there, loaders that break their promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkbench.datasets.access import open_samples, resolve_settings
from fkbench.datasets.progress import listener
from fkbench.datasets.samples import Frames, Samples
from fkbench.errors import DataMissingError, FkbenchError, UnknownNameError
from fkbench.registry import Registry
from fkbench.specs import DatasetSpec, Plugin, Setting

SETTINGS = {
    "count": Setting(10, "how many"),
    "ratio": Setting(0.5, "share"),
    "mirror": Setting(False, "both ways"),
    "side": Setting(96, "px", limits=(32, 1024)),
    "style": Setting("plain", "look", choices=("plain", "fancy")),
}


def faces(count: int = 4) -> Samples:
    ids = tuple(str(i) for i in range(count))
    return Samples(ids, Frames.stack(np.zeros((count, 8, 8), np.uint8)), np.zeros((count, 15, 2), np.float32), ids, "x")


def spec_of(load, **more) -> DatasetSpec:
    return DatasetSpec(name="faces", scheme="face15", load=load, ways="Ask at the desk.", **more)


def test_settings_reach_the_loader_in_the_type_of_their_default(store):
    seen = {}

    def load(given_store, settings):
        assert given_store is store
        seen.update(settings)
        return faces()

    open_samples(spec_of(load, settings=SETTINGS), store, {"count": "25", "mirror": "yes", "style": "fancy"})
    assert seen == {"count": 25, "ratio": 0.5, "mirror": True, "side": 96, "style": "fancy"}
    assert isinstance(seen["count"], int)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("count", 7, 7), ("count", "-3", -3), ("count", 7.0, 7), ("ratio", "1e-3", 1e-3), ("ratio", 2, 2.0),
        ("mirror", "OFF", False), ("mirror", True, True), ("mirror", 1, True), ("style", "fancy", "fancy"),
        ("side", 32, 32), ("side", "1024", 1024),
    ],
)  # fmt: skip
def test_values_that_fit(name, given, wanted):
    found = resolve_settings("dataset", SETTINGS, {name: given})[name]
    assert found == wanted
    assert type(found) is type(SETTINGS[name].default)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("count", "many", "needs a whole number, not 'many'"), ("count", "2.5", "whole number"),
        ("count", 2.5, "whole number"), ("count", True, "whole number"), ("count", None, "whole number"),
        ("ratio", "half", "needs a number"), ("mirror", "perhaps", "needs true or false"), ("style", 3, "value of"),
        ("side", -3, "'side' is -3, which is not between 32 and 1024"), ("side", 1025, "between"),
    ],
)  # fmt: skip
def test_values_that_do_not(name, given, words):
    with pytest.raises(FkbenchError, match=words):
        resolve_settings("dataset", SETTINGS, {name: given})


def test_unknown_settings_and_choices_name_the_nearest(store):
    with pytest.raises(UnknownNameError) as caught:
        resolve_settings("dataset", SETTINGS, {"cuont": 1})
    assert "count" in caught.value.remedy
    with pytest.raises(UnknownNameError) as caught:
        resolve_settings("dataset", SETTINGS, {"style": "fency"})
    assert "fancy" in caught.value.remedy
    with pytest.raises(UnknownNameError) as caught:
        resolve_settings("model", {}, {"foo": "3"})
    assert caught.value.remedy == "This model has no settings."


def test_data_that_is_not_there_says_how_to_get_it_and_what_needs_none(store):
    embedded = DatasetSpec(name="drawn", scheme="face15", load=lambda *_: None, embedded=True)
    others = [replace(embedded, name="drawn68", scheme="face68"), replace(embedded, name="elsewhere", embedded=False)]
    registry = Registry()
    registry.add([embedded, *others], Plugin("test"))
    with pytest.raises(DataMissingError) as caught:
        open_samples(spec_of(lambda *_: faces(), requires=("pack",)), store, registry=registry)
    assert "'faces' is not on this machine" in caught.value.message
    assert str(store.root) in caught.value.message
    assert caught.value.remedy == "Ask at the desk. Rendered by this program, without any download: drawn."


def test_a_loader_may_find_out_by_itself(store):
    def load(given_store, settings):
        return given_store.read("nothing")

    with pytest.raises(DataMissingError, match="'faces' is not on this machine") as caught:
        open_samples(spec_of(load), store)
    assert caught.value.remedy == "Ask at the desk."


def test_the_loader_reports_its_progress(store):
    seen = []

    def load(given_store, settings):
        listener()("drawing", 1, 2)
        return faces()

    open_samples(spec_of(load), store, None, lambda *report: seen.append(report))
    listener()("nobody", 1, 2)
    assert seen == [("drawing", 1, 2)]


@pytest.mark.parametrize(
    "broken",
    [
        {"points": np.zeros((4, 68, 2), np.float32)},
        {"points": np.zeros((3, 15, 2), np.float32)},
        {"group": ("a",)},
        {"ids": ("0", "1", "2", "2")},
        {"frames": Frames.stack(np.zeros((5, 8, 8), np.uint8))},
        {"factors": {"yaw": np.zeros(3)}},
        {"convention": ("full",) * 5},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_loaders_that_break_their_promises_are_named(store, broken):
    with pytest.raises(FkbenchError, match="The dataset plugin 'faces' gave"):
        open_samples(spec_of(lambda *_: replace(faces(), **broken)), store)
