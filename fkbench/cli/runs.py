"""`fkbench runs`: what is in the runs folder, and housekeeping there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonValueOption
from fkbench.cli.session import console, current, note, print_json
from fkbench.errors import FkbenchError
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.records import Leftover, RunRecord, RunStore

DAY = 86400.0
_KEY_SHOWN = 12  # enough to name a run, and the table fits into 80 columns


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(no_args_is_help=True, help="List runs, remove some, clear away what unfinished ones left.")
    group.command("list")(list_runs)
    group.command("rm")(remove)
    group.command("gc")(collect)
    app.add_typer(group, name="runs")


def list_runs(context: typer.Context, as_json: JsonValueOption = False) -> None:
    """All runs of the runs folder, finished or not: failed ones with their status, those without a record below."""
    store = _store(context)
    records = store.records(note)
    unfinished = [leftover for leftover in store.leftovers(time.time()) if leftover.path.is_dir()]
    if as_json:
        print_json({"runs": [record.to_json() for record in records], "unfinished": _pages(unfinished)})
        return
    if records:
        _print_table(records)
    elif not unfinished:
        note(f"There are no runs in '{store.root}'.")
        if store.holds_published:
            note(f"It holds published results: `fkbench --runs {store.root} leaderboard` shows them.")
    for leftover in unfinished:
        note(f"Unfinished: {leftover.path} ({leftover.bytes / 2**20:.1f} MiB, changed {_ago(leftover.age)} ago).")
    if unfinished:
        note("It may still be running; else the command that began it goes on with it.")
        note("`fkbench runs gc --older-than 0` clears away what is not running.")


def remove(
    context: typer.Context,
    runs: Annotated[
        list[str], typer.Argument(help="Folders, keys, beginnings of keys, or model@dataset for all seeds.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonValueOption = False,
) -> None:
    """Delete runs: record, weights, predictions and pictures. Nothing is where one of them is running."""
    from fkbench.records.files import bytes_of, stats_below

    store = _store(context)
    folders = list(dict.fromkeys(folder for run in runs for folder in _folders(store, run)))
    for folder in folders:
        note(f"{folder} ({bytes_of(stats_below(folder)) / 2**20:.1f} MiB)")
    if not yes and not _confirmed(len(folders)):
        note("Nothing was removed.")
        folders = []
    store.remove(*folders)
    if as_json:
        print_json({"removed": folders})
    elif folders:
        note(f"Removed {counted(len(folders), 'run')}.")


def collect(
    context: typer.Context,
    older_than: Annotated[float, typer.Option(help="Days since anything in it changed.", min=0.0)] = 7.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: JsonValueOption = False,
) -> None:
    """Remove what unfinished runs left behind: folders without a record (they could have been gone on with) and scratch
    files. Runs with a record, failed ones too, stay; `runs rm` removes those."""
    store = _store(context)
    leftovers = store.leftovers(time.time())
    old = [leftover for leftover in leftovers if leftover.age >= older_than * DAY]
    young = len(leftovers) - len(old)
    old = _removed(store, old, dry_run)
    if as_json:
        print_json({"removed": [] if dry_run else _pages(old), "would_remove": _pages(old) if dry_run else []})
        return
    verb = "Would remove" if dry_run else "Removed"
    for leftover in old:
        note(f"{verb} {leftover.path} ({leftover.bytes / 2**20:.1f} MiB, unchanged for {leftover.age / DAY:.1f} days)")
    if not old and len(leftovers) == young:
        note(f"Nothing to remove: no leftovers older than {older_than:g} days.")
    if young:
        note(f"{young} younger left alone: they may still be running, or be gone on with.")


def _removed(store: RunStore, leftovers: list[Leftover], dry_run: bool) -> list[Leftover]:
    """Those of them that were (or would be) removed; those of runs that are running are not, which is said."""
    from fkbench.records.locks import RunBusyError

    removed = []
    for leftover in leftovers:
        try:
            store.remove(leftover.path, dry_run=dry_run)
            removed.append(leftover)
        except RunBusyError:
            note(f"Left alone: {leftover.path} is running.")
    return removed


def _store(context: typer.Context) -> RunStore:
    from fkbench.records import RunStore

    return RunStore(current(context).runs_root)


def _folders(store: RunStore, run: str) -> list[Path]:
    """The folders that a text means; one that is given as a path may be damaged or unfinished."""
    path = Path(run).expanduser()
    if path.is_dir():
        try:
            depth = len(path.resolve().relative_to(store.root.resolve()).parts)
        except ValueError:
            depth = 0
        if depth != 3:
            raise FkbenchError(
                f"'{run}' is not the folder of a run in '{store.root}'.",
                "Runs lie at <runs>/<dataset>/<model>/<key>; see `fkbench runs list`.",
            )
        return [path]
    return [Path(record.path) for record in store.find_all(run)]


def _confirmed(count: int) -> bool:
    try:
        return typer.confirm(f"Remove {counted(count, 'run')}?", err=True)
    except typer.Abort:
        raise FkbenchError(
            "Nothing was removed: there was no answer.", "Add --yes to remove without being asked."
        ) from None


def _ago(seconds: float) -> str:
    for size, unit in ((DAY, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _pages(leftovers: list[Leftover]) -> list[dict[str, Any]]:
    return [{"path": item.path, "bytes": item.bytes, "age_s": round(item.age, 1)} for item in leftovers]


def _print_table(records: list[RunRecord]) -> None:
    from rich.table import Table
    from rich.text import Text

    from fkbench.boards.text import visible

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="underline")
    for title in ("key", "model", "dataset", "box", "protocol", "seed", "status", "rmse"):
        table.add_column(
            title, justify="right" if title in {"seed", "rmse"} else "left", no_wrap=title != "status", overflow="fold"
        )
    for record in records:
        rmse = record.metric("rmse")
        cells = (
            record.key[:_KEY_SHOWN],
            record.model.name,
            f"{record.dataset.name}/{record.dataset.split}",
            record.box,
            f"{record.protocol.name} v{record.protocol.version}",
            str(record.seed),
            ", ".join([record.status if not record.reason else f"{record.status}: {record.reason}", *record.flags]),
            f"{rmse:.3f}" if rmse is not None else "–",
        )
        table.add_row(*(Text(visible(cell), style="" if record.status == "done" else "red") for cell in cells))
    console().print(table)
