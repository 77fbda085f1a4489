"""Numbers with their nouns."""

from __future__ import annotations

from fkbench.words import counted, plural


def test_one_is_one_and_all_other_numbers_are_many():
    assert [counted(number, "run") for number in (0, 1, 2, 21)] == ["0 runs", "1 run", "2 runs", "21 runs"]
    assert [plural(number, "package") for number in (0, 1, 2)] == ["packages", "package", "packages"]
