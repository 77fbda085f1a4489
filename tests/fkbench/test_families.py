"""Families of models: `family:rest` names, and settings that change what a net sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.registry import Registry
from fkbench.runner.plan import find_model
from fkbench.specs import ModelSpec, Plugin, Setting

NAMES = ("small", "large")


def member(family, rest):
    if rest not in NAMES:
        raise UnknownNameError("paper model", rest, NAMES)
    return replace(family, name=f"{family.name}:{rest}", summary=f"the {rest} one", member=None)


SIZED = {
    "input_channels": Setting(1, "channels", choices=(1, 3)),
    "input_size": Setting(96, "side"),
    "start": Setting("here", "where weights come from", fresh=True),
    "head": Setting("flat", "the last layer"),
}
FAMILY = ModelSpec(
    name="paper", build="none:none", member=member, members=lambda: NAMES, examples=("small",), settings=SIZED
)


@pytest.fixture
def registry():
    found = Registry()
    found.add([FAMILY, ModelSpec(name="alone", build="none:none")], Plugin("some package", "1.0"))
    return found


def test_a_member_is_found_by_its_name_and_comes_from_the_familys_plugin(registry):
    found = registry.get(ModelSpec, "paper:large")
    assert (found.name, found.summary, found.member) == ("paper:large", "the large one", None)
    assert str(found.plugin) == "some package 1.0"
    assert [spec.name for spec in registry.all(ModelSpec)] == ["alone", "paper"]


def test_unknown_members_and_families_are_named_with_near_ones(registry):
    with pytest.raises(UnknownNameError, match=r"Unknown paper model 'smal'.*Did you mean small\?"):
        registry.get(ModelSpec, "paper:smal")
    with pytest.raises(UnknownNameError, match=r"Unknown model 'papr:small'.*Did you mean paper:small"):
        registry.get(ModelSpec, "papr:small")
    with pytest.raises(UnknownNameError, match=r"Unknown model 'alone:x'"):
        registry.get(ModelSpec, "alone:x")


def test_a_family_by_itself_is_not_run_and_its_examples_stand_for_it(registry):
    with pytest.raises(FkbenchError, match=r"'paper' is a family of models.*paper:small"):
        find_model(registry, "paper")
    assert find_model(registry, "paper:small").name == "paper:small"
    assert [spec.name for spec in registry.buildable()] == ["alone", "paper:small"]


def test_a_family_without_its_package_is_said_in_one_line_and_stands_for_itself():
    registry = Registry()
    registry.add([replace(FAMILY, needs=("no_such_package",))], Plugin("some package"))
    assert [spec.name for spec in registry.buildable()] == ["paper"]
    for name in ("paper", "paper:small"):
        with pytest.raises(FkbenchError, match=rf"'{name}' cannot be used here: needs the package no_such_package"):
            find_model(registry, name)


def test_settings_of_the_input_change_it_and_are_no_keywords():
    settings = {"input_channels": 3, "input_size": 64, "start": "there", "head": "deep"}
    assert FAMILY.input == (1, 96)
    assert FAMILY.sized(settings).input == (3, 64)
    assert FAMILY.sized({"head": "deep"}).input == (1, 96)
    assert FAMILY.keywords(settings) == {"start": "there", "head": "deep"}
    assert FAMILY.keywords(settings, fresh=False) == {"start": "here", "head": "deep"}
    with pytest.raises(FkbenchError, match=r"'paper' cannot see pictures of 1×0×0"):
        FAMILY.sized({"input_size": 0})
