"""A TOML file, read with its keys and types checked: what nobody asks for is an error, not a silence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from fkbench.errors import FkbenchError, UnknownNameError

LIMIT = 4 * 2**20
"""Bytes; the longest scheme that is spelled out takes some ten thousand."""
DOCS = "docs/own-data.md lists every key."
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "a list",
}
ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class Table:
    """One table of the file.

    Attributes:
        values: as TOML gives them.
        where: how messages call it.
    """

    values: Mapping[str, Any]
    where: str

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str, known: Iterable[str]) -> Table:
        """A table whose keys are all known.

        Raises:
            UnknownNameError: one is not; the nearest known keys are offered.
        """
        names = list(known)
        for key in values:
            if key not in names:
                raise UnknownNameError(f"key in {where}:", key, names, DOCS)
        return cls(values, where)

    def get(self, key: str, kind: type[ValueT], default: ValueT) -> ValueT:
        """The value of a key, of this type.

        Raises:
            FkbenchError: it is of another type.
        """
        value = self.values.get(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return cast(ValueT, float(value))
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, _KINDS[kind])
        return value

    def needed(self, key: str, kind: type[ValueT], example: str) -> ValueT:
        """The same for a key without which nothing can be done."""
        if key not in self.values:
            raise FkbenchError(f"{self.where} has no '{key}'.", f"For example {example}. {DOCS}")
        found: ValueT = self.get(key, kind, self.values[key])
        return found

    def one_of(self, key: str, choices: Iterable[str], default: str) -> str:
        """A text that is one of some words."""
        value, words = self.get(key, str, default), list(choices)
        if value not in words:
            raise UnknownNameError(f"{key} in {self.where}:", value, words)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where the key is not there."""
        values = self.get(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "a list of texts")
        return tuple(values)

    def wrong(self, key: str, wanted: str) -> FkbenchError:
        """The error for a value of the wrong kind."""
        shown = repr(self.values.get(key))
        shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
        return FkbenchError(f"'{key}' in {self.where} must be {wanted}, not {shown}.", DOCS)


def read_toml(path: Path) -> dict[str, Any]:
    """The whole file.

    Raises:
        FkbenchError: it is not there, too large, not UTF-8, or not TOML; the line is named.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise FkbenchError(f"'{path}' cannot be read: {error.strerror or error}.", "Check the path.") from error
    if len(data) > LIMIT:
        raise FkbenchError(
            f"'{path}' is larger than {LIMIT // 2**20} MiB.", "It describes the data; labels lie beside it."
        )
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FkbenchError(f"'{path}' is not UTF-8 text: line {line}.", "Save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        words = str(error).splitlines()[0].rstrip(".")
        raise FkbenchError(f"'{path}' is not TOML: {words}.", "Texts stand in quotes, tables in [brackets].") from error
