"""What the pages of `fkbench show` share: their two forms, tables, settings; and the page of a plain plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from fkbench.cli.session import console
from fkbench.specs import Setting, Spec


@dataclass(frozen=True)
class Page:
    """An answer in both forms: `data` for `--json`, `write` for people. `notes` go to stderr with either."""

    data: dict[str, Any]
    write: Callable[[], None]
    notes: tuple[str, ...] = ()


def settings_page(spec: Spec, subject: str) -> Page:
    """What `--set` can change on a plugin."""
    rows = setting_rows(spec)
    prefix = subject.removesuffix("s")
    return Page({"name": spec.name, "kind": prefix, "settings": rows}, lambda: print_settings(rows, prefix))


def setting_rows(spec: Spec) -> list[dict[str, Any]]:
    """A plugin's settings as JSON values."""
    return [
        {"name": name, "default": setting.default, "help": _meaning(setting), "choices": list(setting.choices)}
        for name, setting in spec.settings.items()
    ]


def _meaning(setting: Setting) -> str:
    return f"{setting.help}, {' … '.join(map(str, setting.limits))}" if setting.limits else setting.help


def print_settings(rows: Sequence[Mapping[str, Any]], prefix: str) -> None:
    """A table of settings with the names that `--set` takes."""
    if not rows:
        console().print("No settings.")
        return
    table = plain_table("--set", "default", "help")
    for row in rows:
        named = all(str(choice) in row["help"] for choice in row["choices"])
        choices = "" if named else f" ({', '.join(map(str, row['choices']))})"
        table.add_row(f"{prefix}.{row['name']}", escape(str(row["default"])), escape(f"{row['help']}{choices}"))
    console().print(table)


def plain_table(*columns: str, right: Iterable[str] = ()) -> Table:
    """A table without lines; columns in `right` are aligned there."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in set(right) else "left", overflow="fold")
    return table


def print_facts(title: str, summary: str, facts: Mapping[str, Any]) -> None:
    """A heading and named lines; empty values are left out."""
    out = console()
    if title or summary:
        out.print(f"[bold]{escape(title or summary)}[/bold]" + (f"  {escape(summary)}" if title else ""))
    table = plain_table("", "")
    table.show_header = False
    for name, value in facts.items():
        if value not in (None, "", (), []):
            table.add_row(f"[dim]{escape(name)}[/dim]", escape(str(value)))
    if table.row_count:
        out.print(table)


def plugin_facts(spec: Spec) -> dict[str, Any]:
    """Where a plugin comes from and whether it can be used."""
    reason = spec.unavailable()
    return {"available": reason is None, "reason": reason, "plugin": str(spec.plugin), "summary": spec.summary}


def plugin_page(spec: Spec, subject: str) -> Page:
    """A detector, metric or runtime."""
    kind = subject.removesuffix("s")
    shown = ("role", "jitter", "licence", "better")
    extra = {key: value for key in shown if (value := getattr(spec, key, None)) not in (None, "")}
    data = {"name": spec.name, "kind": kind, **plugin_facts(spec), **extra, "settings": setting_rows(spec)}

    def write() -> None:
        facts = {"usable": data["reason"] or "yes", "plugin": data["plugin"], **extra}
        print_facts(f"{kind} {spec.name}", spec.summary, facts)
        if spec.settings:
            print_settings(data["settings"], kind)

    return Page(data, write)
