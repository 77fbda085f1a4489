"""Parts of pages by themselves: text and data that are escaped, the number of a cell, the command of a row."""

from __future__ import annotations

import json
import re

import pytest

from fkbench.boards import build, by_box
from fkbench.boards.columns import COLUMNS, NATIVE
from fkbench.site.board_section import BASELINES
from fkbench.site.command import run_command
from fkbench.site.escaping import script_json, shown
from fkbench.site.glossary import MEANINGS
from fkbench.site.side_section import MINOR_TITLES
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
     ("– ‡", ""), ("-0.5", "-0.5"), ("2/3", "2"), ("≤ 6615.0", "6615"), ("≥ 60 ¶", "60")],
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


def test_every_column_is_explained(site):
    assert [title for title in (column.title for column in (*COLUMNS, NATIVE)) if title not in MEANINGS] == ["model"]
    assert "failure rate, images with an NME above 8 %" in (site / "index.html").read_text(encoding="utf-8")


def test_columns_of_less_weight_are_columns_of_side_tables():
    pages = pytest.importorskip("fkbench.detect.pages", reason="OpenCV is not installed")
    known = {*by_box.MARKDOWN, *(title for _, title in pages.MARKDOWN)}
    assert known >= MINOR_TITLES
    assert not {"rmse px", "box", "recall", "precision"} & MINOR_TITLES


def test_marks_at_speeds_are_explained_on_the_page_of_a_run(runs, tmp_path):
    for record in runs.add_seeds("net", 1.0):
        record.timing.__pydantic_extra__["latency_calls"] = 7
    runs.write(tmp_path / "out")
    (row,) = build(runs.records)[0].rows
    assert row.speed.calls == 7
    page = next(tmp_path.glob("out/pages/*/*.html")).read_text(encoding="utf-8")
    assert "§ fewer than" in page


def test_a_board_of_baselines_alone_draws_as_many_curves_as_beside_nets(runs, tmp_path):
    for i in range(BASELINES + 3):
        runs.add(f"base-{i}", 1.0 + i, model__role="baseline", model__deterministic=True)
    runs.write(tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'class="data">(.*?)</script>', page, re.S)[1])
    assert len(data["ced"]["curves"]) == BASELINES + 3
    assert data["ced"]["most"] == BASELINES
