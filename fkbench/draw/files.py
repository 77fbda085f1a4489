"""Writing pictures: endings checked before the work is done, files whole or not there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.errors import FkbenchError
from fkbench.records.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
FIGURE_SUFFIXES = (".png", ".svg", ".pdf", ".jpg")


def check_target(target: Path, suffixes: tuple[str, ...]) -> None:
    """Raise before any work is done for a picture that could not be saved.

    Raises:
        FkbenchError: the ending is not among `suffixes`, or the path is a folder.
    """
    if target.suffix.lower() not in suffixes:
        given = f"the ending '{target.suffix}' is unknown" if target.suffix else "it has no ending"
        raise FkbenchError(f"Cannot save a picture as '{target}': {given}.", f"Use one of {', '.join(suffixes)}.")
    if target.is_dir():
        raise FkbenchError(f"Cannot save a picture as '{target}': it is a folder.", "Give a file name.")


def save_figure(figure: Figure, path: Path | str, *, dpi: int = 130) -> Path:
    """Write a matplotlib figure as PNG, SVG, PDF or JPEG, without the date, so that equal figures are equal files.

    Raises:
        FkbenchError: the ending is not supported, or the place cannot be written.
    """
    import matplotlib

    target = Path(path)
    check_target(target, FIGURE_SUFFIXES)
    kind = target.suffix.lower().removeprefix(".")
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "fkbench"}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=undated)
    write_atomic(target, buffer.getvalue(), durable=False)
    return target
