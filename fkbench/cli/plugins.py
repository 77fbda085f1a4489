"""`fkbench plugins`: what is loaded, and what failed and why."""

from __future__ import annotations

from typing import Annotated

import typer

from fkbench.cli.session import console, current, print_json
from fkbench.registry import KINDS


def register(app: typer.Typer) -> None:
    app.command("plugins")(command)


def command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Show which plugins are loaded, what each registers, and what failed to load and why."""
    session = current(context)
    session.warn = False
    registry = session.registry
    loaded = [
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
    failed = [{"plugin": f.plugin, "part": f.part, "reason": f.reason} for f in registry.failures]
    if as_json:
        print_json({"plugins": loaded, "failures": failed})
        return
    out = console()
    for entry in loaded:
        out.print(f"[bold]{entry['name']}[/bold] {entry['version']} ({entry['path']})")
        registers = entry["registers"]
        assert isinstance(registers, dict)
        for kind, names in registers.items():
            if names:
                out.print(f"  {kind}: {', '.join(names)}")
    for failure in registry.failures:
        out.print(f"[red]failed[/red] {failure.plugin}, {failure.part}: {failure.reason}", markup=True)
        if session.debug:
            out.print(failure.trace, markup=False)
    if not failed:
        out.print("Nothing failed to load.")
