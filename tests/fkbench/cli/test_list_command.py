"""`fkbench list` in words: what stands in it is tested where it is declared."""

from __future__ import annotations

from fkbench.cli.list import SUBJECTS
from fkbench.cli.main import main


def test_kinds_are_parted_by_one_empty_line_and_nothing_else(capsys):
    assert main(["list"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [block.partition("\n")[0] for block in blocks if block.partition("\n")[0] in SUBJECTS] == [
        block.partition("\n")[0] for block in blocks
    ]
    assert blocks[-1].endswith("\n")
    assert main(["list", "models"]) == 0
    assert not capsys.readouterr().out.endswith("\n\n")
