"""What a published folder leaves out because two results were in conflict: `conflicts.json`, which tables name.

The folder holds neither of the two, so its results cannot tell. Only `merge` adds to it, from results that are
scrubbed, and a contribution may not touch the file. An entry goes when its key has a result from that device there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from fkbench.boards.text import visible
from fkbench.errors import FkbenchError
from fkbench.records.beside import RESULTS
from fkbench.records.files import MIB, read_bounded, write_atomic
from fkbench.records.models import Key, Part, Text
from fkbench.records.results import read_result

CONFLICTS = "conflicts.json"
LONGEST = 1000
_PLAIN = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$"


class LeftOut(Part):
    """A result that is not there, as none of those in conflict was taken.

    Attributes:
        board: name of its folder below `results`.
        key: of the results.
        device: that they come from.
        note: what tables say of it: text by anyone, escaped where it is shown.
    """

    board: Annotated[str, Field(pattern=_PLAIN)]
    key: Key
    device: Text
    note: Annotated[str, Field(max_length=LONGEST)]

    @property
    def place(self) -> tuple[str, str, str]:
        """Which result it is: there is one entry for each."""
        return self.board, self.key, self.device

    def is_there(self, folder: Path) -> bool:
        """Whether the published folder has a result of the key from that device by now."""
        for file in (folder / RESULTS / self.board).glob(f"*-{self.key}*.json"):
            with suppress(FkbenchError):
                found = read_result(file)
                if (found.key, found.device.name) == (self.key, self.device):
                    return True
        return False


class _Page(Part):
    conflicts: Literal[1] = 1
    left_out: Annotated[list[LeftOut], Field(default_factory=list, max_length=10_000)]


def read_left_out(folder: Path) -> list[LeftOut]:
    """What a published folder says that it leaves out.

    Raises:
        FkbenchError: its file is no such file.
    """
    file = folder / CONFLICTS
    if not file.exists():
        return []
    try:
        return _Page.model_validate_json(read_bounded(file, 4 * MIB)).left_out
    except ValidationError as error:
        raise FkbenchError(
            f"'{file}' does not say what conflicts leave out: {error.errors()[0]['msg']}.",
            "Take it from the history of the folder, or delete it: the notes on the tables go with it.",
        ) from error


def keep_left_out(folder: Path, more: Iterable[LeftOut] = ()) -> dict[str, list[str]]:
    """Bring the file up to date: with `more`, and without what is there by now. Without entries there is no file.

    Returns:
        Slug of a board → its notes, in an order of their own.

    Raises:
        FkbenchError: the file is no such file, or cannot be written.
    """
    before = read_left_out(folder)
    known = {one.place: one for one in (*before, *more)}
    kept = [one for _, one in sorted(known.items()) if not one.is_there(folder)]
    if kept != before:
        _write(folder / CONFLICTS, kept)
    return _by_board(kept)


def left_out_notes(folder: Path) -> dict[str, list[str]]:
    """The same notes without a change of the folder, which need not be a published one; errors as `read_left_out`."""
    return _by_board(one for one in read_left_out(folder) if not one.is_there(folder))


def _by_board(kept: Iterable[LeftOut]) -> dict[str, list[str]]:
    notes: dict[str, list[str]] = {}
    for one in kept:
        notes.setdefault(one.board, []).append(visible(one.note))
    return notes


def _write(file: Path, kept: list[LeftOut]) -> None:
    if kept:
        page = _Page(left_out=kept).model_dump(mode="json")
        write_atomic(file, (json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
        return
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise FkbenchError(f"Cannot delete '{file}': {error.strerror or error}.") from error
