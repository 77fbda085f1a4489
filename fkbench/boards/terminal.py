"""A board in the terminal: as many columns as fit, reasons below the table, each with the rows that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fkbench.boards.boards import Board
from fkbench.boards.columns import OWN_LOSS, Column, columns_for, remarks
from fkbench.boards.numbers import NOTHING
from fkbench.boards.rows import Row
from fkbench.boards.speed_cells import footnotes
from fkbench.boards.text import LONGEST_REMARK, cut, visible
from fkbench.records.trust import FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from fkbench.boards.detections import SideBoard

_GAP = 2
_LONGEST = 32


def print_board(board: Board, console: Console) -> None:
    """Print the board with Rich."""
    from rich.table import Table
    from rich.text import Text

    columns = fitting(board.rows, console.width)
    images = f", {board.test_images} test images" if board.test_images is not None else ""
    console.print(Text(visible(board.title) + images, style="bold"))
    for note in board.notes:
        console.print(Text(visible(note), style="yellow"))
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="underline")
    for column in columns:
        table.add_column(Text(visible(column.title)), justify="left" if column.left else "right", no_wrap=True)
    for row in board.rows:
        table.add_row(*(Text(_text(column, row), style=_style(column, row)) for column in columns))
    console.print(table)
    for line in below(board, columns):
        console.print(Text(line, style="dim"))


def print_side(board: SideBoard, console: Console) -> None:
    """Print a board about detectors: the columns of which the first ones fit, then its legend."""
    from rich.table import Table
    from rich.text import Text

    widths = [
        max(len(title), *(len(_cut(row[place])) for row in board.rows)) + _GAP
        for place, (title, _) in enumerate(board.heads)
    ]
    fit = sum(sum(widths[: place + 1]) <= console.width + _GAP for place in range(len(widths)))
    shown = max(1, fit)
    console.print(Text(visible(board.title), style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="underline")
    for title, left in board.heads[:shown]:
        table.add_column(Text(title), justify="left" if left else "right", no_wrap=True)
    for row in board.rows:
        table.add_row(*(Text(_cut(cell)) for cell in row[:shown]))
    console.print(table)
    left_out = [title for title, _ in board.heads[shown:]]
    lines = [f"where there is room, or with --json or --out: {', '.join(left_out)}"] if left_out else []
    for line in [*lines, *board.legend]:
        console.print(Text(visible(line), style="dim"))


def fitting(rows: Sequence[Row], width: int) -> list[Column]:
    """The columns that have something to show and fit beside those of greater weight."""
    known = columns_for(rows)
    kept = [column for column in known if not column.weight]
    left = width + _GAP - sum(_width(column, rows) for column in kept)
    for column in sorted((c for c in known if c.weight), key=lambda c: -c.weight):
        if _width(column, rows) <= left and any(not column.cell(row).startswith(NOTHING) for row in rows):
            kept.append(column)
            left -= _width(column, rows)
    return [column for column in known if column in kept]


def _width(column: Column, rows: Sequence[Row]) -> int:
    return max([len(column.title), *(len(_text(column, row)) for row in rows)]) + _GAP


def below(board: Board, columns: Sequence[Column]) -> list[str]:
    """The lines below the table."""
    about: dict[str, list[str]] = {}
    for row in board.rows:
        for remark in remarks(row):
            about.setdefault(cut(visible(remark), LONGEST_REMARK), []).append(visible(row.label))
    everyone = len(board.rows)
    lines = [f"{'all' if len(who) == everyone > 1 else ', '.join(who)}: {remark}" for remark, who in about.items()]
    titles = {column.title for column in columns}
    if "× baseline" in titles:
        lines.append(f"× baseline: rmse over that of {visible(board.reference)}, the strongest baseline here")
    if "own loss" in titles:
        lines.append(OWN_LOSS)
    if board.speed_device:
        lines.append(f"speed on {visible(board.speed_conditions)} under timing contract v{board.speed_version}")
    return lines + [visible(note) for note in footnotes(board.rows)]


def _text(column: Column, row: Row) -> str:
    return _cut(column.cell(row))


def _cut(text: str) -> str:
    """A cell by anyone, short enough that one does not take the screen."""
    return cut(visible(text), _LONGEST)


def _style(column: Column, row: Row) -> str:
    if column.title == "rank" and row.rank == 1:
        return "bold green"
    if row.rmse is None or row.trust == FAILED:
        return "red"
    if row.role == "baseline":
        return "cyan"
    return "bold" if column.title in {"model", "rmse px"} else ""
