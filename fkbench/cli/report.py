"""What a run says when it is done: its scores beside the baselines, its speed, and where everything lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.cli.session import console
from fkbench.words import plural

if TYPE_CHECKING:
    from fkbench.records import RunRecord, Timing


def print_report(records: Sequence[RunRecord]) -> None:
    """A table of the runs beside their baselines, then speed, flags and files."""
    from rich.table import Table

    first = records[0]
    out = console()
    data = first.dataset
    out.print(
        f"{data.name}, split {data.split}, box {first.box}, {first.protocol.name} v{first.protocol.version}; "
        f"{data.counts.get('test', 0)} test images",
        soft_wrap=True,
        style="italic",
    )
    table = Table(box=None, pad_edge=False)
    for column in ("", "rmse px", "95 % interval", "mae px", "NME inter-ocular"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for record in records:
        name = record.model.name + (f" seed {record.seed}" if len(records) > 1 else "")
        table.add_row(f"[bold]{name}[/bold]", *_cells(record.metric("rmse"), record.metrics.get("rmse_ci"), record))
    for name, metrics in first.baseline.items():
        table.add_row(name, _number(metrics.get("rmse"), 3), "", _number(metrics.get("mae"), 3),
                      _percent(metrics.get("nme@inter_ocular")))  # fmt: skip
    out.print(table)
    for record in records:
        _print_run(record)


def _cells(rmse: float | None, interval: object, record: RunRecord) -> list[str]:
    low, high = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)
    between = f"{_number(low, 2)} – {_number(high, 2)}" if low is not None else ""
    return [_number(rmse, 3), between, _number(record.metric("mae"), 3), _percent(record.metric("nme@inter_ocular"))]


def _print_run(record: RunRecord) -> None:
    out = console()
    folder = Path(record.path)
    if record.timing is not None:
        out.print(f"{_trained(record.timing)}; {session_line(record, record.timing)}")
        if getattr(record.timing, "void", False):
            again = f"fkbench time {record.key} --again"
            out.print(f"that concerns no score; for speeds that count, when nothing else is running: {again}")
    own = record.metric("native_loss")
    if own is not None:
        codec = record.protocol.recipe.get("codec")
        name = f" ({codec['loss']})" if isinstance(codec, dict) and "loss" in codec else ""
        out.print(f"the article's own loss{name} on the test part: {own:.5g}")
    if record.flags:
        out.print(f"[yellow]marked: {', '.join(record.flags)}[/yellow]")
    if record.reused:
        out.print("This run was finished before and is shown again; --force runs it anew.")
    for name, text in (
        ("record.json", "record"), ("loss.png", "loss curve"), ("predictions.png", "predictions against truth")
    ):  # fmt: skip
        if (folder / name).is_file():
            out.print(f"{text}: {folder / name}", soft_wrap=True)


def _trained(timing: Timing) -> str:
    text = f"trained in {timing.train_s:.1f} s" if timing.train_s is not None else ""
    if timing.train_images_per_s:
        text += f" ({timing.train_images_per_s:.0f} images/s)"
    at_once = getattr(timing, "trained_at_once", None)
    if type(at_once) is int and at_once > 1:
        text += f", its share of {at_once} seeds at once"
    return text


def session_line(record: RunRecord, timing: Timing) -> str:
    """A session in one line, as Rich's markup; of one that does not count it says so first."""
    from rich.markup import escape

    infer = f"{timing.infer_images_per_s:.0f} images/s" if timing.infer_images_per_s else "not timed"
    latency = timing.latency_ms.p50 if timing.latency_ms else None
    speed = f"inference {infer}, latency {_number(latency, 2)} ms (p50)"
    if getattr(timing, "void", False):
        why = getattr(timing, "void_reason", None) or "no reason given"
        speed = f"[yellow]void: {escape(str(why))}[/yellow] ({speed})"
    threads = f"{record.device.threads} {plural(record.device.threads or 0, 'thread')}"
    return f"{speed}; on {escape(record.device.name)}, {threads}"


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "–"


def _percent(value: object) -> str:
    return f"{100 * value:.2f} %" if isinstance(value, int | float) else "–"
