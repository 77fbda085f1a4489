"""Colours of figures: Okabe and Ito's set (2008), told apart by those who see fewer hues."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5B5B5B", "#B8A800")
INK = "#333333"
FAINT = "#9a9a9a"


def plain_axes(axes: Axes) -> None:
    """Light grid, no frame above and at the right."""
    axes.grid(True, which="major", color="#e3e3e3", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
