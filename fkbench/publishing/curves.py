"""Two results in one picture: their training curves and their cumulative error distributions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.boards.text import cut, visible
from fkbench.draw.files import FIGURE_SUFFIXES, check_target, save_figure
from fkbench.draw.palette import INK, SERIES, plain_axes
from fkbench.errors import FkbenchError
from fkbench.publishing.comparison import Side
from fkbench.records import HISTORY_FILE, beside, read_history
from fkbench.score import ced
from fkbench.score.metrics import REFERENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST_NAME = 40
CED_LIMIT = 0.15


def draw_curves(a: Side, b: Side, path: Path) -> Path:
    """Validation rmse by epoch, a line per seed, and the share of images by NME; returns the file.

    Args:
        path: .png, .svg, .pdf or .jpg.

    Raises:
        FkbenchError: neither side has anything to draw, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    check_target(path, FIGURE_SUFFIXES)
    sides = ((a, SERIES[0], "-"), (b, SERIES[1], "--"))
    histories = {side.name: _histories(side) for side in (a, b)}
    trained, scored = any(histories.values()), any(REFERENCE in e.nme for side in (a, b) for e in side.errors)
    if not trained and not scored:
        raise FkbenchError("There are no curves: no history of training and no NME.", "Leave --curves out.")
    figure = Figure(figsize=(11.0 if trained and scored else 6.5, 4.6), layout="constrained")
    panels = list(figure.subplots(1, trained + scored, squeeze=False)[0])
    if trained:
        axes = panels.pop(0)
        for side, colour, style in sides:
            _draw_training(axes, histories[side.name], _label(side), colour, style)
        _finish(axes, "epoch", "validation rmse, px", "training")
    if scored:
        axes = panels.pop(0)
        for side, colour, style in sides:
            _draw_ced(axes, side, colour, style)
        axes.set(xlim=(0, 100 * CED_LIMIT), ylim=(0, 101))
        _finish(axes, "NME by the outer eye corners, %", "images with at most this error, %", "test images")
    return save_figure(figure, path)


def _histories(side: Side) -> list[list[tuple[float, float]]]:
    """(epoch, validation rmse) of each seed that has any."""
    found = []
    for record in side.entry.done:
        file = beside(record, HISTORY_FILE)
        rows = read_history(file) if file.is_file() else []
        values = [
            (float(r["epoch"]), float(v)) for r in rows if r["epoch"] is not None and (v := r["val_rmse"]) is not None
        ]
        if values:
            found.append(values)
    return found


def _draw_training(axes: Axes, seeds: list[list[tuple[float, float]]], label: str, colour: str, style: str) -> None:
    from matplotlib.ticker import MaxNLocator

    for place, values in enumerate(seeds):
        x, y = zip(*values, strict=True)
        axes.plot(x, y, color=colour, linestyle=style, linewidth=1.4, alpha=0.85, label=label if not place else None,
                  marker="o" if len(values) == 1 else "")  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    known = [y for values in seeds for _, y in values if math.isfinite(y) and y > 0]
    if known and max(known) / min(known) > 4:
        axes.set_yscale("log")


def _draw_ced(axes: Axes, side: Side, colour: str, style: str) -> None:
    for place, errors in enumerate(side.errors):
        x, y = ced(errors)
        if len(x):
            label = None if place else _label(side)
            axes.plot(100 * x, 100 * y, drawstyle="steps-post", color=colour, linestyle=style, label=label)


def _label(side: Side) -> str:
    # matplotlib takes text between two $ for a formula.
    seeds = f" ({len(side.errors)} seeds)" if len(side.errors) > 1 else ""
    return cut(visible(side.name), LONGEST_NAME).replace("$", r"\$") + seeds


def _finish(axes: Axes, x: str, y: str, title: str) -> None:
    plain_axes(axes)
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.set_title(title, fontsize=10, color=INK)
    if axes.lines:
        axes.legend(frameon=False, fontsize=9)
