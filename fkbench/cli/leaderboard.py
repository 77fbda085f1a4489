"""`fkbench leaderboard`: records into tables, and into a published folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonValueOption
from fkbench.cli.session import Session, current, note, print_json
from fkbench.errors import FkbenchError, UnknownNameError

if TYPE_CHECKING:
    from fkbench.publishing import Added, Clash, Sides
    from fkbench.records import ResultStore, RunRecord
    from fkbench.site import Leaderboards

EPILOG = (
    "Examples: fkbench leaderboard; fkbench leaderboard --out tables; fkbench --runs leaderboards leaderboard (a "
    "published folder is read like a runs folder); fkbench leaderboard --publish leaderboards --only dfk@synthetic15. "
    "The same with --runs and --publish on one folder makes its tables and pages again."
)
_FIELDS_SHOWN = 6
OutOption = Annotated[
    Path | None,
    typer.Option(
        help="Write each board as Markdown, CSV, JSON and LaTeX into this folder, and index.html with all of them."
    ),
]
PublishOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=(
            "Add the results to this folder, checked and without names of users and paths; make its tables and pages "
            "again."
        ),
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUN",
        help=(
            "Publish only this: a key, a folder, model@dataset for all seeds, or detector@dataset for the score of a "
            "detector; repeatable."
        ),
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("leaderboard", epilog=EPILOG)(leaderboard)


def leaderboard(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Boards, and results to publish, of this dataset only.")] = None,
    out: OutOption = None,
    publish: PublishOption = None,
    only: OnlyOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Publish in place of other results of the same key and device.")
    ] = False,
    as_json: JsonValueOption = False,
) -> None:
    """Tables of all runs: ranks that admit ties, scores with intervals, speed, and why a row is not ranked.

    With --publish: results that others can check, merge and rank. Exit code 1 where a result was refused, or is in
    conflict with one that is published.
    """
    if publish is not None:
        _publish(context, publish, dataset, list(only or ()), replace=replace, out=out, as_json=as_json)
        return
    if only or replace:
        raise FkbenchError("--only and --replace say what to publish.", "Add --publish DIR.")
    from fkbench.cli.leaderboard_tables import show_tables, write_tables

    if out is not None:
        write_tables(current(context), dataset, out.expanduser(), as_json=as_json)
    else:
        show_tables(current(context), dataset, as_json=as_json)


def made_text(made: Leaderboards, folder: Path) -> str:
    """How many files there are, in words."""
    rows = sum(path.suffix == ".html" for path in made.pages) - 1
    return (
        f"{len(made.tables)} tables, index.html and {rows} page{'' if rows == 1 else 's'} of ranked rows in {folder}."
    )


def _publish(
    context: typer.Context,
    folder: Path,
    dataset: str | None,
    only: list[str],
    *,
    replace: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    from fkbench.publishing import Scrubber, check_apart, publish, publish_detectors, rebuild

    if out is not None:
        raise FkbenchError("--publish writes tables, too.", "Leave --out out, or call without --publish.")
    damaged: list[str] = []
    session, target, scrubber = current(context), folder.expanduser(), Scrubber.of_this_machine()
    root = session.runs_root
    check_apart(root, target)
    chosen = _chosen(root, dataset, only, damaged)
    _say_stale(session, chosen)
    done = publish(chosen, target, scrubber, replace=replace)
    named = only or None
    publish_detectors(root, target, scrubber, done.sides, dataset=dataset, only=named, replace=replace)
    said = list(dict.fromkeys(damaged))
    for line in said:  # first: where nothing else is published, the tables cannot be made
        note(f"Damaged: {line}")
    made = rebuild(target, damaged.append, processes=None)
    done.refused |= made.faults
    for line in dict.fromkeys(damaged):
        if line not in said:
            note(f"Damaged: {line}")
    if as_json:
        print_json({**added_page(done), "tables": made.tables, "pages": made.pages, "damaged": damaged})
    else:
        print_added(done)
        note(made_text(made, folder))
    if done.refused or done.sides.refused or done.conflicts or damaged:
        raise typer.Exit(1)


def _say_stale(session: Session, chosen: list[RunRecord]) -> None:
    """Own tables do not rank such runs; what is published is of the commit that its record names."""
    from fkbench.cli.leaderboard_tables import marked_stale

    for record, marked in zip(chosen, marked_stale(session, chosen), strict=True):
        if marked.flags != record.flags:
            note(f"{record.model.name} {record.key}: the model's code has changed since; published as of its commit.")


def _chosen(root: Path, dataset: str | None, only: list[str], damaged: list[str]) -> list[RunRecord]:
    from fkbench.boards import of_dataset
    from fkbench.records import ResultStore
    from fkbench.records.detections import detector_files, detectors_of, names_of
    from fkbench.records.lookup import label

    store = ResultStore(root)
    detectors = {name for page in detectors_of(root, _unheard) for name in names_of(page)} if only else set()
    of_runs = [text for text in only if text not in detectors or _means_runs(store, text)]
    if only and not of_runs:
        return []
    records = store.records(damaged.append)
    if not records and not only and (damaged or detector_files(root)):
        return []
    unknown = [text for text in of_runs if "@" in text and detectors and not _means_runs(store, text)]
    if unknown:
        raise UnknownNameError("run or detector's score", unknown[0], detectors | {label(record) for record in records})
    if only:
        records = list({record.path: record for text in of_runs for record in store.find_all(text, _unheard)}.values())
    return of_dataset(records, root, dataset)


def _unheard(_line: str) -> None:
    """What cannot be read and was not asked for."""


def _means_runs(store: ResultStore, text: str) -> bool:
    """Whether runs have this name as well as a detector's result."""
    try:
        return bool(store.find_all(text, _unheard))
    except UnknownNameError:
        return False


