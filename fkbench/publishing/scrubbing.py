"""Taking out of a record what it says of its author: names of users and hosts, paths, addresses.

Scrubbed are the texts of a record wherever they stand. Names that were chosen for the public stay: of the model, the
dataset, the split, the protocol and the box. Of the environment only the fields that the record's class knows are kept,
as other programs may have written more into it.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fkbench.records import Environment, RunRecord

PATH, USER, HOST, ADDRESS = "(path)", "(user)", "(host)", "(address)"
# Looked for from the beginning of a word alone: a word of ten thousand letters would be read from each of them.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PATHS = (
    re.compile(r"\bfile:/+[^\s'\"<>|]*", re.IGNORECASE),
    # Folders of users may have blanks in their names, other folders only where backslashes show their end.
    re.compile(r"\\\\[^\s\\/'\"<>|]+(?:\\[^\\/:*?'\"<>|\r\n]+)*(?=\\)\\[^\s'\"<>|]*|\\\\[\w.-]+\\[^\s'\"<>|]*"),
    re.compile(r"(?<![A-Za-z0-9])[A-Za-z]:[\\/](?:[^\\/:*?'\"<>|\r\n]+[\\/])*[^\s\\/:*?'\"<>|]*"),
    re.compile(r"(?<![\w.:/~-])/(?:home|Users)/[^/'\"\r\n]{1,64}(?:/[^\s'\"<>|:]*)?(?=['\"]|$)", re.MULTILINE),
    re.compile(r"(?<![\w.:/~-])/(?:home|Users)/[^/'\"\r\n]{1,64}/[^\s'\"<>|:]*"),
    # One name alone after `<` is the end of an element.
    re.compile(r"(?<![\w.:/~-])/(?:[^\s/'\"<>|:,;()]+/)+[^\s/'\"<>|:,;()]*|(?<![\w.:/~)<-])/[A-Za-z_][\w.-]{2,}"),
    re.compile(r"(?<![\w.])~[\w.-]*/[^\s'\"<>|:]*"),
)
_NOBODY = frozenset(
    {"root", "user", "users", "admin", "administrator", "ubuntu", "debian", "runner", "jovyan", "nobody", "guest", "me",
     "test", "default", "vagrant", "docker", "colab", "kaggle", "localhost", "localdomain", "local"}
)  # fmt: skip
"""Names that tell nothing of a person or a machine, and stand in many a sentence."""
_CHOSEN = {
    (): {"key", "status", "box", "parent", "created", "files", "schema"},
    ("model",): {"name", "source", "role"},
    ("dataset",): {"name", "split", "fingerprint"},
    ("protocol",): {"name"},
    ("environment",): {"commit", "versions"},
    ("detection",): {"key", "subject", "kind", "created", "model", "protocol", "trained_on", "box"},
    ("detection", "dataset"): {"name", "split", "fingerprint"},
    ("detection", "detector"): {"name", "source", "weights", "versions", "licence", "plugin"},
}
"""Where → keys whose values are no free text."""


@dataclass(frozen=True)
class Scrubber:
    """Takes these names, and all paths and addresses, out of texts.

    Attributes:
        users: names of users.
        hosts: names of machines.
        folders: paths that are taken out wherever they stand, blanks in them included.
    """

    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @classmethod
    def of_this_machine(cls) -> Scrubber:
        """With the names of this machine, its user and the user's home."""
        users = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")} | {_account()}
        home = _home()
        host = socket.gethostname()
        return cls(
            _telling(users | ({home.name} if home else set())),
            _telling({host, host.partition(".")[0], os.environ.get("HOSTNAME", "")}),
            (str(home),) if home and len(home.parts) > 1 else (),
        )

    @cached_property
    def _words(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        # The longest first: a name may begin with another one.
        named = [(name, USER) for name in self.users] + [(name, HOST) for name in self.hosts]
        ordered = sorted(named, key=lambda pair: -len(pair[0]))
        return tuple((re.compile(rf"(?<!\w){re.escape(n)}(?!\w)", re.IGNORECASE), mark) for n, mark in ordered)

    def text(self, text: str) -> str:
        """The text without them."""
        for folder in self.folders:
            text = re.sub(rf"{re.escape(folder)}(?![\w.-])[^\s'\"<>|:]*", PATH, text)
        for pattern in _PATHS:
            text = pattern.sub(PATH, text)
        text = _EMAIL.sub(ADDRESS, text)
        for pattern, mark in self._words:
            text = pattern.sub(mark, text)
        return text

    def record(self, record: RunRecord) -> RunRecord:
        """The record without them; its path is empty."""
        return self.page(record.to_json())

    def page(self, page: Mapping[str, Any]) -> RunRecord:
        """The same from the JSON values of a record."""
        page = {**page, "path": "", "reused": False}
        page["environment"] = {name: page["environment"].get(name) for name in Environment.model_fields}
        return RunRecord.model_validate(self._scrubbed(page, ()))

    def detection(self, page: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON values of a result about a detector without them."""
        clean: dict[str, Any] = self._scrubbed(page, ("detection",))
        return clean

    def _scrubbed(self, value: Any, where: tuple[str, ...]) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._scrubbed(item, (*where, "")) for item in value]
        if isinstance(value, Mapping):
            kept = _CHOSEN.get(where, set())
            return {
                self.text(key): item if key in kept else self._scrubbed(item, (*where, key))
                for key, item in value.items()
            }
        return value


def private_part(names: tuple[str, ...]) -> str:
    """The first of some names of images or groups that holds an absolute path; empty if none does.

    They cannot be scrubbed: predictions are matched with labels by them.
    """
    for name in names:
        if any(pattern.match(name) for pattern in _PATHS):
            return name
    return ""


def _telling(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(n for n in names if len(n) > 2 and n.lower() not in _NOBODY and not n.isdigit()))


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None
