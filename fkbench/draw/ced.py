"""Cumulative error distributions: which share of the pictures has an error of at most so much."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fkbench.draw.files import FIGURE_SUFFIXES, check_target, save_figure
from fkbench.draw.palette import FAINT, INK, SERIES, plain_axes

Errors = npt.NDArray[np.floating]


def ced_steps(errors: Errors, limit: float) -> tuple[Errors, Errors]:
    """The empirical distribution function up to `limit` as corners of its steps.

    Args:
        errors: (N,) errors per picture; NaN: excluded, inf: counted and never reached (no face found).
        limit: right end.

    Returns:
        x and y of the corners, from (0, share of zeros) to (limit, share at most limit).
    """
    counted = np.sort(errors[~np.isnan(errors)])
    inside = counted[counted <= limit]
    share = np.arange(1, len(inside) + 1) / max(1, len(counted))
    x = np.concatenate([[0.0], inside, [limit]])
    y = np.concatenate([[0.0], share, share[-1:] if len(share) else [0.0]])
    return x, y


def ced_curves(
    errors: Mapping[str, Errors],
    path: Path | str,
    *,
    title: str = "",
    limit: float = 0.10,
    thresholds: tuple[float, ...] = (0.08,),
    measure: str = "NME, inter-ocular",
) -> Path:
    """Curves of several models in one picture, the best first in the legend.

    Args:
        errors: name → (N,) normalised mean error per picture as a fraction (0.08 = 8 %).
        path: file to write: .png, .svg, .pdf or .jpg.
        limit: right end of the axis.
        thresholds: errors marked by a vertical line.
        measure: name of the error, for the axis.

    Raises:
        FkbenchError: the file cannot be written.
        ValueError: no curves.
    """
    from matplotlib.figure import Figure

    check_target(Path(path), FIGURE_SUFFIXES)
    if not errors:
        raise ValueError("at least one curve is needed")
    figure = Figure(figsize=(7.2, 5.0), layout="constrained")
    axes = figure.add_subplot()
    steps = {name: ced_steps(np.asarray(values), limit) for name, values in errors.items()}
    colours = {name: SERIES[i % len(SERIES)] for i, name in enumerate(steps)}
    styles = {name: ("-", "--", "-.", ":")[i // len(SERIES) % 4] for i, name in enumerate(steps)}
    for name in sorted(steps, key=lambda n: -_area(*steps[n])):
        x, y = steps[name]
        label = f"{name}  ({y[-1]:.0%} within {limit:.0%})"
        axes.plot(100 * x, 100 * y, drawstyle="steps-post", color=colours[name], linestyle=styles[name], label=label)
    for threshold in thresholds:
        axes.axvline(100 * threshold, color=FAINT, linestyle=":", linewidth=1.2)
    plain_axes(axes)
    axes.set(xlim=(0, 100 * limit), ylim=(0, 101))
    axes.set_xlabel(f"{measure}, %", fontsize=9, color=INK)
    axes.set_ylabel("pictures with at most this error, %", fontsize=9, color=INK)
    axes.set_title(title, fontsize=11, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="best")
    return save_figure(figure, path)


def _area(x: Errors, y: Errors) -> float:
    return float(np.sum(np.diff(x) * y[:-1]))
