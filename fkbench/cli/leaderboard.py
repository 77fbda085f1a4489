"""`fkbench leaderboard`: records into tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fkbench.cli.session import console, current, note, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("leaderboard")(leaderboard)


def leaderboard(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Boards of this dataset only.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write Markdown, CSV and JSON of each board into this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")] = False,
) -> None:
    """Tables of all runs: ranks that admit ties, scores with intervals, speed, and why a row is not ranked."""
    from fkbench.boards import boards_of, page, print_board, write_boards

    boards = boards_of(current(context).runs_root, dataset, note)
    files = write_boards(boards, out) if out is not None else []
    if as_json:
        print_json({"boards": [page(board) for board in boards], "files": files})
    elif out is not None:
        for file in files:
            typer.echo(str(file))
    else:
        screen = console()
        for place, board in enumerate(boards):
            if place:
                screen.print()
            print_board(board, screen)
