"""`fkbench list`: what there is to use, and why something is not."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Annotated, Any

import typer

from fkbench.cli.session import Session, current, note, print_json
from fkbench.datasets.layout import has_pack
from fkbench.errors import UnknownNameError
from fkbench.protocols import PROTOCOLS
from fkbench.registry import KINDS
from fkbench.schemes import known_schemes
from fkbench.specs import DatasetSpec, ModelSpec

SUBJECTS = ("models", "datasets", "detectors", "schemes", "metrics", "protocols", "runtimes")
Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command("list")(command)


def command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="One of: " + ", ".join(SUBJECTS) + "; all of them if left out.")] = "",
    pattern: Annotated[str, typer.Argument(help="Only names that match, for example '*net'.")] = "*",
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects on stdout.")] = False,
) -> None:
    """List models, datasets, detectors, schemes, metrics, protocols or runtimes."""
    session = current(context)
    if subject and subject not in SUBJECTS:
        if f"{subject}s" not in SUBJECTS:
            raise UnknownNameError("kind", subject, SUBJECTS)
        subject = f"{subject}s"
    chosen = (subject,) if subject else SUBJECTS
    found = {kind: [row for row in rows(session, kind) if fnmatch(row["name"], pattern)] for kind in chosen}
    if as_json:
        print_json([{**row, "kind": kind} for kind, part in found.items() for row in part])
        return
    if not any(found.values()):
        note(f"Nothing matches '{pattern}'.")
    for kind, part in found.items():
        if part:
            print_table(kind, part)


def rows(session: Session, kind: str) -> list[Row]:
    """One row per name of a kind, with name, available, reason, plugin, summary and what the kind adds."""
    if kind == "schemes":
        schemes = known_schemes(session.registry.all(DatasetSpec)).values()
        return [_builtin(s.name, s.summary, points=len(s.points)) for s in schemes]
    if kind == "protocols":
        return [
            _builtin(p.name, p.summary, version=p.version, frozen=p.frozen, ranked=p.ranked) for p in PROTOCOLS.values()
        ]
    found = []
    for spec in session.registry.all(KINDS[kind]):
        reason = spec.unavailable()
        extra: Row = {}
        if isinstance(spec, DatasetSpec):
            missing = [name for name in spec.requires if not has_pack(session.data_root, name)]
            reason = reason or (f"not imported here, see `fkbench data get {spec.name}`" if missing else None)
            extra = {"scheme": spec.scheme_name, "splits": [s.name for s in spec.splits], "boxes": list(spec.boxes)}
        if isinstance(spec, ModelSpec):
            extra = {"role": spec.role, "input": list(spec.input), "recipes": sorted(spec.recipes)}
        row = {"name": spec.name, "available": reason is None, "reason": reason, "plugin": str(spec.plugin)}
        found.append({**row, "summary": spec.summary, **extra})
    return found


def _builtin(name: str, summary: str, **extra: Any) -> Row:
    return {"name": name, "available": True, "reason": None, "plugin": "built in", "summary": summary, **extra}


def print_table(kind: str, part: Sequence[Mapping[str, Any]]) -> None:
    """Names and what they are, in two columns as wide as the terminal.

    Plain text: Rich would take half of the 0.3 s in which a list must answer, for a bold title.
    """
    width = shutil.get_terminal_size((100, 24)).columns
    left = max([len(row["name"]) for row in part], default=0) + 4
    typer.echo(kind)
    for row in part:
        mark = " " if row["available"] else "–"
        text = row["summary"] if row["available"] else f"{row['summary']} (not available: {row['reason']})"
        details = _details(row)
        words = f"{text} [{details}]" if details else text
        lines = textwrap.wrap(words, max(30, width - left)) or [""]
        typer.echo(f"{mark} {row['name']}".ljust(left) + lines[0])
        for line in lines[1:]:
            typer.echo(" " * left + line)
    typer.echo()


def _details(row: Mapping[str, Any]) -> str:
    shown = []
    for key, value in row.items():
        hidden = {"name", "available", "reason", "summary", "kind"} | ({"plugin"} if _is_ours(str(value)) else set())
        if key in hidden or value in ([], None, "entry"):
            continue
        shown.append(f"{key} {'×'.join(map(str, value)) if key == 'input' else _words(value)}")
    return "; ".join(shown)


def _is_ours(plugin: str) -> bool:
    return plugin == "built in" or plugin.startswith("fkbench ")


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
