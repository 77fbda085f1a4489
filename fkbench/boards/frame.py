"""Boards as a data frame. The only place of this package that needs pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fkbench.boards.boards import Board
from fkbench.boards.columns import flat_rows

if TYPE_CHECKING:
    import pandas as pd


def to_frame(boards: Sequence[Board]) -> pd.DataFrame:
    """One row per row of each board, with the columns of the CSV; text as it is, nothing escaped."""
    import pandas as pd

    return pd.DataFrame([row for board in boards for row in flat_rows(board)])
