"""Markdown, CSV and JSON of a board: the same bytes for the same records, and nothing in a name that acts."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

from fkbench.boards.boards import Board
from fkbench.boards.columns import (
    COLUMNS,
    Cell,
    columns_for,
    flat_rows,
    page,
    remarks,
)
from fkbench.boards.legend import legend

_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")
_SCHEME = re.compile(r"://|(?<=www)\.|@(?=\w)", re.IGNORECASE)
LONGEST_REMARK = 400
_FORMULA = ("=", "+", "-", "@")


def visible(text: str) -> str:
    """One line: line breaks and tabs become spaces, other characters that do not print become `?`.

    Terminal escapes and marks that turn the writing direction are among these.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def cut(text: str, most: int) -> str:
    """The text, or its beginning and `…` where it is longer: JSON and CSV have the whole."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def markdown_text(text: str) -> str:
    """Text by anyone as Markdown that shows it and does nothing else: no table cell, markup, HTML, link or mention."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SCHEME.sub(lambda m: "".join(f"&#{ord(c)};" for c in m.group()), _MARKDOWN.sub(r"\\\1", shown))


def render_markdown(board: Board) -> str:
    """The board as a page of Markdown."""
    last = "not ranked because; marks"
    lines = [f"# {markdown_text(board.title)}", "", *_facts(board), ""]
    columns = columns_for(board.rows)
    lines.append(_line([markdown_text(column.title) for column in columns] + [last]))
    lines.append(_line([":--" if column.left else "--:" for column in columns] + [":--"]))
    for row in board.rows:
        cells = [markdown_text(column.cell(row)) for column in columns]
        lines.append(_line([*cells, markdown_text(cut("; ".join(remarks(row)), LONGEST_REMARK))]))
    below = legend(board, markdown_text, markdown_text)
    return "\n".join([*lines, "", "\n\n".join(below), ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _facts(board: Board) -> list[str]:
    images = f"{board.test_images} test images; " if board.test_images is not None else ""
    version = f"split version {board.key.split_version}; "
    lines = [f"{images}{version}fingerprint `{re.sub(r'[^A-Za-z0-9:._-]', '-', board.key.fingerprint)}`."]
    for note in board.notes:
        lines += ["", f"**{markdown_text(note)}**"]
    return lines


def render_csv(board: Board) -> str:
    """The board as CSV, columns `model,rmse,…`; text that a spreadsheet would take for a formula is quoted with `'`."""
    text = io.StringIO()
    rows = flat_rows(board)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in rows[0]] if rows else ["model", "rmse"])
    writer.writerows([csv_cell(value) for value in row.values()] for row in rows)
    return text.getvalue()


def csv_cell(value: Cell) -> str:
    """Numbers in Python's shortest form, nothing for None, text on one line that starts no formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    shown = visible(value)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def render_json(board: Board) -> str:
    """The board as JSON with sorted keys; of the pairs, which are many, each stands on one line."""
    whole = dict(page(board))
    # Numbers and nulls alone, so that brackets stand nowhere but between rows; a call for each row would take longer.
    rows = json.dumps(whole["pairs"]["rows"], allow_nan=False)[1:-1].replace("], [", "],\n   [")
    pairs = whole["pairs"] | {"rows": None}
    text = json.dumps(whole | {"pairs": pairs}, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # No text in JSON has such a line: line breaks in texts are written as \\n.
    filled = f'\n  "rows": [\n   {rows}\n  ]\n' if rows else '\n  "rows": []\n'
    return text.replace('\n  "rows": null\n', filled, 1) + "\n"


def render_index(boards: Sequence[Board], sides: Sequence[tuple[str, str]] = ()) -> str:
    """A page that leads to all boards, and to further ones of (title, slug)."""
    lines = ["# Leaderboards", "", "| board | rows | best | rmse px |", "| :-- | --: | :-- | --: |"]
    for board in boards:
        best = board.best
        name = ", ".join(markdown_text(part) for part in (best.label, board.best_note) if part) if best else "–"
        rmse = COLUMNS[2].cell(best) if best else "–"
        link = f"[{markdown_text(board.title)}]({board.slug}.md)"
        lines.append(_line([link, str(len(board.rows)), name, rmse]))
    if sides:
        lines += ["", "About detectors:", "", *(f"- [{markdown_text(title)}]({slug}.md)" for title, slug in sides)]
    return "\n".join([*lines, ""])
