"""What a pull request may bring: new results below `leaderboards/results`, and tables that these results give.

Used by the repository's workflow, with code of the base branch alone; what is contributed is data in another folder.

    python -m fkbench.publishing.contributions take CHECKOUT CHANGED OUT
    python -m fkbench.publishing.contributions tables CHECKOUT CHANGED MADE

`CHANGED` is what `git diff --raw -z --no-renames --abbrev=40` says of the contribution. `take` copies the results that
it touches to `OUT/results`; `tables` holds all else below `leaderboards` that it touches against what was made in
`MADE` from results alone. The exit code is 1 where there is anything that may not be: each fault is a line.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fkbench.boards.text import cut, visible
from fkbench.errors import FkbenchError
from fkbench.records.beside import RESULTS, VERIFIED
from fkbench.records.files import MIB, read_bounded, write_atomic

FOLDER = "leaderboards"
ENDINGS = (".json", ".errors.safetensors", ".predictions.safetensors", ".history.csv")
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
STEM = re.compile(r"(?P<stem>.+-[0-9a-f]{8,64}(-[0-9a-f]{6})?)(?P<ending>\.[a-z.]+)")
PLAIN_FILE = "100644"
MOST_BYTES = 256 * MIB
MOST_FILES = 20_000


@dataclass(frozen=True)
class Change:
    """A file that a contribution touches: its path in the repository, its mode there, and A, M, D or T."""

    path: str
    mode: str
    status: str


def changes_of(raw: bytes) -> list[Change]:
    """The lines of `git diff --raw -z --no-renames`.

    Raises:
        FkbenchError: it is something else.
    """
    parts = raw.decode("utf-8", "surrogateescape").split("\0")[:-1]
    found = []
    for head, path in zip(parts[::2], parts[1::2], strict=False):
        fields = head.split(" ")
        if len(fields) != 5 or not head.startswith(":"):
            raise FkbenchError("This is not what git diff --raw -z --no-renames says.")
        found.append(Change(path, fields[1], fields[4][:1]))
    if len(parts) % 2 or len(found) > MOST_FILES:
        raise FkbenchError(f"The contribution is cut off, or touches more than {MOST_FILES} files.")
    return found


def fault_of(change: Change) -> str:
    """Why a change may not be; empty where it may, or lies outside the leaderboards."""
    parts = change.path.split("/")
    if parts[0] != FOLDER:
        return ""
    if len(parts) == 1:
        return "stands where the folder of the leaderboards belongs"
    if change.status == "D":
        return "removes what is published" if parts[1] in (RESULTS, VERIFIED) else ""
    if change.mode != PLAIN_FILE:
        return "is a link, executable or no file"
    if parts[1] == VERIFIED:
        return "what checks have found is written by those who keep the leaderboards"
    if parts[1] != RESULTS:
        return ""
    name = STEM.fullmatch(parts[-1])
    fine = len(parts) == 4 and all(PLAIN.fullmatch(part) for part in parts)
    if not fine or name is None or name["ending"] not in ENDINGS:
        return f"is no file of a result: {RESULTS}/<board>/<model>-<key> with {', '.join(ENDINGS)}"
    return ""


def take(checkout: Path, changes: Sequence[Change], out: Path, say: Callable[[str], None]) -> int:
    """Copy the results that a contribution touches, each with all files that it has; returns the number of faults."""
    faults = 0
    stems: dict[tuple[str, str], None] = {}
    for change in changes:
        fault, parts = fault_of(change), change.path.split("/")
        if fault:
            faults += 1
            say(f"Fault: {change.path}: {fault}.")
        elif parts[0] != FOLDER:
            say(f"Not looked at: {change.path}")
        elif parts[1] == RESULTS:
            name = STEM.fullmatch(parts[3])
            assert name is not None
            stems[parts[2], name["stem"]] = None
    for board, stem in stems:
        for file in _files(checkout, board, stem):
            try:
                write_atomic(out / RESULTS / board / file.name, _content(file))
            except FkbenchError as error:
                faults += 1
                say(f"Fault: {error.message}")
    if not stems:
        faults += 1
        say(f"Fault: there is no new result below {FOLDER}/{RESULTS}.")
    return faults


def _files(checkout: Path, board: str, stem: str) -> Iterator[Path]:
    folder = checkout / FOLDER / RESULTS / board
    for ending in ENDINGS:
        file = folder / f"{stem}{ending}"
        if file.exists() or file.is_symlink():
            yield file


def _content(file: Path) -> bytes:
    if not stat.S_ISREG(file.lstat().st_mode) or file.parent.resolve() != file.parent.absolute():
        raise FkbenchError(f"{file.name} is no plain file.")
    return read_bounded(file, MOST_BYTES)


def check_tables(checkout: Path, changes: Sequence[Change], made: Path, say: Callable[[str], None]) -> int:
    """Whether tables and pages that a contribution brings are those that results give; returns the number of faults."""
    faults = 0
    for change in changes:
        parts = change.path.split("/")
        if parts[0] != FOLDER or fault_of(change) or parts[1] in (RESULTS, VERIFIED):
            continue
        here, there = checkout / change.path, made.joinpath(*parts[1:])
        if change.status == "D":
            same = not there.exists()
        else:
            same = there.is_file() and not here.is_symlink() and read_bounded(here, MOST_BYTES) == there.read_bytes()
        if not same:
            faults += 1
            say(f"Fault: {change.path} is not what the results give. Leave it out: it is made again.")
    return faults


def main(words: Sequence[str]) -> int:
    """The command line of this module: 0 in order, 1 faults, 2 bad use."""

    def say(text: str) -> None:
        sys.stdout.write(cut(visible(text), 500) + "\n")

    if len(words) != 4 or words[0] not in {"take", "tables"}:
        sys.stderr.write("Use: take CHECKOUT CHANGED OUT, or tables CHECKOUT CHANGED MADE.\n")
        return 2
    checkout, changed, folder = (Path(word).absolute() for word in words[1:])
    try:
        changes = changes_of(read_bounded(changed, 16 * MIB))
        faults = {"take": take, "tables": check_tables}[words[0]](checkout.resolve(), changes, folder, say)
    except FkbenchError as error:
        sys.stderr.write(f"Error: {visible(str(error))}\n")
        return 2
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
