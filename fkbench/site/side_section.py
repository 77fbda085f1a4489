"""Boards about detectors on the page: a table each, below those of models."""

from __future__ import annotations

from fkbench.boards.detections import SideBoard
from fkbench.site.escaping import isolated, shown
from fkbench.site.tables import MORE_COLUMNS, class_of, sort_value

LONGEST_CELL = 120
MINOR_TITLES = {
    "trained on", "box jitter", "95 % CI", "missed", "settings", "recall, raw", "noise x", "noise y", "noise side",
    "rotated", "small", "dark", "blurred", "several", "ms p90",
}  # fmt: skip
"""Columns that are left out on narrow screens until they are asked for: the score of each row comes into view."""


def side_section(board: SideBoard) -> str:
    """A board about detectors as a section of the page; its id is the board's slug."""
    links = " · ".join(f'<a href="{shown(board.slug)}.{end}">{end.upper()}</a>' for end in sorted(board.files))
    # What a row is about stands first, and stays in place when the table is moved aside.
    minor = [i > 0 and title in MINOR_TITLES for i, (title, _) in enumerate(board.heads)]
    kinds = [class_of(left=left, minor=minor[i], pinned=i == 0) for i, (_, left) in enumerate(board.heads)]
    heads = "".join(
        f'<th scope="col"{kind}><button type="button">{shown(title)}</button></th>'
        for (title, _), kind in zip(board.heads, kinds, strict=True)
    )
    lefts = [left for _, left in board.heads]
    rows = "\n".join(f"<tr>{''.join(map(_cell, range(len(row)), row, lefts, kinds))}</tr>" for row in board.rows)
    name = shown(board.slug)
    more = f'<p class="tools narrow" hidden>{MORE_COLUMNS}</p>\n' if any(minor) else ""
    return (
        f'<section class="side" id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{isolated(board.title)}</h2>\n<p>This table as {links}.</p>\n{more}'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table: {shown(board.title)}">'
        f'<table class="sortable asc n-last"><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>\n'
        + "\n".join(f'<p class="legend">{isolated(line, 1000)}</p>' for line in board.legend)
        + "\n</section>"
    )


def _cell(place: int, text: str, left: bool, kind: str) -> str:
    if not place:
        return f'<th scope="row"{kind}>{isolated(text, LONGEST_CELL)}</th>'
    if left:
        return f"<td{kind}>{isolated(text, LONGEST_CELL)}</td>"
    value, bracket, interval = shown(text, LONGEST_CELL).partition(" (")
    beside = f" <span>({interval}</span>" if bracket else ""  # below the value where a screen is narrow
    return f'<td{kind} data-sort="{sort_value(text)}">{value}{beside}</td>'
