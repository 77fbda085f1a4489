"""`fkbench plugins`: what is loaded, and what failed and why."""

from __future__ import annotations

from typing import Any

import typer

from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import console, current, print_json
from fkbench.registry import KINDS, Failure


def register(app: typer.Typer) -> None:
    app.command("plugins")(command)


def command(
    context: typer.Context,
    as_json: JsonObjectOption = False,
) -> None:
    """Show which plugins are loaded, what each registers, and what failed to load and why."""
    session = current(context)
    session.warn = False
    registry = session.registry
    loaded: list[dict[str, Any]] = [
        {
            "name": plugin.name,
            "version": plugin.version,
            "path": plugin.path,
            "registers": {
                kind: [spec.name for spec in registry.all(KINDS[kind]) if spec.plugin == plugin] for kind in KINDS
            },
        }
        for plugin in registry.plugins
    ]
    failed = [{"plugin": f.plugin, "origin": f.origin, "part": f.part, "reason": f.reason} for f in registry.failures]
    if as_json:
        print_json({"plugins": loaded, "failures": failed})
        return
    _write(loaded, registry.failures, traces=session.debug)


def _write(loaded: list[dict[str, Any]], failures: list[Failure], *, traces: bool) -> None:
    from rich.markup import escape

    out = console()
    for entry in loaded:
        where = f" ({entry['path']})" if entry["path"] not in ("", entry["name"]) else ""
        out.print(f"[bold]{escape(entry['name'])}[/bold] {escape(entry['version'] + where)}", soft_wrap=True)
        for kind, names in entry["registers"].items():
            if names:
                out.print(f"  {kind}: {', '.join(names)}", markup=False)
        if not any(entry["registers"].values()):
            out.print("  registers nothing")
    for failure in failures:
        origin = f" ({failure.origin})" if failure.origin not in ("", failure.plugin) else ""
        head = f"[red]failed[/red] {escape(failure.plugin + origin)}, {escape(failure.part)}:"
        out.print(f"{head} {escape(failure.reason)}", soft_wrap=True)
        if traces:
            out.print(failure.trace, markup=False)
    if not failures:
        out.print("Nothing failed to load.")
