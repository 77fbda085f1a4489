"""`fkbench check`: the conformance kit on one plugin, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, console, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from fkbench.specs import Spec
    from fkbench.testing import Finding, Suite

MARKS = {"passed": "[green]✓[/green]", "failed": "[bold red]✗[/bold red]", "skipped": "[dim]–[/dim]"}
REMEDY = "→ "


def register(app: typer.Typer) -> None:
    app.command("check")(command)


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A plugin's name, a family's member, or a file: ./mynet.py, ./data.toml")],
    kind: Annotated[str, typer.Option(help="model, dataset, detector, metric or runtime, where names collide.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting of the plugin: key=value.")] = None,
    as_json: JsonObjectOption = False,
) -> None:
    """Check that a plugin does what the harness expects of it, and say what to do where it does not."""
    session = current(context)
    from fkbench.testing.targets import FILES, specs_of_file, specs_of_name

    if name.endswith(FILES):
        specs = specs_of_file(session.registry, Path(name))
    else:
        specs = specs_of_name(session.registry, name, kind)
    suites = [_suite(session, spec, set_ or []) for spec in specs]
    reports = [_report(suite, session, quiet=as_json) for suite in suites]
    failed = sum(report["failed"] for report in reports)
    if as_json:
        print_json({"plugins": reports, "failed": failed})
    if failed:
        raise typer.Exit(1)


def _suite(session: Session, spec: Spec, assignments: list[str]) -> Suite:
    from fkbench.registry import KINDS
    from fkbench.specs import DatasetSpec
    from fkbench.testing import suite_of

    kind = next(group.removesuffix("s") for group, type_ in KINDS.items() if isinstance(spec, type_))
    given = parse_settings(assignments, kind)
    others = sorted(set(given) - {kind})
    if others:
        raise FkbenchError(f"'{spec.name}' is a {kind}: {', '.join(others)} settings do not apply.", "Leave them out.")
    store = session.store if isinstance(spec, DatasetSpec) else None
    return suite_of(spec, store=store, settings=given.get(kind, {}))


def _report(suite: Suite, session: Session, *, quiet: bool) -> dict[str, Any]:
    """Run a suite, printing each finding as it is made; the whole as JSON values."""
    found: list[Finding] = []
    title = f"{suite.kind} {suite.spec.name} ({suite.spec.plugin})"
    if not quiet:
        console().print(f"[bold]{title}[/bold]", soft_wrap=True)
    width = max(len(check.name) for check in suite.checks)
    for finding in suite:
        found.append(finding)
        if not quiet:
            _print(finding, width, repeated=_repeats(found))
        if session.debug and finding.trace:
            note(finding.trace)
    counts = Counter[str](finding.status for finding in found)
    if not quiet:
        seconds = sum(finding.seconds for finding in found)
        console().print(f"{_in_words(counts)}, {seconds:.1f} s\n", soft_wrap=True)
    about = {check.name: check.about for check in suite.checks}
    return {
        "name": suite.spec.name,
        "kind": suite.kind,
        "plugin": str(suite.spec.plugin),
        **{status: counts[status] for status in MARKS},
        "checks": [
            {
                "check": f.check,
                "about": about[f.check],
                "status": f.status,
                "message": f.message,
                "remedy": f.remedy,
                "seconds": round(f.seconds, 3),
            }
            for f in found
        ],
    }


def _repeats(found: list[Finding]) -> bool:
    """Whether the last finding was skipped for a reason that was given before."""
    last = found[-1]
    return last.status == "skipped" and any(other.message == last.message for other in found[:-1])


def _print(finding: Finding, width: int, *, repeated: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(min_width=width)
    grid.add_column()
    words = "for the same reason" if repeated else escape(finding.message)
    grid.add_row(MARKS[finding.status], finding.check, _said(finding, words))
    if finding.remedy:
        grid.add_row("", "", f"{REMEDY}{escape(finding.remedy)}")
    console().print(grid)


def _said(finding: Finding, words: str) -> str:
    return f"skipped: {words}" if finding.status == "skipped" else words


def _in_words(counts: Mapping[str, int]) -> str:
    parts = [f"{counts[status]} {status}" for status in MARKS if counts[status]]
    return f"{sum(counts.values())} checks: {', '.join(parts)}"
