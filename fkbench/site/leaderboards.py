"""Records into all forms of a leaderboard: the tables and the pages of a folder, board by board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fkbench.boards import Board, errors_beside, groups_of, write_board, write_index
from fkbench.errors import FkbenchError
from fkbench.records import RunRecord
from fkbench.score import ImageErrors
from fkbench.site.measures import ErrorsOf
from fkbench.site.writing import DatasetOf, Site, registered_dataset


@dataclass(frozen=True)
class Leaderboards:
    """What was made from records.

    Attributes:
        boards: sorted by slug.
        tables: paths of the tables and of the page of Markdown that leads to them.
        pages: paths of `index.html`, of a page for each ranked row, and of what these share.
    """

    boards: tuple[Board, ...]
    tables: tuple[Path, ...]
    pages: tuple[Path, ...]


@dataclass
class Remembered:
    """Errors per image that are read once: for the ranks, for the charts, for the page of the row."""

    errors: ErrorsOf = errors_beside
    known: dict[tuple[str, str, int], ImageErrors | FkbenchError] = field(default_factory=dict)

    def __call__(self, record: RunRecord) -> ImageErrors:
        """As `errors`; what was raised is raised again."""
        name = (record.path, record.key, record.seed)
        if name not in self.known:
            try:
                self.known[name] = self.errors(record)
            except FkbenchError as error:
                self.known[name] = error
        found = self.known[name]
        if isinstance(found, FkbenchError):
            raise found
        return found


def write_leaderboards(
    records: Iterable[RunRecord],
    folder: Path,
    *,
    latex: bool = False,
    errors: ErrorsOf = errors_beside,
    dataset: DatasetOf = registered_dataset,
) -> Leaderboards:
    """Write the tables of all boards, `index.md`, `index.html` and the pages of ranked rows.

    Tables are the same bytes for the same records on every machine. Pages are the same bytes for the same records under
    the same version of this program with the same datasets installed.

    Args:
        records: in any order.
        folder: made if it is not there. Pages of rows that are gone are removed, other files stay.
        latex: tables as LaTeX, too.
        errors: gives the errors per image of a record; default: the file beside it.
        dataset: gives a dataset's spec by name.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    boards, sections, tables, pages = [], [], [], Site(folder, dataset=dataset)
    for number, group in enumerate(groups_of(records)):
        # A board's errors are kept until its pages are written, those of all boards would not fit into memory.
        site = Site(folder, Remembered(errors), dataset, pages.scrubber, pages.written)
        board = group.board(site.errors)
        tables += write_board(board, folder, latex=latex)
        sections.append(site.section(board, number, group.records))
        boards.append(board)
    tables.append(write_index(boards, folder))
    return Leaderboards(tuple(boards), tuple(tables), tuple(pages.finish(boards, sections)))
