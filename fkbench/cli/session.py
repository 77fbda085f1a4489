"""What every command shares: the global options, the registry, where data and runs lie, and how to print."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from rich.console import Console

    from fkbench.datasets.store import Store
    from fkbench.registry import Registry
    from fkbench.specs import DatasetSpec


@dataclass
class Session:
    """Global options of this call.

    Attributes:
        data: data folder; None: `FKBENCH_DATA` or the platform's user data folder.
        runs: runs folder; None: `FKBENCH_RUNS` or `./runs`.
        plugins: local plugin files to load.
        strict: a plugin that fails to load is an error.
        offline: the network must not be used.
        debug: show tracebacks.
        warn: say on stderr what failed to load (`fkbench plugins` says it in its answer).
    """

    data: Path | None = None
    runs: Path | None = None
    plugins: list[Path] = field(default_factory=list)
    strict: bool = False
    offline: bool = False
    debug: bool = False
    warn: bool = True

    @cached_property
    def registry(self) -> Registry:
        from fkbench.registry import load_registry

        registry = load_registry(self.plugins, strict=self.strict)
        for failure in registry.failures if self.warn else ():
            note(f"Warning: plugin {failure.plugin} ({failure.part}): {failure.reason}")
        return registry

    def dataset(self, name: str) -> DatasetSpec:
        """A dataset by name, or of a local file (`./mydata.toml`, `./faces.py`).

        Raises:
            FkbenchError: there is none, or the file cannot be used.
        """
        from fkbench.finding import find_dataset

        return find_dataset(self.registry, name, self.data_root)

    @property
    def data_root(self) -> Path:
        return data_root(self.data)

    @property
    def store(self) -> Store:
        from fkbench.datasets.store import Store

        return Store(self.data_root)

    @property
    def runs_root(self) -> Path:
        return runs_root(self.runs)


def data_root(given: Path | None = None) -> Path:
    """The data folder: as given, else `FKBENCH_DATA`, else the platform's user data folder."""
    if given is not None:
        return given.expanduser()
    if os.environ.get("FKBENCH_DATA"):
        return Path(os.environ["FKBENCH_DATA"]).expanduser()
    from platformdirs import user_data_path

    return user_data_path("fkbench", appauthor=False)


def runs_root(given: Path | None = None) -> Path:
    """The runs folder: as given, else `FKBENCH_RUNS`, else `./runs`."""
    return (given or Path(os.environ.get("FKBENCH_RUNS") or "runs")).expanduser()


def current(context: typer.Context) -> Session:
    """The session of a command's context."""
    found = context.find_root().obj
    assert isinstance(found, Session)
    return found


def print_json(value: Any) -> None:
    """One JSON value on stdout; numbers that are not finite become null, as JSON has none."""
    import json

    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def console(*, stderr: bool = False) -> Console:
    """A Rich console; use stderr for everything but the answer itself."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def note(message: str) -> None:
    """A line for people, on stderr, so that `--json` stays clean."""
    typer.echo(message, err=True)


def parse_settings(assignments: list[str], subject: str) -> dict[str, dict[str, str]]:
    """`--set` values by subject: `["lr=1e-3", "dataset.count=5"]` with subject `protocol` gives
    `{"protocol": {"lr": "1e-3"}, "dataset": {"count": "5"}}`.

    Raises:
        FkbenchError: one is not of the form key=value, or names an unknown subject.
    """
    subjects = ("protocol", "model", "dataset", "detector")
    found: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise FkbenchError(f"--set '{assignment}' is not of the form key=value.", "For example --set lr=3e-4.")
        prefix, dot, rest = key.partition(".")
        owner, name = (prefix, rest) if dot and prefix in subjects else (subject, key)
        if dot and prefix not in subjects and subject not in {"protocol", "model"}:
            raise FkbenchError(f"--set '{assignment}' names no subject.", f"Subjects: {', '.join(subjects)}.")
        found.setdefault(owner, {})[name] = value
    return found
