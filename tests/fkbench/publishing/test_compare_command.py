"""`fkbench compare`: its tables on a narrow terminal, its JSON, and where it draws curves."""

from __future__ import annotations

import json

import pytest

from fkbench.cli.compare import _table
from fkbench.cli.main import main
from fkbench.cli.session import console
from fkbench.publishing.comparison import Delta
from fkbench.records import rounded


def test_a_comparison_of_large_numbers_fits_80_columns_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    large = Delta("infer_images_per_s_of_long_name", 12345.6, 234567.0, -98765.4, 321321.0, 0.00012)
    small = Delta("mae", 1.0, 1.000123, -0.000456, 0.000789, 1e-9)
    _table(console(), "metric", [large, small])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    words = text.split()
    for cell in ("12346", "234567", "+222221", "+1800.0", "-98765", "+321321", "0.00012", "<.0001", "p"):
        assert cell in words, cell
    # One number of digits in a line: four figures, or what the interval needs.
    assert " ".join(text.splitlines()[-1].split()) == "mae 1.0000 1.0001 +0.0001 +0.01 -0.0005 to +0.0008 <.0001"


@pytest.mark.parametrize(
    ("delta", "line"),
    [
        (Delta("rmse", 2.051, 2.0508, -0.1, 0.09, 0.5), "2.051 2.051 -0.000 -0.01 -0.100 to +0.090 0.5"),
        # An end that is near 0 keeps its sign and a figure: it says whether the difference could be chance.
        (Delta("rmse", 2.051, 2.026, -0.0496, -0.0004, 0.046), "2.0510 2.0260 -0.0250 -1.2 -0.0496 to -0.0004 0.046"),
        (Delta("rmse", 11.54, 11.39, -0.3, -0.004, 0.04), "11.540 11.390 -0.150 -1.3 -0.300 to -0.004 0.04"),
        (Delta("odd", 3e9, 3.1e9), "3e+09 3.1e+09 +1e+08 +3.3 – –"),
        (Delta("odd", 5e-7, 4e-7), "5e-07 4e-07 -1e-07 -20.0 – –"),
        (Delta("odd", 0.0, 0.0), "0 0 +0 – – –"),
    ],
)
def test_numbers_of_a_line_have_one_number_of_digits(capsys, delta, line):
    _table(console(), "metric", [delta])
    assert capsys.readouterr().out.splitlines()[-1].split()[1:] == line.split()


def test_tables_of_points_say_that_p_is_adjusted_and_intervals_are_not(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _table(console(), "rmse of a point, px", [Delta("jaw_12", 5.7, 5.5, -0.3, -0.03, 0.55)], family=True)
    head, _, line = capsys.readouterr().out.partition("jaw_12")
    assert "one by one" in head
    assert "adjusted" in head
    assert "0.55" in line
    _table(console(), "metric", [Delta("rmse", 5.7, 5.5, -0.3, -0.03, 0.02)])
    assert "adjusted" not in capsys.readouterr().out


def test_numbers_of_a_short_session_are_marked_and_only_they(call, put):
    put("one", 1.0, timing={"version": 1, "train_s": 3.0, "infer_images_per_s": 900.0, "quick": True})
    put("two", 2.0)
    out = call("compare", "one@faces", "two@faces")[1]
    [speed] = [line.split() for line in out.splitlines() if line.startswith("infer_images_per_s")]
    assert speed[:5] == ["infer_images_per_s", "~900.0", "900.0", "~+0.0", "+0.0"]
    [training] = [line for line in out.splitlines() if line.startswith("train_s")]
    assert "~" not in training
    assert "~ from a short session" in out
    put("three", 3.0)
    assert "~" not in call("compare", "three@faces", "two@faces")[1]


def test_seconds_of_a_training_beside_other_work_are_marked_as_a_bound_without_a_difference(call, put):
    put("one", 1.0, timing={"version": 1, "train_s": 3.0, "infer_images_per_s": 900.0, "void": True})
    put("two", 2.0)
    out = call("compare", "one@faces", "two@faces")[1]
    [training] = [line.split() for line in out.splitlines() if line.startswith("train_s")]
    assert training[:2] == ["train_s", "≤3.000"]
    assert training[3:5] == ["–", "–"]
    assert "Speeds of training are not comparable: one" in out


def test_json_has_six_digits_as_everywhere(call, put):
    put("one", 1.0)
    put("two", 2.0)
    page = json.loads(call("compare", "one@faces", "two@faces", "--fail-on", "rmse>+2%", "--json")[1])
    assert page == rounded(page)
    assert page["rmse"]["p"] > 0
    assert len(page["points"][0]["ci"]) == 2


@pytest.mark.parametrize(
    ("file", "message"),
    [("x.jpg", "Use one of .png, .svg, .pdf."), ("no/such/x.png", "'no/such/x.png' is no place for a file")],
)
def test_curves_are_refused_where_they_could_not_be_drawn(put, store, tmp_path, monkeypatch, capsys, file, message):
    put("one", 1.0)
    put("two", 2.0)
    monkeypatch.chdir(tmp_path)
    assert main(["--runs", str(store.root), "compare", "one@faces", "two@faces", "--curves", file]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert not (tmp_path / file).parent.joinpath("x.jpg").exists()
    assert not (tmp_path / "no").exists()
