"""Boards as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.boards.boards import Board
from fkbench.boards.latex import render_latex
from fkbench.boards.text import markdown_text, render_csv, render_index, render_json, render_markdown
from fkbench.records.files import write_atomic

if TYPE_CHECKING:
    from fkbench.boards.detections import SideBoard

RENDERERS = {"md": render_markdown, "csv": render_csv, "json": render_json}
LATEX = {"tex": render_latex}


def write_boards(boards: Sequence[Board], folder: Path, *, latex: bool = False) -> list[Path]:
    """Write `<slug>.md`, `.csv` and `.json` of each board and `index.md`; returns the paths. Other files stay.

    Args:
        boards: all that the index names.
        folder: where to.
        latex: write `<slug>.tex`, too.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    paths = [path for board in boards for path in write_board(board, folder, latex=latex)]
    return [*paths, write_index(boards, folder)]


def write_board(board: Board, folder: Path, *, latex: bool = False) -> list[Path]:
    """The files of one board; arguments and errors as for `write_boards`."""
    paths = []
    for ending, render in (RENDERERS | (LATEX if latex else {})).items():
        paths.append(folder / f"{board.slug}.{ending}")
        write_atomic(paths[-1], render(board).encode(), durable=False)
    return paths


def write_texts(files: Mapping[str, str], stem: str, folder: Path) -> list[Path]:
    """Texts by ending as `<stem>.<ending>`; returns the paths.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    for ending, text in files.items():
        write_atomic(folder / f"{stem}.{ending}", text.encode(), durable=False)
    return [folder / f"{stem}.{ending}" for ending in files]


def write_index(
    boards: Sequence[Board], folder: Path, sides: Sequence[SideBoard] = (), notes: Sequence[str] = ()
) -> Path:
    """`index.md`, which leads to the boards, and to those about detectors.

    Args:
        boards: all that are named.
        folder: where to.
        sides: boards about detectors.
        notes: what stands below, text by anyone.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    path = folder / "index.md"
    text = render_index(boards, [(side.title, side.slug) for side in sides])
    text += "".join(f"\n**{markdown_text(note)}**\n" for note in notes)
    write_atomic(path, text.encode(), durable=False)
    return path
