"""The table of floors of `fkbench time`: what would be the least, and how far from it the measured times are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from fkbench.cli.session import console
from fkbench.cli.show_page import plain_table

Row = Mapping[str, Any]
PARTS = ("latency", "throughput", "step")


def short_number(value: float) -> str:
    """Three digits, or all before the point: no exponent, which takes more room than what it stands for."""
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def keep_whole(table: Table) -> None:
    """Numbers and headings stay whole where a terminal is narrow: the names in the first column are folded instead."""
    for column in table.columns[1:]:
        column.no_wrap = True


def print_floors(timings: Sequence[Row], training: Row | None) -> None:
    """A row for one picture, for the best batch and for the training step; nothing where no floors were stated."""
    from fkbench.timing.floors import peak_line

    named = [(timing["runtime"], timing["floors"]) for timing in timings if timing.get("floors")]
    if training is not None and training.get("floors"):
        named.append(("training", training["floors"]))
    if not named:
        return
    columns = ("floors, ms", "operations", "bytes", "layers", "measured", "that is")
    table = plain_table(*columns, right=columns[1:-1])
    keep_whole(table)
    for name, found in named:
        for row in (found[part] for part in PARTS if part in found):
            times = (short_number(row[key]) for key in ("operations_ms", "bytes_ms", "layers_ms", "measured_ms"))
            table.add_row(
                f"{escape(name)}, batch {row['batch']}", *times, f"{short_number(row['times'])} × {row['larger']}"
            )
    out = console()
    out.print()
    out.print(table)
    out.print("[dim]bytes: weights, pictures, output, training's state; layers: each result too[/dim]")
    out.print("[dim]that is: measured, as a multiple of the larger of operations and bytes[/dim]")
    for peak in {tuple(found["peak"].items()): found["peak"] for _, found in named}.values():
        out.print(f"[dim]{peak_line(peak)}[/dim]", soft_wrap=True)