def added_page(done: Added) -> dict[str, Any]:
    """What was done to a published folder, as JSON values."""
    return {
        "written": done.written,
        "replaced": done.replaced,
        "same": done.same,
        "other_device": done.apart,
        "repeats": [_clash_page(clash) for clash in done.repeats],
        "conflicts": [_clash_page(clash) for clash in done.conflicts],
        "refused": [{"path": path, "reason": reason} for path, reason in _refused(done).items()],
        "detections": {"written": done.sides.written, "kept": done.sides.kept},
    }


def _refused(done: Added) -> dict[str, str]:
    return {**done.refused, **done.sides.refused}


def _clash_page(clash: Clash) -> dict[str, Any]:
    fields = [{"field": one.field, "first": one.first, "other": one.second} for one in clash.fields]
    sides = {"kept": clash.kept, "first": clash.first, "other": clash.other, "first_published": clash.published}
    return {**sides, "kind": clash.kind, "why": clash.why, "fields": fields}


REPLACE = "What was there stays. --replace puts the new results in their place."


def print_added(done: Added, remedy: str = REPLACE) -> None:
    """The same for people: what was written on stdout, what needs a look on stderr."""
    for title, files in (("published", done.written), ("beside another device's", done.apart), ("now", done.replaced)):
        for file in files:
            typer.echo(f"{title}: {file}")
    _print_sides(done.sides)
    if done.same:
        note(f"{len(done.same)} published before, unchanged.")
    for clash in done.repeats:
        lost = clash.other if clash.kept == clash.first else clash.first
        note(_plain(f"Measured twice: {clash.kept} is kept, {lost} is not; {clash.why}"))
    for clash in done.conflicts:
        _print_conflict(clash)
    if done.conflicts and remedy:
        note(remedy)
    for path, reason in _refused(done).items():
        note(f"Refused: {_plain(path)}: {_plain(reason)}")


def _print_conflict(clash: Clash) -> None:
    """Both results by their paths, and in what they differ in the same order."""
    there = "published" if clash.published else "first"
    stays = "neither" if clash.kept is None else there if clash.kept == clash.first else "other"
    note(f"Conflict: two outcomes of one key; kept: {stays}")
    for name, path in ((there, clash.first), ("other", clash.other)):
        note(f"  {name}: {_plain(path)}")
    for one in clash.fields[:_FIELDS_SHOWN]:
        note(f"  {_plain(one.field)}: {there} {_plain(one.first)}, other {_plain(one.second)}")
    if len(clash.fields) > _FIELDS_SHOWN:
        note(f"  and {len(clash.fields) - _FIELDS_SHOWN} more fields (--json has all)")


def _print_sides(sides: Sides) -> None:
    for file in sides.written:
        typer.echo(f"published: {file}")
    for file in sides.kept:
        note(f"Stays, though another result was given (--replace takes that one): {_plain(str(file))}")


def _plain(text: str) -> str:
    from fkbench.boards.text import visible

    return visible(text)
