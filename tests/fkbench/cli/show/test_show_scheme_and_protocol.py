"""`fkbench show` of landmark schemes and protocols."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from fkbench.cli.show_protocol import documented, protocol_rows
from fkbench.cli.show_scheme import text_picture
from fkbench.errors import FkbenchError
from fkbench.protocols import PROTOCOLS
from fkbench.schemes import FACE15, FACE68
from fkbench.specs import (
    Recipe,
)


@pytest.mark.parametrize("scheme", [FACE15, FACE68], ids=["face15", "face68"])
def test_scheme(call, answer, tmp_path, scheme):
    found = answer(call(scheme.name, "--json"))
    assert len(found["points"]) == len(scheme.points) == len(found["layout"])
    assert found["flip_pairs"] == [list(pair) for pair in scheme.flip_pairs]
    assert set(found["normalisers"]) == set(scheme.normalisers)
    shown = call(scheme.name, "--picture", tmp_path / "scheme.svg").stdout
    assert (tmp_path / "scheme.svg").stat().st_size > 5000
    for region in scheme.regions:
        assert region in shown


@pytest.mark.parametrize("scheme", [FACE15, FACE68], ids=["face15", "face68"])
def test_text_picture_has_every_number_once_about_where_it_belongs(scheme):
    import re

    lines = [re.sub(r"\[/?\w*\]", "", line) for line in text_picture(scheme).splitlines()]
    places = {int(m.group()): (m.start(), row) for row, line in enumerate(lines) for m in re.finditer(r"\d+", line)}
    assert sorted(places) == list(range(len(scheme.points)))
    assert max(map(len, lines)) <= 80
    for (left, top), (x, y) in zip((places[i] for i in sorted(places)), scheme.layout, strict=True):
        assert abs(left - 76 * x) < 6
        assert abs(top - 40 * y) < 12


def test_protocol_lists_every_setting_with_default_and_help(call, answer):
    found = answer(call("uniform", "--json"))
    rows = {row["name"]: row for row in found["settings"]}
    recipe = PROTOCOLS["uniform"].recipe
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        if is_dataclass(value):
            for inner in fields(value):
                assert rows[f"{field.name}.{inner.name}"]["default"] == getattr(value, inner.name)
        elif isinstance(value, dict):
            assert rows[f"{field.name}.cpu"]["default"] == value["cpu"]
        else:
            assert rows[field.name]["default"] == (list(value) if isinstance(value, tuple) else value)
    assert [name for name, row in rows.items() if not row["help"]] == []
    assert rows["codec.loss"]["choices"] == ["smooth_l1", "mse", "root_mse"]
    assert rows["precision.cuda"]["choices"] == ["fp32", "bf16"]
    assert "protocol.augmentation.rotation" in call("uniform").stdout


def test_protocol_with_recipes_of_models(call, answer):
    found = answer(call("article", "--json"))
    assert found["models"] == ["tiny"]
    assert {row["default"] for row in found["settings"]} == {None}
    rows = {row["name"]: row["default"] for row in answer(call("article", "--model", "tiny", "--json"))["settings"]}
    assert (rows["lr"], rows["epochs"]) == (0.25, 3)
    with pytest.raises(FkbenchError, match="no recipe 'article'"):
        call("article", "--model", "lookup")


def test_help_comes_from_the_docstrings():
    assert documented(Recipe)["selection"] == "best weights by validation rmse, or the last"
    assert {row["name"] for row in protocol_rows(Recipe())} >= {"lr", "augmentation.flip", "codec.loss"}
