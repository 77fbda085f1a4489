"""Where a pack lies in the data folder, and the version of what is cut from it.

Standard library only: `fkbench list` asks it what has been imported.
"""

from __future__ import annotations

from pathlib import Path

PACK_FILE = "pack.json"
VIEWS_VERSION = 1
"""Raised whenever views are cut another way: part of every run's key."""


def has_pack(root: Path, name: str) -> bool:
    """Whether a whole pack of this name is there: its JSON page is written last."""
    return (root / name / PACK_FILE).is_file()
