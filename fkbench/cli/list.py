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
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.protocols import PROTOCOLS
from fkbench.registry import KINDS
from fkbench.schemes import known_schemes
from fkbench.specs import DatasetSpec, ModelSpec, Spec, resolve

SUBJECTS = ("models", "datasets", "detectors", "schemes", "metrics", "protocols", "runtimes")
Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command("list")(command)


def command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="One of: " + ", ".join(SUBJECTS) + "; all of them if left out.")] = "",
    pattern: Annotated[
        str, typer.Argument(help="Only names that match, for example '*net'; members of a family: 'FAMILY:*net*'.")
    ] = "*",
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
    if "models" in chosen:
        found["models"] += members(session, pattern)
    if as_json:
        print_json([{**row, "kind": kind} for kind, part in found.items() for row in part])
        return
    if not any(found.values()):
        note(f"Nothing matches '{pattern}'.")
    for number, (kind, part) in enumerate((kind, part) for kind, part in found.items() if part):
        if number:
            typer.echo()
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
    return [_row(session, spec) for spec in session.registry.all(KINDS[kind])]


def _row(session: Session, spec: Spec) -> Row:
    reason = spec.unavailable()
    extra: Row = {}
    if isinstance(spec, DatasetSpec):
        missing = [name for name in spec.requires if not has_pack(session.data_root, name)]
        reason = reason or (f"not imported here, see `fkbench data get {spec.name}`" if missing else None)
        extra = {"scheme": spec.scheme_name, "splits": [s.name for s in spec.splits], "boxes": list(spec.boxes)}
    if isinstance(spec, ModelSpec):
        extra = {"role": spec.role, "input": list(spec.input), "recipes": sorted(spec.recipes)}
        if spec.member is not None:
            extra["members"] = f"{spec.name}:NAME"
    row = {"name": spec.name, "available": reason is None, "reason": reason, "plugin": str(spec.plugin)}
    return {**row, "summary": spec.summary, **extra}


def members(session: Session, pattern: str) -> list[Row]:
    """One row per member of a family of models, where the pattern names the family (`family:*net*`).

    Raises:
        FkbenchError: the family lacks packages here.
    """
    head, colon, _ = pattern.partition(":")
    family = session.registry.specs["models"].get(head)
    if not colon or not isinstance(family, ModelSpec) or family.members is None:
        return []
    lacking = family.lacking()
    if lacking:
        raise FkbenchError(f"The models of '{head}' cannot be listed here: {lacking}.", "Install it with pip.")
    row = {**_row(session, family), "summary": f"member of {head}"}
    del row["members"]
    names = [f"{head}:{name}" for name in resolve(family.members)()]
    return [{**row, "name": name} for name in names if fnmatch(name, pattern)]


def _builtin(name: str, summary: str, **extra: Any) -> Row:
    return {"name": name, "available": True, "reason": None, "plugin": "built in", "summary": summary, **extra}


def print_table(kind: str, part: Sequence[Mapping[str, Any]]) -> None:
    """Names and what they are, in two columns as wide as the terminal.

    Plain text: Rich would take half of the 0.3 s in which a list must answer, for a bold title.
    """
    width = shutil.get_terminal_size((100, 24)).columns
    shown = [str(row.get("members", row["name"])) for row in part]
    left = max(map(len, shown), default=0) + 4
    typer.echo(kind)
    for name, row in zip(shown, part, strict=True):
        mark = " " if row["available"] else "–"
        text = row["summary"] if row["available"] else f"{row['summary']} (not available: {row['reason']})"
        details = _details(row)
        words = f"{text} [{details}]" if details else text
        lines = textwrap.wrap(words, max(30, width - left)) or [""]
        typer.echo(f"{mark} {name}".ljust(left) + lines[0])
        for line in lines[1:]:
            typer.echo(" " * left + line)


def _details(row: Mapping[str, Any]) -> str:
    shown = []
    hidden = {"name", "available", "reason", "summary", "kind", "members"}
    for key, value in row.items():
        if key in hidden or value in ([], None, "entry") or (key == "plugin" and _is_ours(str(value))):
            continue
        shown.append(f"{key} {'×'.join(map(str, value)) if key == 'input' else _words(value)}")
    return "; ".join(shown)


def _is_ours(plugin: str) -> bool:
    return plugin == "built in" or plugin.startswith("fkbench ")


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
