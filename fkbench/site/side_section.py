"""Boards about detectors on the page: a table each, below those of models."""

from __future__ import annotations

from fkbench.boards.detections import SideBoard
from fkbench.site.escaping import isolated, shown
from fkbench.site.tables import sort_value

LONGEST_CELL = 120


def side_section(board: SideBoard) -> str:
    """A board about detectors as a section of the page; its id is the board's slug."""
    links = " · ".join(f'<a href="{shown(board.slug)}.{end}">{end.upper()}</a>' for end in sorted(board.files))
    heads = "".join(
        f'<th scope="col"{_left(left)}><button type="button">{shown(title)}</button></th>'
        for title, left in board.heads
    )
    lefts = [left for _, left in board.heads]
    rows = "\n".join(f"<tr>{''.join(map(_cell, row, lefts))}</tr>" for row in board.rows)
    name = shown(board.slug)
    return (
        f'<section class="side" id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{isolated(board.title)}</h2>\n<p>The same as {links}.</p>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table: {shown(board.title)}">'
        f'<table class="sortable asc n-last"><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>\n'
        + "\n".join(f'<p class="legend">{isolated(line, 1000)}</p>' for line in board.legend)
        + "\n</section>"
    )


def _cell(text: str, left: bool) -> str:
    if left:
        return f'<td class="left">{isolated(text, LONGEST_CELL)}</td>'
    return f'<td data-sort="{sort_value(text)}">{shown(text, LONGEST_CELL)}</td>'


def _left(left: bool) -> str:
    return ' class="left"' if left else ""
