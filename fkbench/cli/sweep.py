"""`fkbench sweep`: a matrix of runs, each in a worker process with a time limit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.run import parse_seeds
from fkbench.cli.session import Session, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.sweep import Cell, Matrix, Options, Outcome, Planned

EPILOG = (
    "Examples: fkbench sweep nightly.toml; fkbench sweep --models dfk,fiyero --datasets synthetic15 --seeds 0-2 "
    "--time-limit 2h; fkbench sweep nightly.toml --dry-run. The same command goes on where a sweep was ended: "
    "finished runs are skipped, those that were cut off go on from their last checkpoint."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.toml]", help="Matrices in a file, in place of the options.")
    ] = None,
    models: Annotated[str, typer.Option(help="Names or files, with commas; * and ? stand for any letters.")] = "",
    datasets: Annotated[str, typer.Option(help="Names or files, with commas.")] = "",
    protocols: Annotated[str, typer.Option("--protocols", "--protocol", help="Names, with commas.")] = "",
    splits: Annotated[str, typer.Option("--splits", "--split", help="With commas; default: each dataset's.")] = "",
    boxes: Annotated[str, typer.Option("--boxes", "--box", help="With commas; default: each dataset's.")] = "",
    seeds: Annotated[str, typer.Option(help="Seeds, as 0,1,2 or 0-2. Default: 0.")] = "",
    epochs: Annotated[int | None, typer.Option(help="In place of the protocol's budget; unranks the runs.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N. Default: auto.")] = "",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As for run: protocol.…, model.…, dataset.…")
    ] = None,
    time_limit: Annotated[
        str, typer.Option(metavar="TIME", help="Of each run: 2h, 90m, 1h30m. Default: 24h, or the file's.")
    ] = "",
    jobs: Annotated[int, typer.Option(help="Runs at a time. Above 1 they disturb each other's timing.")] = 1,
    retry: Annotated[bool, typer.Option("--retry/--no-retry", help="Try runs again that failed before.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and why not the rest.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout at the end.")] = False,
) -> None:
    """Run every model on every dataset with every seed, each in a process of its own.

    What crashes, hangs, runs out of memory or gives NaN gets a record with the reason, and the rest goes on. Exit code
    1 where a run has failed.
    """
    lists = {"models": models, "datasets": datasets, "protocols": protocols, "splits": splits, "boxes": boxes}
    given = {"seeds": seeds, "epochs": epochs, "device": device, "set": assignments}
    matrices = [_of_options(lists, given)] if file is None else _of_file(file, lists | given)
    _sweep(current(context), matrices, time_limit, jobs, retry=retry, dry_run=dry_run, as_json=as_json)


def _sweep(
    session: Session, matrices: list[Matrix], time_limit: str, jobs: int, *, retry: bool, dry_run: bool, as_json: bool
) -> None:
    if jobs < 1:
        raise FkbenchError(f"--jobs is {jobs}, but must be above 0.", "For example --jobs 2.")
    planned = _planned(session, matrices, time_limit, _options(session, jobs), retry)
    if dry_run:
        _say_plan(planned, as_json)
    if not any(one.to_run or one.state in {"done", "kept"} for one in planned):
        none = "The run is not" if len(planned) == 1 else f"None of the {len(planned)} runs is"
        raise FkbenchError(
            f"{none} possible: {planned[0].reason}", "Nothing was begun." if dry_run else "See --dry-run."
        )
    if dry_run:
        return
    _carry_out(planned, _options(session, jobs), jobs, as_json=as_json, debug=session.debug)


def _of_options(lists: dict[str, str], given: dict[str, Any]) -> Matrix:
    from fkbench.sweep import Matrix

    for name in ("models", "datasets"):
        if not lists[name]:
            raise FkbenchError(f"No {name} are given.", "For example --models dfk --datasets synthetic15, or a file.")
    values: dict[str, Any] = {name: _parts(name, text) for name, text in lists.items() if text}
    if given["epochs"] is not None and given["epochs"] < 1:
        raise FkbenchError(f"--epochs is {given['epochs']}, but must be above 0.", "For example --epochs 10.")
    return Matrix(
        **values,
        seeds=parse_seeds(given["seeds"] or "0"),
        device=given["device"] or "auto",
        epochs=given["epochs"],
        settings=parse_settings(list(given["set"] or ()), "protocol"),
    )


def _parts(name: str, text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise FkbenchError(f"--{name} '{text}' has an empty name.", "Separate names with one comma.")
    return parts


def _of_file(file: Path, given: dict[str, Any]) -> list[Matrix]:
    from fkbench.sweep import read_sweep

    clash = [name for name, value in given.items() if value not in (None, "", [])]
    if clash:
        raise FkbenchError(
            f"--{clash[0]} and a file are given.", "The file says what is run; write it there, or leave the file out."
        )
    return read_sweep(file.expanduser())


def _options(session: Session, jobs: int) -> Options:
    from fkbench.sweep import Options

    return Options(
        data=session.data_root,
        runs=session.runs_root,
        plugins=tuple(session.plugins),
        strict=session.strict,
        offline=session.offline,
        threads=max(1, _cores() // jobs) if jobs > 1 else None,
    )


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _planned(session: Session, matrices: list[Matrix], time_limit: str, options: Options, retry: bool) -> list[Planned]:
    """The runs as they stand; a name that nobody knows is an error before anything is opened."""
    from dataclasses import replace

    from fkbench.cli.sweep_table import waiting
    from fkbench.specs import ModelSpec
    from fkbench.sweep import cells_of, duration, plan, slip

    limit = duration(time_limit) if time_limit else None
    names = [spec.name for spec in session.registry.all(ModelSpec) if spec.member is None and not spec.not_run]
    cells = cells_of(matrices, names)
    if limit is not None:
        cells = [replace(cell, limit=limit) for cell in cells]
    _check_names(session, cells)
    with waiting(f"planning {counted(len(cells), 'run')}") as say:
        planned = plan(cells, options, say, retry=retry)
    if session.debug:
        for line in (line for one in planned for line in one.log.splitlines()):
            note(line)
    wrong = slip(planned)
    if wrong is not None:
        raise FkbenchError(f"{wrong.cell.label}: {wrong.reason}", "Nothing was begun.")
    return planned


def _check_names(session: Session, cells: list[Cell]) -> None:
    from fkbench.local import check_there
    from fkbench.runner.plan import find_protocol
    from fkbench.specs import ModelSpec

    for model in dict.fromkeys(cell.model for cell in cells):
        if model.endswith(".py"):
            check_there(Path(model))
        elif ":" not in model:  # members of families may need packages that are not here; planning says so
            session.registry.get(ModelSpec, model)
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        session.dataset(dataset)
    for protocol in dict.fromkeys(cell.protocol for cell in cells):
        find_protocol(protocol)


def _say_plan(planned: list[Planned], as_json: bool) -> None:
    from fkbench.cli.sweep_table import plan_page, print_plan

    if as_json:
        print_json({"runs": [plan_page(one) for one in planned], "counts": _counts([one.state for one in planned])})
    else:
        print_plan(planned)


def _carry_out(planned: list[Planned], options: Options, jobs: int, *, as_json: bool, debug: bool) -> None:
    from fkbench.cli.sweep_table import SweepDisplay, outcome_page, plan_page, print_summary
    from fkbench.sweep import Sweep

    with SweepDisplay(planned, debug=debug) as display:
        sweep = Sweep(planned, options, jobs, display.watch)
        try:
            ended = sweep.carry_out()
        except KeyboardInterrupt:
            display.say("Stopped. The same command goes on: finished runs stay, others go on from their checkpoints.")
            raise
    outcomes: dict[int, tuple[Outcome, float]] = {id(one): (outcome, seconds) for one, outcome, seconds in ended}
    pages = [
        outcome_page(one, *outcomes[id(one)]) if id(one) in outcomes else plan_page(one)
        for one in planned
    ]  # fmt: skip
    counts = _counts([page["status"] or page["state"] for page in pages])
    if as_json:
        print_json({"runs": pages, "counts": counts})
    else:
        print_summary(pages, counts)
    if any(outcome.log for _, outcome, _ in ended) and not debug:
        note("With --debug the last words of processes that ended badly are shown; --json has them as `log`.")
    for one, outcome, _ in ended:
        if outcome.record is None:
            note(f"No record could be written of {one.label}: another process works on it, or the disk is full.")
    if any(page["state"] == "kept" or page["status"] not in {"done", None} for page in pages):
        raise typer.Exit(1)


def _counts(words: list[str]) -> dict[str, int]:
    return {word: words.count(word) for word in sorted(set(words))}
