"""`fkbench merge`: results of several people into one published folder, with a report of what is in conflict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fkbench.cli.leaderboard import added_page, made_text, print_added
from fkbench.cli.options import JsonValueOption
from fkbench.cli.session import note, print_json
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.publishing import Merged
    from fkbench.site import Leaderboards

EPILOG = (
    "Examples: fkbench merge shard-a shard-b (only says what would happen); fkbench merge shard-a shard-b --out "
    "leaderboards; fkbench merge ours theirs --out leaderboards --keep first."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("merge", epilog=EPILOG)(command)


def command(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Runs folders or published folders.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Published folder that takes them; what it holds stays. Without it: a report."
        ),
    ] = None,
    keep: Annotated[
        str,
        typer.Option(help="Which of two results in conflict is taken: of the folder named first or last, or neither."),
    ] = "neither",
    as_json: JsonValueOption = False,
) -> None:
    """Put shards together: one key with another outcome is a conflict, another device stands beside, damage is named.

    Exit code 1 where results are in conflict and --keep does not say which to take, or with one that DIR holds, which
    stays; or where a record is damaged or refused.
    """
    from fkbench.publishing import merge, rebuild
    from fkbench.records.beside import RESULTS

    target = out.expanduser() if out is not None else None
    done = merge([folder.expanduser() for folder in folders], target, keep)  # type: ignore[arg-type]
    made = None
    if target is not None and (done.results or (target / RESULTS).is_dir()):
        made = rebuild(target, processes=None)
    resolved = not any(clash.published or clash.kept is None for clash in done.added.conflicts)
    if as_json:
        page = {"read": done.read, "results": done.results, **added_page(done.added), "other_devices": done.devices}
        files = {"tables": made.tables if made else [], "pages": made.pages if made else []}
        print_json({**page, "left_out": _left_out(done), "damaged": done.damaged, **files, "keep": keep})
    else:
        _print(done, made, out)
    if not resolved or done.damaged or done.added.refused or done.added.sides.refused:
        raise typer.Exit(1)


def _left_out(done: Merged) -> dict[str, list[str]]:
    """Slug of a board → a line for each result that it does not have."""
    lines: dict[str, list[str]] = {}
    for one in done.left_out:
        lines.setdefault(one.board, []).append(one.note)
    return lines


KEEP = "Results in conflict are left out. --keep first (or last) takes those of the folder named first (or last)."
STAYS = (
    "What was there stays. To have the other one, `fkbench --runs ITS_FOLDER leaderboard --publish OUT --only KEY "
    "--replace`, or remove what is there and merge again."
)


def _print(done: Merged, made: Leaderboards | None, out: Path | None) -> None:
    """What was put together, for people."""
    from fkbench.boards.text import visible

    neither = any(clash.kept is None for clash in done.added.conflicts)
    stays = any(clash.published for clash in done.added.conflicts)
    print_added(done.added, remedy="\n".join([KEEP] * neither + [STAYS] * stays))
    for one in done.left_out:
        note(visible(one.note))
    for group in done.devices:
        note(f"One plan on several devices, each kept: {'; '.join(group)}")
    for line in done.damaged:
        note(f"Damaged: {line}")
    read = sum(done.read.values())
    place = f" in {out}" if out else ""
    note(f"{counted(read, 'record')} read, {counted(done.results, 'result')}{place}.")
    if out is None:
        note("Nothing was written: --out DIR puts them into a published folder.")
    if made is None:
        return
    for path, reason in made.faults.items():
        note(f"Shown as failed: {visible(path)}: {visible(reason)}")
    note(made_text(made, out or Path()))
