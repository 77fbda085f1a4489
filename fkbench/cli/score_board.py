"""How `fkbench score` shows its answers: one score, or the board of models by boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fkbench.cli.session import console


def print_score(result: Mapping[str, Any]) -> None:
    """One run, or one file of points, with one box."""
    from rich.table import Table

    data = result["dataset"]
    what = f"{data['name']}, split {data['split']}, box {result['box']}, {data['images']} images"
    title = f"{result['subject']} on {what}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    for name, value in result["metrics"].items():
        if isinstance(value, int | float):
            table.add_row(name, f"{value:.5g}")
        elif name == "rmse_ci":
            table.add_row("rmse 95 % interval", " – ".join(f"{end:.4g}" for end in value))
    out = console()
    out.print(table)
    if "end_to_end" in result:
        out.print(_speed_text(result["end_to_end"]))
    if result.get("recorded_rmse") is not None:
        out.print(f"recorded rmse: {result['recorded_rmse']:.5g}")
    if data["leaky"]:
        out.print(LEAKY)


LEAKY = "[yellow]This split is leaky: persons or clips stand on both sides.[/yellow]"


def _speed_text(timing: Mapping[str, Any]) -> str:
    quick = " (timed briefly; --time for a full session)" if timing["quick"] else ""
    void = " The machine was not quiet: these times do not count." if timing["void"] else ""
    return (
        f"with the detector, end to end: {timing['pictures_per_s']:.1f} pictures/s, p50 {timing['ms']['p50']:.1f} ms, "
        f"p90 {timing['ms']['p90']:.1f} ms; the detector alone: p50 {timing['detector_ms']['p50']:.1f} ms{quick}.{void}"
    )


def print_by_box(scores: Sequence[Mapping[str, Any]]) -> None:
    """Models by boxes: a table for each dataset and split."""
    from fkbench.boards.by_box import LEGEND, board_rows, boards, footnotes, jitter_lines

    out = console()
    for rows in boards(board_rows(scores)):
        first = rows[0]
        out.print(f"{first['dataset']} {first['split']}, {first['images']} images: rmse in px of the scoring frame")
        _print_runs(rows)
        for line in jitter_lines(rows):
            out.print(line, highlight=False)
        for line in (LEGEND, *footnotes(rows)):
            out.print(f"[dim]{line}[/dim]", highlight=False)
    if any(score["dataset"]["leaky"] for score in scores):
        out.print(LEAKY)


COLUMNS = ("box", "rmse", "95 %", "extra", "95 %", "missed", "img/s")


def _print_runs(rows: Sequence[Mapping[str, Any]]) -> None:
    """A heading and a table for each run, with the same columns."""
    from rich.table import Table
    from rich.text import Text

    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    titles = dict.fromkeys(_heading(row) for row in rows)
    for number, title in enumerate(titles):
        table = Table(box=None, pad_edge=False, show_header=not number, header_style="underline")
        for column, (name, width) in enumerate(zip(COLUMNS, widths, strict=True)):
            table.add_column(name, justify="right" if column else "left", no_wrap=True, min_width=width)
        for row, texts in zip(rows, cells, strict=True):
            if _heading(row) == title:
                table.add_row(*map(Text, texts))
        console().print(Text(title, style="bold"), table, sep="\n")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    from fkbench.boards.by_box import NOTHING, interval, speed_text

    return (
        f"  {row['box']}",
        f"{row['rmse']:.3f}",
        interval(row, "rmse_low", "rmse_high", 2),
        NOTHING if row["extra_rmse"] is None else f"{row['extra_rmse']:+.3f}",
        interval(row, "extra_low", "extra_high", 2),
        str(row["missed_faces"]),
        speed_text(row),
    )


def _heading(row: Mapping[str, Any]) -> str:
    """Of a run: its name, what its boxes were in training, and whether they were shaken there."""
    name = f"{row['model']} {row['run'][:8]}" if row["run"] else str(row["model"])
    trained = f", trained on {row['trained_on']} boxes" if row["trained_on"] else ""
    return name + trained + {"yes": ", with box jitter", "no": ", without box jitter"}.get(row["box_jitter"] or "", "")
