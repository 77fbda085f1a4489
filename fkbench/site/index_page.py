"""`index.html`: all boards on one page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence

from fkbench.boards import Board
from fkbench.boards.detections import SideBoard
from fkbench.boards.notes import leak_text
from fkbench.boards.numbers import number
from fkbench.site.assets import single_page
from fkbench.site.escaping import isolated, shown
from fkbench.site.glossary import glossary
from fkbench.site.side_section import side_section
from fkbench.site.tables import MORE_COLUMNS, class_of

TITLE = "Facial keypoints: leaderboards"
MINOR_CLASS = class_of(minor=True)
LEAK_NUMBERS = leak_text({"groups": {"both_sides": 0, "total": 0, "test_share": 0}}).partition(":")[0]


def index_page(
    boards: Sequence[Board], sections: Sequence[str], sides: Sequence[SideBoard] = (), notes: Sequence[str] = ()
) -> str:
    """The page.

    Args:
        boards: in the order in which they stand on it.
        sections: of each, as HTML.
        sides: boards about detectors, below them.
        notes: what readers must know of all boards.
    """
    overview = "\n".join(map(_line, boards))
    heads = "".join(
        f'<th scope="col"{kind}><button type="button">{title}</button></th>'
        for title, kind in (
            ("board", ' class="left"'), ("rows", MINOR_CLASS), ("ranked", MINOR_CLASS), ("best", ' class="left"'),
            ("rmse px", ""), ("notes", ' class="left"'),
        )
    )  # fmt: skip
    body = (
        f"<header><h1>{TITLE}</h1><p>Rows of one board share data, split, protocol and box; nothing else is compared. "
        "Errors (rmse) are in pixels of the scoring frame: smaller is better.</p></header>\n"
        '<main id="main">\n<section id="boards" aria-labelledby="boards-title"><h2 id="boards-title">Boards</h2>\n'
        "<p>Each name leads to the table of its rows and to their charts, below.</p>\n"
        + "".join(f'<p class="note" role="note">{isolated(note, 1000)}</p>\n' for note in notes)
        + '<div class="scroll" role="region" tabindex="0" aria-label="All boards"><table class="sortable asc n-last">'
        f"<thead><tr>{heads}</tr></thead><tbody>\n{overview}\n</tbody></table></div>\n"
        '<p class="tools" hidden><button type="button" class="every" aria-pressed="false">Show all boards</button>'
        f"{MORE_COLUMNS}</p>{glossary()}"
        '<p class="note lost" role="status" hidden>This page has no board of the name in its address.</p>\n'
        f"{_side_links(sides)}</section>\n" + "\n".join([*sections, *map(side_section, sides)]) + "\n</main>\n"
        "<footer><p>Made by fkbench. "
        "Rows that are not ranked say why.</p></footer>"
    )
    return single_page(TITLE, body)


def _side_links(sides: Sequence[SideBoard]) -> str:
    links = " · ".join(f'<a href="#{shown(side.slug)}">{isolated(side.title, 200)}</a>' for side in sides)
    return f"<p>Below: {links}</p>\n" if sides else ""


def _line(board: Board) -> str:
    best = board.best
    name = ", ".join(isolated(part, 60) for part in (best.label, board.best_note) if part) if best else "–"
    ranked = sum(row.rank is not None for row in board.rows)
    rmse = number(best.rmse if best else None, 3)
    # The numbers of a leak report stand at the board itself.
    short = (note.partition(":")[0].rstrip(".") for note in board.notes)
    notes = "; ".join(note for note in short if note != LEAK_NUMBERS)
    return (
        f'<tr><th scope="row" class="left"><a href="#{shown(board.slug)}">{isolated(board.title, 200)}</a></th>'
        f'<td{MINOR_CLASS}>{len(board.rows)}</td><td{MINOR_CLASS}>{ranked}</td><td class="left">{name}</td>'
        f'<td data-sort="{shown(best.rmse) if best else ""}">{rmse}</td>'
        f'<td class="left">{isolated(notes, 120)}</td></tr>'
    )
