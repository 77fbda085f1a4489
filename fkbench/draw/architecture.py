"""The picture of a net: its layers from top to bottom, as wide as what they put out, beside their share of the cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.draw.files import FIGURE_SUFFIXES, check_target, save_figure
from fkbench.draw.palette import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fkbench.timing.layers import Layer

MOST_ROWS = 60
ROW_INCH = 0.34
BOX_LEFT, BOX_ROOM = 0.0, 4.4
NAME_LEFT, OUTPUT_LEFT, BARS_LEFT, BAR_ROOM = 4.6, 6.9, 8.2, 1.15
FAMILIES = (
    ("conv", "#9cc3e0"), ("linear", "#f2b98a"), ("pool", "#9fd6bf"), ("norm", "#dcb9d3"), ("dropout", "#e4e4e4"),
    ("block", "#b9c7e6"),
)  # fmt: skip
OTHER = "#efefef"


def architecture_picture(layers: Sequence[Layer], path: Path | str, *, title: str, total_macs: int) -> Path:
    """Write the picture of a net.

    Args:
        layers: rows of `fkbench.timing.layers.layer_table`; more than 60 are taken together block by block.
        path: file to write: .png, .svg, .pdf or .jpg.
        title: line above.
        total_macs: of the whole net, for the shares.

    Raises:
        FkbenchError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    from fkbench.timing.layers import grouped

    check_target(Path(path), FIGURE_SUFFIXES)
    rows = grouped(list(layers), MOST_ROWS)
    figure = Figure(figsize=(11.0, 1.1 + ROW_INCH * (len(rows) + 1)), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(-0.1, BARS_LEFT + 2 * BAR_ROOM + 0.75), ylim=(len(rows) + 0.3, -1.1))
    axes.axis("off")
    figure.suptitle(title, fontsize=12, color=INK)
    _headings(axes)
    widest = max((_log_size(layer) for layer in rows), default=1.0)
    parameters = sum(layer.parameters for layer in rows)
    for i, layer in enumerate(rows):
        _row(axes, i, layer, widest, parameters, total_macs)
    figure.supxlabel(
        "in order of execution; the width of a box is the logarithm of its output's size", fontsize=8, color=FAINT
    )
    return save_figure(figure, path)


def _headings(axes: Axes) -> None:
    columns = ((NAME_LEFT, "name"), (OUTPUT_LEFT, "output"), (BARS_LEFT, "parameters"),
               (BARS_LEFT + BAR_ROOM + 0.3, "MACs"))  # fmt: skip
    for left, words in columns:
        axes.text(left, -0.55, words, fontsize=9, color=FAINT, va="center")


def _row(axes: Axes, i: int, layer: Layer, widest: float, parameters: int, macs: int) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    width = BOX_ROOM * max(0.16, _log_size(layer) / widest)
    left = BOX_LEFT + (BOX_ROOM - width) / 2
    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch((left, i - 0.4), width, 0.8, boxstyle=style, facecolor=_colour(layer), edgecolor="white")
    )
    words = f"{layer.type}  {layer.detail}".strip()
    axes.text(BOX_LEFT + BOX_ROOM / 2, i, words, fontsize=8.5, color=INK, ha="center", va="center")
    axes.text(NAME_LEFT, i, _tail(layer.name), fontsize=8.5, color=INK, va="center")
    shape = "×".join(str(n) for n in layer.output) if layer.output is not None else "–"
    axes.text(OUTPUT_LEFT, i, shape, fontsize=8.5, color=INK, va="center")
    for left, value, total in (
        (BARS_LEFT, layer.parameters, parameters),
        (BARS_LEFT + BAR_ROOM + 0.3, layer.macs, macs),
    ):
        if value:
            axes.add_patch(Rectangle((left, i - 0.3), BAR_ROOM * value / max(1, total), 0.6, facecolor="#d9d2c5"))
            axes.text(left + 0.04, i, short_number(value), fontsize=8.5, color=INK, va="center")


def _log_size(layer: Layer) -> float:
    return math.log10(max(10, math.prod(layer.output))) if layer.output else 1.0


def _colour(layer: Layer) -> str:
    kind = layer.type.lower()
    return next((colour for word, colour in FAMILIES if word in kind), OTHER)


def _tail(name: str, room: int = 26) -> str:
    return name if len(name) <= room else "…" + name[-room + 1 :]


def short_number(value: int) -> str:
    """Three digits and a letter: 8 615 920 gives `8.62 M`."""
    for limit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {letter}"
    return str(value)
