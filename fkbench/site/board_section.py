"""One board on the page: what it is about, its notes, its charts, its table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fkbench.boards import Board
from fkbench.boards.legend import legend
from fkbench.schemes import Scheme
from fkbench.site.escaping import isolated, plain, script_json, shown
from fkbench.site.faces import error_face
from fkbench.site.measures import CED_END, CED_STEPS, Measured
from fkbench.site.pareto import dots_of, front, pareto_svg
from fkbench.site.tables import MORE_COLUMNS, table

MOST_CURVES = 10
BASELINES = 3
LONGEST_NAME = 60


def board_section(
    board: Board,
    rows: Sequence[Measured],
    scheme: Scheme | None,
    pages: Mapping[int, str],
    tables: Sequence[str] = (),
) -> str:
    """A board as a section of the page; its id is the board's slug, so that links to it stay good.

    Args:
        board: what is shown.
        rows: of the board, with what charts need.
        scheme: landmark scheme of the dataset; None: not known, or without a layout.
        pages: place of a row → address of its own page.
        tables: names of files beside the page with the same table.
    """
    name = shown(board.slug)
    links = " · ".join(f'<a href="{shown(file)}">{shown(file.rpartition(".")[2].upper())}</a>' for file in tables)
    parts = [
        f'<section class="board" id="{name}" aria-labelledby="{name}-title">',
        f'<h2 id="{name}-title">{isolated(board.title)}</h2>',
        f"<p>{_facts(board)}</p>",
        *([f"<p>This table as {links}.</p>"] if links else []),
        *(f'<p class="note" role="note">{isolated(note, 1000)}</p>' for note in board.notes),
        _tools(name, len(board.rows)),
        table(board, pages),
        *(f'<p class="legend">{line}</p>' for line in legend(board, isolated, lambda note: isolated(note, 1000))),
        f'<div class="charts">{_charts(name, rows, scheme)}</div>',
        f'<script type="application/json" class="data">{script_json(_data(rows, scheme))}</script>',
        "</section>",
    ]
    return "\n".join(parts)


def _facts(board: Board) -> str:
    images = f"{board.test_images} test images; " if board.test_images is not None else ""
    digits = board.key.fingerprint
    return f"{images}split version {board.key.split_version}; fingerprint <code>{shown(digits, 90)}</code>."


def _tools(name: str, rows: int) -> str:
    return (
        f'<div class="tools" hidden>'
        f'<label>Find <input type="search" class="find" aria-controls="{name}-table"></label>'
        '<label><input type="checkbox" class="only"> ranked only</label>'
        '<button type="button" class="by-column" aria-pressed="false">Filter by column</button>'
        f'{MORE_COLUMNS}<output class="count" aria-live="polite">{rows} of {rows} rows</output>'
        '<p class="hint" hidden>Numbers: <code>&lt;2</code>, <code>&gt;=10</code>, <code>1..3</code>; '
        "text: any part of the cell.</p></div>"
    )


def _no_line(rows: Sequence[Measured]) -> str:
    return "" if front(dots_of(rows)) else " No line here: no ranked row has a speed that can be compared."


def _charts(name: str, rows: Sequence[Measured], scheme: Scheme | None) -> str:
    pareto = pareto_svg(rows, name)
    parts = []
    if pareto:
        parts.append(
            f'<figure><figcaption>Error against throughput<span class="plot-rows"></span></figcaption>{pareto}'
            '<p class="legend">Line: the best error at each speed, among ranked rows of comparable speed. '
            "Open points: not ranked, or their speed is not comparable. Grey: baselines. "
            f"Pale: rows that the filters of the table leave out.{_no_line(rows)}</p></figure>"
        )
    if any(found.ced for found in rows):
        parts.append(
            '<figure><figcaption>Cumulative error<span class="ced-rows"></span></figcaption><div class="ced"></div>'
            '<p class="legend no-curve" hidden>No curve: no row is chosen, or those in the table have none.</p>'
            '<details class="picker" hidden><summary>Choose rows</summary><div class="tools">'
            '<button type="button" class="usual">First ones</button><button type="button" class="none">None</button>'
            '</div><div class="choices" role="group" aria-label="Rows whose curves are drawn"></div></details>'
            '<p class="legend">Share of test images with at most this error (NME, inter-ocular). '
            f"Of the rows that the table shows the first {MOST_CURVES} by rank and {BASELINES} baselines, "
            "if no others are chosen.</p></figure>"
        )
    faces = _faced(rows, scheme)
    if faces and scheme is not None:
        parts.append(_face_figure(name, faces, scheme))
    return "".join(parts)


def _faced(rows: Sequence[Measured], scheme: Scheme | None) -> list[Measured]:
    """Rows that can be drawn on the face of the scheme."""
    if scheme is None or len(scheme.layout) != len(scheme.points):
        return []
    return [found for found in rows if len(found.points) == len(scheme.points)]


def _range(faces: Sequence[Measured]) -> tuple[float, float]:
    """Errors of the lightest and the darkest colour: neither baselines nor a wild model make all others look alike."""
    entries = [found for found in faces if found.row.role != "baseline"] or faces
    tops = sorted(value for found in entries for value in found.points if math.isfinite(value))
    if not tops:
        return 0.0, 1.0
    return tops[0], tops[min(len(tops) - 1, int(0.9 * len(tops)))]


def _face_figure(name: str, faces: Sequence[Measured], scheme: Scheme) -> str:
    low, high = _range(faces)
    first = faces[0]
    options = "".join(
        f'<option value="{found.place}">{shown(found.row.label, LONGEST_NAME)}</option>' for found in faces
    )
    return (
        f'<figure class="by-point"><figcaption>Error per point</figcaption><label>of row <select id="{name}-face" '
        f'class="pick" disabled>{options}</select></label>'
        f"{error_face(scheme, first.points, low, high)}"
        f'<p class="legend">rmse of each point over all test images, px; a disc\'s area grows with it. '
        f"Colours from {low:.3g} px and less to {high:.3g} px and more, the same for all rows.</p></figure>"
    )


def _data(rows: Sequence[Measured], scheme: Scheme | None) -> dict[str, Any]:
    """What the script draws from."""
    curves = [found for found in rows if found.ced]
    # Where nothing else is drawn, baselines need colours to be told apart.
    entries = any(found.row.role != "baseline" for found in curves)
    faces = _faced(rows, scheme)
    low, high = _range(faces)
    return {
        "ced": {
            "end": CED_END,
            "steps": CED_STEPS,
            "most": MOST_CURVES if entries else BASELINES,
            "bases": BASELINES,
            "curves": [
                {"row": found.place, "base": entries and found.row.role == "baseline", "y": found.ced}
                for found in curves
            ],
        },
        "faces": {
            "low": low,
            "high": high,
            "names": [plain(name, LONGEST_NAME) for name in scheme.points] if scheme is not None and faces else [],
            "errors": {str(f.place): [v if math.isfinite(v) else None for v in f.points] for f in faces},
        },
    }
