"""A board as a LaTeX table for an article: what a reader compares by, and below it why rows have no rank."""

from __future__ import annotations

import re

from fkbench.boards.boards import Board
from fkbench.boards.columns import COLUMNS, remarks
from fkbench.boards.speed_cells import footnotes
from fkbench.boards.text import LONGEST_REMARK, cut, visible

SHOWN = ("rank", "model", "rmse px", "95 % CI", "NME %", "AUC@8 %", "FR@8 %", "params", "MACs", "infer img/s", "seeds")
LONGEST_CELL = 48
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "–": "--", "…": r"\dots{}",
    "×": r"$\times$", "†": r"\dag{}", "‡": r"\ddag{}", "§": r"\S{}", "−": "$-$",
}  # fmt: skip
_ALL = re.compile("|".join(map(re.escape, _SPECIAL)))


def latex_text(text: str) -> str:
    """Text by anyone as LaTeX that shows it and does nothing else: no command, comment, group or formula."""
    return _ALL.sub(lambda found: _SPECIAL[found.group()], visible(text))


def render_latex(board: Board) -> str:
    """The board as a `table` environment; it needs the package booktabs, and T1 fonts for quotes."""
    columns = [column for column in COLUMNS if column.title in SHOWN]
    form = "".join("l" if column.left else "r" for column in columns)
    lines = [
        r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}",
        r"\begin{table}",
        rf"\caption{{{latex_text(_caption(board))}}}",
        rf"\begin{{tabular}}{{{form}}}",
        r"\toprule",
        _line([column.title for column in columns]),
        r"\midrule",
        *(_line([cut(column.cell(row), LONGEST_CELL) for column in columns]) for row in board.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    notes = [f"{row.label}: {cut('; '.join(remarks(row)), LONGEST_REMARK)}." for row in board.rows if remarks(row)]
    lines += [rf"\par {latex_text(note)}" for note in [*board.notes, *notes, *footnotes(board.rows)]]
    return "\n".join([*lines, r"\end{table}", ""])


def _caption(board: Board) -> str:
    images = f", {board.test_images} test images" if board.test_images is not None else ""
    return (
        f"{board.title}{images}. Rank: 1 + models that are significantly better (Holm, 5 %); = marks a shared rank. "
        "Intervals over groups and, of several, seeds."
    )


def _line(cells: list[str]) -> str:
    return " & ".join(map(latex_text, cells)) + r" \\"
