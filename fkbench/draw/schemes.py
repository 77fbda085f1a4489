"""The picture of a landmark scheme: its points numbered on a neutral face, coloured by region."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fkbench.draw.files import FIGURE_SUFFIXES, check_target, save_figure
from fkbench.draw.palette import FAINT, INK, SERIES
from fkbench.errors import FkbenchError
from fkbench.schemes import Scheme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Positions = npt.NDArray[np.float64]
NAMED = 24  # up to so many points the legend gives their names, beyond it ranges of numbers


def scheme_picture(scheme: Scheme, path: Path | str) -> Path:
    """Write the numbered picture of a scheme, on a frontal face as it looks to the camera.

    Args:
        scheme: one with a `layout`.
        path: file to write: .png, .svg, .pdf or .jpg.

    Raises:
        FkbenchError: the scheme has no layout, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    check_target(Path(path), FIGURE_SUFFIXES)
    if len(scheme.layout) != len(scheme.points):
        raise FkbenchError(f"The scheme '{scheme.name}' has no layout to draw.", "Give it one position per point.")
    figure = Figure(figsize=(11.0, 8.4), layout="constrained")
    parts = figure.add_gridspec(1, 2, width_ratios=(8.2, 2.8))
    axes, legend = figure.add_subplot(parts[0, 0]), figure.add_subplot(parts[0, 1])
    positions = np.array(scheme.layout, np.float64)
    _draw_face(axes, scheme, positions)
    _draw_points(axes, scheme, positions)
    figure.suptitle(f"{scheme.name}: {scheme.summary}", fontsize=13, color=INK)
    axes.set(xlim=(0.02, 0.98), ylim=(1.0, 0.0), aspect="equal")
    for part in (axes, legend):
        part.axis("off")
    handles, labels = axes.get_legend_handles_labels()
    legend.legend(handles, labels, frameon=False, fontsize=10, loc="center left", labelspacing=1.1, borderaxespad=0)
    figure.supxlabel("left and right are the subject's", fontsize=9, color=FAINT)
    return save_figure(figure, path)


def _draw_face(axes: Axes, scheme: Scheme, positions: Positions) -> None:
    from matplotlib.patches import Ellipse

    axes.add_patch(Ellipse((0.5, 0.5), 0.93, 0.98, facecolor="#f4f2ef", edgecolor="none", zorder=0))
    for chain in scheme.lines:
        axes.plot(*positions[list(chain)].T, color="#c9c9c9", linewidth=1.4, zorder=1)


def _draw_points(axes: Axes, scheme: Scheme, positions: Positions) -> None:
    offsets = label_offsets(positions)
    for i, (region, indices) in enumerate(scheme.regions.items()):
        colour = SERIES[i % len(SERIES)]
        label = f"{region}\n{_members(scheme, indices)}"
        x_all, y_all = positions[list(indices)].T
        axes.scatter(x_all, y_all, s=34, color=colour, label=label, zorder=3)
        for index in indices:
            x, y = positions[index] + offsets[index]
            axes.text(x, y, str(index), ha="center", va="center", fontsize=9, color=colour, zorder=4)


def label_offsets(positions: Positions, distance: float = 0.021) -> Positions:
    """Where each point's number goes: (K, 2) offsets away from its neighbours, so that no number covers a point."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    around = distance * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    placed: list[Positions] = []
    offsets = np.zeros_like(positions)
    for i, position in enumerate(positions):
        taken = np.concatenate([np.delete(positions, i, axis=0), np.array(placed).reshape(-1, 2)])
        gaps = np.linalg.norm((position + around)[:, None] - taken[None], axis=2).min(axis=1)
        offsets[i] = around[int(gaps.round(4).argmax())]
        placed.append(position + offsets[i])
    return offsets


def _members(scheme: Scheme, indices: tuple[int, ...]) -> str:
    if len(scheme.points) <= NAMED:
        return "\n".join(f"  {index}  {scheme.points[index]}" for index in indices)
    return "  " + ", ".join(f"{start}–{end}" if end > start else f"{start}" for start, end in _spans(indices))


def _spans(indices: tuple[int, ...]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for index in sorted(indices):
        if spans and index == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], index)
        else:
            spans.append((index, index))
    return spans
