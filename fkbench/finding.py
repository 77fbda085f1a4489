"""From what a user types, or a record names, to a dataset: a name, a local file, or own data that was used before."""

from __future__ import annotations

from pathlib import Path

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.owndata.naming import described_before
from fkbench.registry import Registry, load_file
from fkbench.specs import DatasetSpec

FILES = (".py", ".toml")
"""Endings of what is read as a local file; no name has them."""


def find_dataset(registry: Registry, name: str, data: Path | None = None) -> DatasetSpec:
    """A dataset by name, or the one that a local file describes (`.toml`) or marks (`.py`).

    Args:
        registry: where names are looked up; local files are loaded into it.
        name: name or path.
        data: the data folder; where given, own data that was packed there is found by its name too.

    Raises:
        UnknownNameError: nothing has this name; near ones are offered.
        FkbenchError: the file cannot be used, or the file that described the data is gone.
    """
    if name.endswith(FILES):
        return _of_file(registry, name)
    try:
        return registry.get(DatasetSpec, name)
    except UnknownNameError:
        before = described_before(data, name) if data is not None else []
        if not before:
            raise
    there = [path for path in before if path.is_file()]
    if len(there) == 1:
        found = _of_file(registry, str(there[0]))
        if found.name == name:
            return found
    if len(there) > 1:
        shown = " and ".join(f"'{path}'" for path in there)
        raise FkbenchError(f"Several files have described '{name}': {shown}.", "Give the one that you mean.")
    raise FkbenchError(
        f"The dataset '{name}' was described by '{before[0]}', which is gone or describes another one now.",
        "Give the file that describes it: --plugin FILE.toml.",
    )


def find_run_dataset(registry: Registry, name: str, data: Path | None = None) -> DatasetSpec:
    """The dataset that a record names.

    Raises:
        FkbenchError: it is not known here; the remedy says how to make it known.
    """
    if name.endswith(FILES):  # records come from others: none may say which file is executed
        raise FkbenchError(f"The record names the file '{name[:80]}' as its dataset.", "A record names data by name.")
    try:
        return find_dataset(registry, name, data)
    except UnknownNameError as error:
        raise FkbenchError(
            f"The run's dataset '{name}' is not registered here.",
            "Give the file that describes it with --plugin FILE.toml (or FILE.py), or install its plugin.",
        ) from error


def _of_file(registry: Registry, name: str) -> DatasetSpec:
    path = Path(name).expanduser()
    if not path.is_file():
        raise FkbenchError(f"There is no file '{name}'.", "Check the path.")
    found = [spec for spec in load_file(registry, path) if isinstance(spec, DatasetSpec)]
    if len(found) == 1:
        return found[0]
    failed = [failure for failure in registry.failures if failure.plugin == path.name]
    if failed:
        named = path.suffix == ".toml"  # what is wrong in a description names its file already
        raise FkbenchError(failed[-1].reason if named else f"'{name}' cannot be used: {failed[-1].reason}")
    raise FkbenchError(
        f"'{name}' marks {len(found)} datasets; exactly one is needed.",
        "Mark one function with @fkbench.dataset(...).",
    )
