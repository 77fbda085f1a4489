"""The tables of `fkbench time`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from fkbench.cli.session import console
from fkbench.cli.show_page import plain_table
from fkbench.cli.time_floors import keep_whole, print_floors, short_number
from fkbench.words import counted

Row = Mapping[str, Any]
NAME = 14  # letters of a runtime that still fit into a heading
SIZES = 7  # of batch beside each other in 80 columns


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
    return f"{counted(threads['intra_op'], 'thread')} on {threads['cores']} cores"


def _print_runtimes(timings: Sequence[Row]) -> None:
    _print_speeds(timings)
    out = console()
    out.print("[dim]p50, p99: one picture; images/s: at the best batch[/dim]")
    out.print()
    columns = ("runtime", "first s", "off px", "rmse")
    table = plain_table(*columns, right=columns[1:])
    keep_whole(table)
    for timing in timings:
        off, first = timing.get("deviation", {}), timing["prepare_s"] + timing["first_call_s"]
        found = (_pixels(off[name], digits) if name in off else "–" for name, digits in (("max_px", 3), ("rmse", 4)))
        table.add_row(_marked(timing, timing["runtime"]), short_number(first), *found)
    out.print(table)
    out.print("[dim]first: preparing, first call; rmse: at this precision[/dim]")
    out.print("[dim]off: greatest difference from the answer in float32[/dim]")
    for line in void_lines(timings):
        out.print(f"[yellow]{escape(line)}[/yellow]", soft_wrap=True)
    if any(timing["quick"] for timing in timings):
        out.print("[yellow]Short sessions: a hint, not the contract's numbers.[/yellow]")


def _print_speeds(timings: Sequence[Row]) -> None:
    first = timings[0]
    copies = any(not str(timing["copies"]["latency_ms"]).startswith("none") for timing in timings)
    than = first["runtime"] if len(first["runtime"]) <= NAME else "first"
    columns = ("runtime", "p50 ms", "p99 ms", "images/s", "batch", f"× {escape(than)}",
               *(["end to end/s"] if copies else []))  # fmt: skip
    table = plain_table(*columns, right=columns[1:])
    keep_whole(table)
    for timing in timings:
        latency, rate = timing["latency_ms"], timing["infer_images_per_s"]
        table.add_row(
            _marked(timing, timing["runtime"]),
            *(short_number(latency[name]) for name in ("p50", "p99")),
            short_number(rate),
            str(timing["batch"]),
            f"{rate / first['infer_images_per_s']:.2f}",
            *([short_number(timing["end_to_end_images_per_s"])] if copies else []),
        )
    console().print(table)


def void_lines(timings: Sequence[Row]) -> list[str]:
    """A line for each reason that made sessions void, with the runtimes that it holds for."""
    reasons: dict[str, list[str]] = {}
    for timing in timings:
        if timing["void"]:
            reasons.setdefault(str(timing["void_reason"]), []).append(str(timing["runtime"]))
    return [f"* {', '.join(names)}: void: {reason}" for reason, names in reasons.items()]


def _pixels(value: float, digits: int) -> str:
    if value < 0.001:
        return "<0.001"
    return f"{value:.{digits}f}" if value < 99.95 else short_number(value)


def _print_sweep(timings: Sequence[Row]) -> None:
    """Images per second by size of batch."""
    sizes = sorted({row["batch"] for timing in timings for row in timing.get("sweep", ())})
    if not sizes:
        return
    for begin in range(0, len(sizes), SIZES):
        _print_sizes(timings, sizes[begin : begin + SIZES])
    for timing in timings:
        for size, reason in timing.get("left_out", {}).items():
            console().print(f"[dim]{escape(timing['runtime'])}: batch {size} left out: {escape(reason)}[/dim]")


def _print_sizes(timings: Sequence[Row], sizes: Sequence[int]) -> None:
    table = plain_table("images/s at batch", *map(str, sizes), right=map(str, sizes))
    keep_whole(table)
    for timing in timings:
        rates = {row["batch"]: row["infer_images_per_s"] for row in timing.get("sweep", ())}
        cells = (short_number(rates[size]) if size in rates else "–" for size in sizes)
        table.add_row(_marked(timing, timing["runtime"]), *cells)
    console().print()
    console().print(table)


def _print_training(training: Row) -> None:
    out, mark = console(), "[yellow]*[/yellow]" if training["void"] else ""
    step, epoch = short_number(training["step_ms"]), short_number(training["epoch_s"])
    low, high = training["train_images_per_s_iqr"]
    out.print()
    out.print(
        f"training ({training['precision']}, batch {training['batch']}): {step} ms per step, "
        f"{training['train_images_per_s']:.0f} images/s ({low:.0f}–{high:.0f}), "
        f"{epoch} s per epoch of {training['epoch_images']} images{mark}",
        soft_wrap=True,
    )
    if training["void"]:
        out.print(f"[yellow]* training: void: {escape(str(training['void_reason']))}[/yellow]", soft_wrap=True)


def _marked(timing: Row, text: str) -> str:
    return f"{escape(text)}[yellow]*[/yellow]" if timing["void"] else escape(text)
