"""Leaderboards: boards of comparable records, ranks that admit ties, tables that are the same bytes anywhere."""

from __future__ import annotations

from fkbench.boards.boards import Board, Group, build, groups_of, of_dataset, wanted_records
from fkbench.boards.columns import page
from fkbench.boards.entries import Entry, entries_of
from fkbench.boards.frame import to_frame
from fkbench.boards.keys import BoardKey
from fkbench.boards.latex import render_latex
from fkbench.boards.output import write_board, write_boards, write_index
from fkbench.boards.ranking import errors_beside
from fkbench.boards.rows import Row
from fkbench.boards.terminal import print_board
from fkbench.boards.text import render_csv, render_index, render_json, render_markdown
from fkbench.boards.trust import Trust, trust_beside

__all__ = [
    "Board",
    "BoardKey",
    "Entry",
    "Group",
    "Row",
    "Trust",
    "build",
    "entries_of",
    "errors_beside",
    "groups_of",
    "of_dataset",
    "page",
    "print_board",
    "render_csv",
    "render_index",
    "render_json",
    "render_latex",
    "render_markdown",
    "to_frame",
    "trust_beside",
    "wanted_records",
    "write_board",
    "write_boards",
    "write_index",
]
