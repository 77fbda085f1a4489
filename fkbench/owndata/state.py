"""Has what own data is made from changed since it was packed? Labels by content, pictures by size and time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fkbench.datasets.duplicates import DUPLICATE_RULE_VERSION
from fkbench.datasets.store import Pack
from fkbench.owndata.description import FOLDERS, Description
from fkbench.owndata.faces import read_bytes
from fkbench.owndata.naming import LAYOUT


def what_changed(description: Description, pack: Pack) -> str:
    """In words, what is not as it was when the pack was made; empty where all is.

    Raises:
        FkbenchError: a label file cannot be read.
    """
    state: dict[str, Any] = pack.meta.get("state", {})
    if (pack.meta.get("layout"), pack.meta.get("duplicate_rule")) != (LAYOUT, DUPLICATE_RULE_VERSION):
        return "it was packed by another version of fkbench"
    if state.get("description") != description.digest:
        return f"'{description.path}' has changed"
    if state.get("labels") != labels_digest(description):
        return f"{' or '.join(repr(str(file.labels)) for file in description.files)} has changed"
    if state.get("pictures") != pictures_digest(pack.meta["files"]):
        return "pictures have changed"
    return ""


def labels_digest(description: Description) -> str:
    """SHA-256 over names and contents of all label files, and of lists of a split."""
    digest = hashlib.sha256()
    paths = [path for file in description.files for path in _label_files(file.labels, description)]
    for path in [*paths, *(description.split.lists.values() if description.split else ())]:
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()


def _label_files(path: Path, description: Description) -> list[Path]:
    if description.format not in FOLDERS:
        return [path]
    from fkbench.owndata.pts import find

    return find(path)


def pictures_digest(paths: Iterable[str]) -> str:
    """SHA-256 over the sizes and times of files; one that is not there counts as empty."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            found = os.stat(path)
            digest.update(f"{found.st_size} {found.st_mtime_ns}\0".encode())
        except OSError:
            digest.update(b"\0")
    return digest.hexdigest()
