"""`fkbench compare`: its tables on a narrow terminal, and where it draws curves."""

from __future__ import annotations

import pytest

from fkbench.cli.compare import _table
from fkbench.cli.main import main
from fkbench.cli.session import console
from fkbench.publishing.comparison import Delta


def test_a_comparison_of_large_numbers_fits_80_columns_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    large = Delta("infer_images_per_s_of_long_name", 12345.6, 234567.0, -98765.4, 321321.0, 0.00012)
    small = Delta("mae", 1.0, 1.000123, -0.000456, 0.000789, 1e-9)
    _table(console(), "metric", [large, small])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    words = text.split()
    for cell in ("1.235e+04", "+1.8e+03", "-9.88e+04", "+3.21e+05", "0.00012", "+0.0123", "-0.000456", "<.0001", "p"):
        assert cell in words, cell


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
