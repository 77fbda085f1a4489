"""The modules of recipes and specs: one class each, and attributes documented as they are."""

from __future__ import annotations

import dataclasses
import re

import pytest

from fkbench import recipes, specs


@pytest.mark.parametrize("name", ["Augmentation", "CodecSpec", "Protocol", "Recipe"])
def test_specs_give_the_same_classes_as_recipes(name):
    assert getattr(specs, name) is getattr(recipes, name)
    assert name in specs.__all__


@pytest.mark.parametrize(
    "kind", [getattr(specs, name) for name in specs.__all__ if dataclasses.is_dataclass(getattr(specs, name))]
)
def test_every_documented_attribute_exists(kind):
    listed = (kind.__doc__ or "").partition("Attributes:")[2]
    documented = set(re.findall(r"^ {8}(\w+):", listed, re.MULTILINE))
    assert documented <= {field.name for field in dataclasses.fields(kind)}
