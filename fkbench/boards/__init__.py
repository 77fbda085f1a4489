"""Leaderboards: boards of comparable records, ranks that admit ties, tables that are the same bytes anywhere."""

from __future__ import annotations

from fkbench.boards.boards import Board, BoardKey, boards_of, build
from fkbench.boards.columns import page
from fkbench.boards.entries import Entry, entries_of
from fkbench.boards.frame import to_frame
from fkbench.boards.latex import render_latex
from fkbench.boards.output import write_boards
from fkbench.boards.ranking import errors_beside
from fkbench.boards.rows import Row
from fkbench.boards.terminal import print_board
from fkbench.boards.text import render_csv, render_index, render_json, render_markdown
from fkbench.boards.trust import Trust, trust_beside

__all__ = [
    "Board",
    "BoardKey",
    "Entry",
    "Row",
    "Trust",
    "boards_of",
    "build",
    "entries_of",
    "errors_beside",
    "page",
    "print_board",
    "render_csv",
    "render_index",
    "render_json",
    "render_latex",
    "render_markdown",
    "to_frame",
    "trust_beside",
    "write_boards",
]
