"""Parts of pages by themselves: text and data that are escaped, the number of a cell, the command of a row."""

from __future__ import annotations

import json

import pytest

from fkbench.site.command import run_command
from fkbench.site.escaping import script_json, shown
from fkbench.site.tables import sort_value


def test_json_in_a_script_cannot_close_it():
    value = {"</script>": "<!--<script>\u2028&"}
    text = script_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_text_is_cut_before_it_is_escaped():
    assert shown("&" * 500, 3) == "&amp;&amp;…"


@pytest.mark.parametrize(
    ("text", "value"),
    [("2=", "2"), ("8.62 M", "8620000"), ("~12.5", "12.5"), ("–", ""), ("1.1 – 2.2", "1.1"), ("3 §", "3"),
     ("– ‡", ""), ("-0.5", "-0.5"), ("2/3", "2")],
)  # fmt: skip
def test_cells_are_sorted_by_their_number(text, value):
    assert sort_value(text) == value


def test_the_command_is_quoted_for_a_shell_and_says_settings_that_are_not_default(runs):
    settings = {"count": 500, "seed": 0}
    record = runs.add("net; rm -rf ~", 1.0, dataset__settings=settings, protocol__overrides={"model.head": "$(x)"})
    command = run_command([record], {"seed": 0})
    assert "--model 'net; rm -rf ~'" in command
    assert "--set dataset.count=500" in command
    assert "--set 'model.head=$(x)'" in command
    assert "dataset.seed" not in command
