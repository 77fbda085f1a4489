"""What `fkbench leaderboard` shows and writes: all boards of a folder, those about detectors among them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fkbench.cli.session import Session, console, note, print_json
from fkbench.errors import FkbenchError
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.boards import Board
    from fkbench.boards.detections import SideBoard
    from fkbench.records import RunRecord


@dataclass(frozen=True)
class Results:
    """What a runs folder or a published one holds.

    Attributes:
        records: of runs on the datasets that are wanted.
        sides: boards about detectors.
        damaged: file → why it cannot be read.
        left_out: slug of a board → notes on results in conflict, of which a published folder has none.
    """

    records: list[RunRecord]
    sides: list[SideBoard]
    damaged: dict[Path, FkbenchError]
    left_out: dict[str, list[str]]


def results_of(session: Session, dataset: str | None) -> Results:
    """Read everything, and say what cannot be read.

    Raises:
        FkbenchError: there is nothing, or nothing that can be read, or nothing on this dataset.
    """
    from fkbench.boards import of_dataset
    from fkbench.boards.detections import side_boards
    from fkbench.publishing.conflicts import left_out_notes
    from fkbench.records import ResultStore
    from fkbench.records.results import read_each

    root = session.runs_root
    every, damaged = read_each(ResultStore(root).files())
    own = [record for record in every if dataset in (None, record.dataset.name)]
    sides = side_boards(own, root, note, dataset)
    if damaged and not every and not sides:
        first, count = next(iter(damaged.values())), counted(len(damaged), "result")
        raise FkbenchError(f"None of {count} in '{root}' can be read. {first.message}", first.remedy)
    for error in damaged.values():
        note(f"Damaged: {error}")
    records = own if sides and not own else of_dataset(every, root, dataset)
    return Results(marked_stale(session, records), sides, damaged, left_out_notes(root))


def marked_stale(session: Session, records: list[RunRecord]) -> list[RunRecord]:
    """The same records, with a mark on runs whose models have changed since; published ones are left as they are."""
    from fkbench.records import is_published

    if all(is_published(record) for record in records):
        return records
    from fkbench.runner.standing import Standing

    return Standing(session.registry, session.data_root).marked(records)


def show_tables(session: Session, dataset: str | None, *, as_json: bool) -> None:
    """All boards in the terminal, or as JSON."""
    from fkbench.boards import build, print_board
    from fkbench.boards.terminal import print_side

    found = results_of(session, dataset)
    boards = [
        replace(board, notes=(*board.notes, *found.left_out.get(board.slug, ()))) for board in build(found.records)
    ]
    if as_json:
        print_json(_page(boards, found))
        return
    screen = console()
    for place, board in enumerate(boards):
        if place:
            screen.print()
        print_board(board, screen)
    for place, side in enumerate(found.sides):
        if place or boards:
            screen.print()
        print_side(side, screen)


def write_tables(session: Session, dataset: str | None, folder: Path, *, as_json: bool) -> None:
    """All boards as files of each kind, and the page with all of them."""
    from fkbench.boards.text import visible
    from fkbench.cli.leaderboard import made_text
    from fkbench.records import RunStore
    from fkbench.records.parallel import useful_processes
    from fkbench.site import write_leaderboards

    if RunStore(folder).holds_published:
        raise FkbenchError(
            f"'{folder}' is a published folder: its tables are made from its own results alone.",
            "Add results to it with --publish, or write into another folder.",
        )
    found = results_of(session, dataset)
    used = useful_processes(len(found.records))
    made = write_leaderboards(
        found.records, folder, latex=True, processes=used,
        sides=found.sides, damaged=found.damaged, notes=found.left_out,
    )  # fmt: skip
    for path, reason in made.faults.items():
        note(f"Shown as failed: {visible(path)}: {visible(reason)}")
    if as_json:
        print_json(_page(made.boards, found) | {"files": made.tables, "pages": made.pages})
        return
    for file in (*made.tables, folder / "index.html"):
        typer.echo(str(file))
    note(made_text(made, folder))


def _page(boards: Sequence[Board], found: Results) -> dict[str, Any]:
    from fkbench.boards import page

    return {
        "boards": [page(board) for board in boards],
        "detectors": [{"board": side.slug, "rows": json.loads(side.files["json"])} for side in found.sides],
        "damaged": {str(file): error.message for file, error in found.damaged.items()},
        "files": [],
        "pages": [],
    }
