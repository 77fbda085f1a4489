"""What stands below a board's table, in whole sentences: the same on the page and in Markdown."""

from __future__ import annotations

from collections.abc import Callable

from fkbench.boards.boards import Board
from fkbench.boards.columns import NATIVE, OWN_LOSS, columns_for
from fkbench.boards.speed_cells import footnotes

Escape = Callable[[str], str]


def legend(board: Board, named: Escape, noted: Escape) -> list[str]:
    """The sentences that a board needs.

    Args:
        named: escapes a name within a sentence, which may be text by anyone.
        noted: escapes a whole footnote, which may hold such names.
    """
    lines = [
        "Rank = 1 + models that are significantly better (pairs over groups and seeds, Holm within this board, 5 %); "
        "= marks rows that share a rank. Intervals are over groups (persons, near-duplicates) and, where a row has "
        "several, seeds. Rows without a rank are listed with the reason."
    ]
    if board.reference:
        lines.append(f"× baseline: rmse over that of {named(board.reference)}, the strongest baseline here.")
    if NATIVE in columns_for(board.rows):
        lines.append(f"{OWN_LOSS[0].upper()}{OWN_LOSS[1:]}.")
    if board.speed_device:
        lines.append(f"Speed: {named(board.speed_conditions)}, timing contract v{board.speed_version}.")
    return lines + [f"{noted(note)}." for note in footnotes(board.rows)]
