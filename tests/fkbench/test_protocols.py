"""docs/protocols.md says of `uniform` and `smoke` what fkbench does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from fkbench.protocols import PROTOCOLS
from fkbench.recipes import Recipe

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocols.md").read_text(encoding="utf-8")
COLUMNS = {"uniform": 0, "smoke": 1}


def settings(page, prefix=""):
    """Names as `--set` has them, without `protocol.`."""
    found = {}
    for name, value in page.items():
        found |= settings(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": str(value)}
    return found


DEFAULT = settings(asdict(Recipe()))


def documented(protocol):
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    return {name: cells[COLUMNS[protocol]].strip() for name, *cells in rows}


@pytest.mark.parametrize("protocol", COLUMNS)
def test_every_setting_of_the_recipe_stands_in_the_table(protocol):
    own = settings(asdict(PROTOCOLS[protocol].recipe))
    table = documented(protocol)
    changed = {name: value for name, value in own.items() if value != DEFAULT[name]}
    assert changed.items() <= table.items()
    assert table == own, "the table has settings or values that the recipe has not, or lacks some left at the default"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_page_has_each_protocol_under_its_version(protocol):
    version = PROTOCOLS[protocol].version
    assert re.search(rf"`{protocol}` v{version}\b", PAGE)
