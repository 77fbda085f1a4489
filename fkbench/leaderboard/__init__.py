"""Leaderboards: boards of comparable records, ranks that admit ties, tables that are the same bytes anywhere."""

from __future__ import annotations

from fkbench.leaderboard.boards import Board, BoardKey, boards_of, build
from fkbench.leaderboard.columns import page
from fkbench.leaderboard.entries import Entry, entries_of
from fkbench.leaderboard.frame import to_frame
from fkbench.leaderboard.output import write_boards
from fkbench.leaderboard.ranking import errors_beside
from fkbench.leaderboard.rows import Row
from fkbench.leaderboard.terminal import print_board
from fkbench.leaderboard.text import render_csv, render_index, render_json, render_markdown

__all__ = [
    "Board",
    "BoardKey",
    "Entry",
    "Row",
    "boards_of",
    "build",
    "entries_of",
    "errors_beside",
    "page",
    "print_board",
    "render_csv",
    "render_index",
    "render_json",
    "render_markdown",
    "to_frame",
    "write_boards",
]
