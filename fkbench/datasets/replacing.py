"""A folder in the place of another, while readers without a lock look on.

POSIX renames a folder onto another only where that one is empty, so there are two renames: the old folder aside, the
new one in its place. Between them nothing lies at the place, and a process killed there leaves it so. Hence readers ask
`current`, which gives the old folder where it was set aside, and ask again after reading whether it is the same still.
Writers hold the store's lock.
"""

from __future__ import annotations

import os
import shutil
import uuid
from glob import escape
from pathlib import Path

LOOKS = 4
"""Between two looks at the place and what is aside, a replacement may end; so many in a row do not."""

State = tuple[Path, int, int]


def replace_folder(scratch: Path, target: Path) -> None:
    """Put `scratch` in the place of `target`, which is deleted once it is no longer needed, as are older leftovers."""
    if target.exists():
        os.rename(target, target.with_name(f".{target.name}-old-{uuid.uuid4().hex[:8]}"))
    os.rename(scratch, target)
    for old in _aside(target):
        shutil.rmtree(old, ignore_errors=True)


def current(target: Path, mark: str) -> Path | None:
    """Where the folder with the file `mark` lies now: at its place, or aside while it is being replaced."""
    for _ in range(LOOKS):
        for folder in (target, *_aside(target)):
            if (folder / mark).is_file():
                return folder
    return None


def state(folder: Path) -> State | None:
    """Changes when another folder comes to this place; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return folder, found.st_ino, found.st_mtime_ns


def _aside(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f".{escape(target.name)}-old-*"))
