"""The curves of one training run: losses, validation rmse against the baselines, learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fkbench.draw.files import FIGURE_SUFFIXES, check_target, save_figure
from fkbench.draw.palette import FAINT, INK, SERIES, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = npt.NDArray[np.float64]
Row = Mapping[str, float | None]
WIDE = 4.0  # a range of more than this factor is drawn on a logarithmic axis
MARKED = 40  # up to so many epochs each is a dot


def loss_curve(
    history: Sequence[Row],
    path: Path | str,
    *,
    title: str,
    baseline_rmse: Mapping[str, float] | None = None,
    unit: str = "px",
) -> Path:
    """Loss, validation rmse and learning rate per epoch as one picture.

    Args:
        history: one mapping per epoch with `epoch`, `lr`, `train_loss`, `val_loss`, `val_rmse`; None, NaN or an absent
            key: no value (recipes that train on everything have no validation).
        path: file to write: .png, .svg, .pdf or .jpg.
        title: line above.
        baseline_rmse: name → rmse of baselines on the validation part, in the unit of `val_rmse`, drawn as lines.
        unit: of the rmse.

    Raises:
        FkbenchError: the file cannot be written.
        ValueError: no epochs.
    """
    from matplotlib.figure import Figure

    check_target(Path(path), FIGURE_SUFFIXES)
    if not history:
        raise ValueError("a curve needs at least one epoch")
    columns = {name: _column(history, name) for name in ("epoch", "lr", "train_loss", "val_loss", "val_rmse")}
    validated = bool(np.isfinite(columns["val_rmse"]).any())
    figure = Figure(figsize=(11.0 if validated else 6.5, 4.8), layout="constrained")
    figure.suptitle(title, fontsize=11, color=INK)
    losses, rates, scores = _panels(figure, validated)
    _draw_losses(losses, columns)
    _draw_rates(rates, columns)
    if scores is not None:
        best = _draw_rmse(scores, columns, baseline_rmse or {}, unit)
        losses.axvline(best, color=FAINT, linestyle=":", linewidth=1.2)
    return save_figure(figure, path)


def _panels(figure: Figure, validated: bool) -> tuple[Axes, Axes, Axes | None]:
    """For the losses, for the learning rate below them, and beside both for the rmse where there is a validation."""
    parts = figure.add_gridspec(2, 2 if validated else 1, height_ratios=(4, 1))
    losses = figure.add_subplot(parts[0, 0])
    rates = figure.add_subplot(parts[1, 0], sharex=losses)
    return losses, rates, figure.add_subplot(parts[:, 1]) if validated else None


def _column(history: Sequence[Row], name: str) -> Series:
    found = [row.get(name) for row in history]
    if name == "epoch" and any(value is None for value in found):
        return np.arange(1, len(history) + 1, dtype=np.float64)
    return np.array([math.nan if value is None else float(value) for value in found], np.float64)


def _line(axes: Axes, x: Series, y: Series, label: str, colour: str) -> None:
    known = np.isfinite(y)
    if known.any():
        marker = "o" if known.sum() <= MARKED else ""
        axes.plot(x[known], y[known], color=colour, label=label, linewidth=1.6, marker=marker, markersize=3)


def _draw_losses(axes: Axes, columns: Mapping[str, Series]) -> None:
    _line(axes, columns["epoch"], columns["train_loss"], "training", SERIES[0])
    _line(axes, columns["epoch"], columns["val_loss"], "validation", SERIES[1])
    plain_axes(axes)
    _fit_scale(axes, np.concatenate([columns["train_loss"], columns["val_loss"]]))
    axes.set_ylabel("loss", fontsize=9, color=INK)
    axes.tick_params(labelbottom=False)
    if axes.lines:
        axes.legend(frameon=False, fontsize=9)


def _draw_rates(axes: Axes, columns: Mapping[str, Series]) -> None:
    _line(axes, columns["epoch"], columns["lr"], "learning rate", FAINT)
    plain_axes(axes)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    axes.yaxis.get_offset_text().set_fontsize(8)
    axes.set_ylabel("learning\nrate", fontsize=9, color=INK)
    _epoch_axis(axes, columns["epoch"])


def _draw_rmse(axes: Axes, columns: Mapping[str, Series], baselines: Mapping[str, float], unit: str) -> float:
    """Returns the best epoch."""
    epochs, rmse = columns["epoch"], columns["val_rmse"]
    _line(axes, epochs, rmse, "validation rmse", SERIES[1])
    best = int(np.nanargmin(rmse))
    axes.axvline(epochs[best], color=FAINT, linestyle=":", linewidth=1.2)
    label = f"best: {rmse[best]:.4g} {unit} at epoch {epochs[best]:g}"
    axes.plot(epochs[best], rmse[best], "o", markersize=8, color=SERIES[2], label=label)
    shown = {name: value for name, value in baselines.items() if math.isfinite(value)}
    for i, (name, value) in enumerate(shown.items()):
        axes.axhline(value, color=INK, linestyle=("--", "-.", ":")[i % 3], linewidth=1.1, label=f"{name}: {value:.4g}")
    plain_axes(axes)
    _fit_scale(axes, np.concatenate([rmse, list(shown.values())]))
    axes.set_ylabel(f"validation rmse, {unit}", fontsize=9, color=INK)
    _epoch_axis(axes, epochs)
    axes.legend(frameon=False, fontsize=9)
    return float(epochs[best])


def _epoch_axis(axes: Axes, epochs: Series) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    axes.set_xlabel("epoch", fontsize=9, color=INK)


def _fit_scale(axes: Axes, values: Series) -> None:
    """A logarithmic axis where the values are positive and of different magnitude, with ticks written plainly."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    known = values[np.isfinite(values)]
    if not len(known) or known.min() <= 0 or known.max() / known.min() < WIDE:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
