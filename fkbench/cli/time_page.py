"""The tables of `fkbench time`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from fkbench.cli.session import console
from fkbench.cli.show_page import plain_table
from fkbench.cli.time_floors import print_floors

Row = Mapping[str, Any]


def print_page(page: Row) -> None:
    """Everything that was timed, for people."""
    out = console()
    what = f"run {page['run']}" if page["run"] else "untrained: fresh weights, never ranked"
    size = "×".join(str(n) for n in page["input"])
    out.print(f"[bold]{escape(page['model'])}[/bold] ({what}), {size}, {page['precision']}")
    out.print(escape(page["device"]["name"]), soft_wrap=True)
    timings = page["timings"]
    if timings:
        out.print(_threads(timings[0]))
        out.print()
        _print_runtimes(timings)
        _print_sweep(timings)
    if page["training"] is not None:
        _print_training(page["training"])
    print_floors(timings, page["training"])
    for name, reason in page["not_timed"].items():
        out.print(f"not timed: {escape(name)}: {escape(reason)}", soft_wrap=True)
    for file in page["files"]:
        out.print(f"written: {escape(file)}", soft_wrap=True)


def _threads(timing: Row) -> str:
    threads = timing["threads"]
    return f"{threads['intra_op']} thread{'s'[: threads['intra_op'] != 1]} on {threads['cores']} cores"


def _print_runtimes(timings: Sequence[Row]) -> None:
    first = timings[0]
    copies = any(not str(timing["copies"]["latency_ms"]).startswith("none") for timing in timings)
    columns = ("runtime", "p50 ms", "p99 ms", "images/s", "batch", f"× {first['runtime']}",
               *(["end to end/s"] if copies else []), "first s", "off px", "rmse")  # fmt: skip
    table = plain_table(*columns, right=columns[1:])
    for column in table.columns:
        column.no_wrap = True
    for timing in timings:
        table.add_row(*_cells(timing, first, copies))
    out = console()
    out.print(table)
    out.print("[dim]p50, p99: one picture; images/s: at the best batch; first: preparing, first call[/dim]")
    out.print("[dim]off: greatest difference from the answer in float32; rmse: at this precision[/dim]")
    for reason in dict.fromkeys(str(timing["void_reason"]) for timing in timings if timing["void"]):
        out.print(f"[yellow]* void: {reason}[/yellow]", soft_wrap=True)
    if any(timing["quick"] for timing in timings):
        out.print("[yellow]Short sessions: a hint, not the contract's numbers.[/yellow]")


def _cells(timing: Row, first: Row, copies: bool) -> list[str]:
    off, latency = timing.get("deviation", {}), timing["latency_ms"]
    rate = timing["infer_images_per_s"]
    return [
        _marked(timing, timing["runtime"]),
        *(f"{latency[name]:.3g}" for name in ("p50", "p99")),
        f"{rate:.0f}",
        str(timing["batch"]),
        f"{rate / first['infer_images_per_s']:.2f}",
        *([f"{timing['end_to_end_images_per_s']:.0f}"] if copies else []),
        f"{timing['prepare_s'] + timing['first_call_s']:.2g}",
        _small(off["max_px"]) if "max_px" in off else "–",
        f"{off['rmse']:.5g}" if "rmse" in off else "–",
    ]


def _small(pixels: float) -> str:
    return "<0.001" if pixels < 0.001 else f"{pixels:.3f}"


def _print_sweep(timings: Sequence[Row]) -> None:
    """Images per second by size of batch."""
    sizes = sorted({row["batch"] for timing in timings for row in timing.get("sweep", ())})
    if not sizes:
        return
    table = plain_table("images/s at batch", *map(str, sizes), right=map(str, sizes))
    for timing in timings:
        rates = {row["batch"]: row["infer_images_per_s"] for row in timing.get("sweep", ())}
        out = timing.get("left_out", {})
        cells = (f"{rates[size]:.0f}" if size in rates else out.get(str(size), "–") for size in sizes)
        table.add_row(_marked(timing, timing["runtime"]), *cells)
    console().print()
    console().print(table)
    for timing in timings:
        for size, reason in timing.get("left_out", {}).items():
            console().print(f"[dim]{timing['runtime']}: batch {size} left out: {reason}[/dim]")


def _print_training(training: Row) -> None:
    out, mark = console(), "[yellow]*[/yellow]" if training["void"] else ""
    low, high = training["train_images_per_s_iqr"]
    out.print()
    out.print(
        f"training ({training['precision']}, batch {training['batch']}): {training['step_ms']:.3g} ms per step, "
        f"{training['train_images_per_s']:.0f} images/s ({low:.0f}–{high:.0f}), "
        f"{training['epoch_s']:.3g} s per epoch of {training['epoch_images']} images{mark}",
        soft_wrap=True,
    )
    if training["void"]:
        out.print(f"[yellow]* void: {training['void_reason']}[/yellow]", soft_wrap=True)


def _marked(timing: Row, text: str) -> str:
    return f"{escape(text)}[yellow]*[/yellow]" if timing["void"] else escape(text)
