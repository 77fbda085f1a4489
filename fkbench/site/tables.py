"""A board's table in HTML: it reads without a script; with one it is sorted and filtered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fkbench.boards import Board, Row
from fkbench.boards.columns import Column, columns_for, remarks
from fkbench.site.escaping import isolated, shown

MINOR = 45
"""Columns of less weight are left out on narrow screens until they are asked for."""
MORE_COLUMNS = '<button type="button" class="all-columns" aria-pressed="false">All columns</button>'
SHORT_REMARK, LONGEST_REMARK = 90, 4000
_NUMBER = re.compile(r"^[~≤≥]?\s*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*([kMG])?(?![A-Za-z])")
_UNITS = {"k": 1e3, "M": 1e6, "G": 1e9}


def sort_value(text: str) -> str:
    """What a numeric cell is sorted by: its first number; empty without one, which is sorted last."""
    found = _NUMBER.match(text)
    return f"{float(found[1]) * _UNITS.get(found[2] or '', 1.0):.9g}" if found else ""


def table(board: Board, pages: Mapping[int, str]) -> str:
    """The table.

    Args:
        board: its rows are in the order of the board.
        pages: place of a row → address of its own page.
    """
    columns = columns_for(board.rows)
    heads = "".join(_head(column) for column in columns)
    tools = "".join(_filter(i, column.title, column.weight) for i, column in enumerate(columns))
    rows = "\n".join(
        _row(row, f"{shown(board.slug)}-r{place}", columns, pages.get(place)) for place, row in enumerate(board.rows)
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table: {shown(board.title)}">'
        f'<table class="sortable asc n-last board" id="{shown(board.slug)}-table"><thead>\n<tr>{heads}</tr>\n'
        f'<tr class="filters" hidden>{tools}</tr>\n</thead><tbody>\n{rows}\n</tbody></table></div>'
    )


def _head(column: Column) -> str:
    # The heading of the models stays in place with them when the table is moved aside.
    kinds = class_of(minor=0 < column.weight < MINOR, left=column.left, pinned=column.title == "model")
    return f'<th scope="col"{kinds}><button type="button">{shown(column.title)}</button></th>'


def _filter(place: int, title: str, weight: int) -> str:
    minor = class_of(minor=0 < weight < MINOR)
    return f'<td{minor}><input type="text" data-column="{place}" aria-label="Filter {shown(title)}"></td>'


def class_of(**names: bool) -> str:
    """The attribute `class` of an element, with those names that hold; none of them: empty."""
    kept = " ".join(name for name, holds in names.items() if holds)
    return f' class="{kept}"' if kept else ""


def _row(row: Row, name: str, columns: Sequence[Column], page: str | None) -> str:
    cells = "".join(_cell(column, row, page) for column in columns)
    return f'<tr id="{name}"{class_of(unranked=row.rank is None, baseline=row.role == "baseline")}>{cells}</tr>'


def _cell(column: Column, row: Row, page: str | None) -> str:
    text = column.cell(row)
    if column.title == "model":
        return _name_cell(row, page)
    kinds = class_of(minor=0 < column.weight < MINOR, left=column.left)
    if column.left:
        return f"<td{kinds}>{isolated(text, 120)}</td>"
    value = sort_value(text)
    return f'<td{kinds} data-sort="{value}">{shown(text, 60)}</td>'


def _name_cell(row: Row, page: str | None) -> str:
    """The name, and below it why the row is not ranked and its marks: at the end of a wide table none would look."""
    name = isolated(row.label, 120)
    link = f'<a href="{shown(page)}">{name}</a>' if page else name
    badge = ' <span class="badge">baseline</span>' if row.role == "baseline" else ""
    remark = _remark("; ".join(remarks(row)), "" if row.rank is not None else "not ranked: ")
    return f'<th scope="row" class="left model" data-sort="{shown(row.label, 120)}">{link}{badge}{remark}</th>'


def _remark(text: str, before: str) -> str:
    if not text:
        return ""
    if len(text) <= SHORT_REMARK:
        return f'<small class="why">{before}{isolated(text)}</small>'
    short, whole = isolated(text, SHORT_REMARK), isolated(text, LONGEST_REMARK)
    return f'<details class="why"><summary>{before}{short}</summary>{whole}</details>'
