"""What a pull request may bring: new results below `leaderboards/results`, and tables that these results give.

Used by the repository's workflow, with code of the base branch alone; what is contributed is data in another folder.

    python -m fkbench.publishing.contributions take CHECKOUT CHANGED OUT
    python -m fkbench.publishing.contributions join OUT MADE
    python -m fkbench.publishing.contributions same CHECKOUT CHANGED MADE

`CHANGED` is what `git diff --raw -z --no-renames --abbrev=40` says of the contribution. `take` copies the results that
it adds to `OUT/results`. `join` says whether they may stand beside what is published, of which `MADE` holds a copy.
Once they have been merged into that, `same` holds the contribution against it: all results, and the tables that it
touches, byte for byte. What was checked is then what will be published. The exit code is 1 where there is anything that
may not be: each fault is a line.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fkbench.boards.text import cut, visible
from fkbench.errors import FkbenchError
from fkbench.publishing.conflicts import CONFLICTS
from fkbench.records.beside import RESULTS, VERIFIED
from fkbench.records.detection_keys import question_of
from fkbench.records.detections import DETECTOR, SCORE, BoxedResult, DetectorResult, detectors_of, read_detection
from fkbench.records.files import MIB, read_bounded, write_atomic

FOLDER = "leaderboards"
RECORD = ".json"
BESIDE = (RECORD, ".errors.safetensors", ".predictions.safetensors", ".history.csv")
ENDINGS = (*BESIDE, DETECTOR)
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
STEM = re.compile(r"(?P<stem>.+-[0-9a-f]{8,64}(-[0-9a-f]{6})?)(?P<ending>\.[a-z.]+)")
BOXED = re.compile(r"(?P<stem>.+?-[0-9a-f]{8,64}(-[0-9a-f]{6})?)\.boxed-[A-Za-z0-9._-]{1,120}-[0-9a-f]{8}\.score\.json")
KEEPERS = {VERIFIED: "what checks have found", CONFLICTS: "what conflicts leave out"}
PLAIN_FILE = "100644"
ATTRIBUTES = ".gitattributes"
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
    """Why a change may not be; empty where it may, or lies outside the leaderboards and does nothing to them."""
    parts = change.path.split("/")
    if parts[-1].casefold() == ATTRIBUTES:
        return "could make Git check out other bytes than those that were checked: propose it apart from results"
    if parts[0] != FOLDER:
        return ""
    if len(parts) == 1:
        return "stands where the folder of the leaderboards belongs"
    if change.status == "D":
        return "removes what is published" if parts[1] in (RESULTS, *KEEPERS) else ""
    if change.mode != PLAIN_FILE:
        return "is a link, executable or no file"
    if parts[1] in KEEPERS:
        return f"{KEEPERS[parts[1]]} is written by those who keep the leaderboards"
    if parts[1] != RESULTS:
        return ""
    fine = len(parts) == 4 and all(PLAIN.fullmatch(part) for part in parts)
    if not fine or not _stem_of(parts[-1]):
        return f"is no file of a result: {RESULTS}/<board>/<model>-<key> with {', '.join(ENDINGS)}, .boxed-…{SCORE}"
    if change.status != "A":
        return "changes what is published: results are added, and replaced by those who keep the leaderboards alone"
    return ""


def _stem_of(name: str) -> str:
    """`<model>-<key>` of a file of a result; empty where it is none."""
    boxed = BOXED.fullmatch(name)
    if boxed is not None:
        return boxed["stem"]
    found = STEM.fullmatch(name)
    return found["stem"] if found is not None and found["ending"] in ENDINGS else ""


def take(checkout: Path, changes: Sequence[Change], out: Path, say: Callable[[str], None]) -> int:
    """Copy the results that a contribution brings, each with all files that it has; returns the number of faults."""
    faults = 0
    brought: dict[tuple[str, str], None] = {}
    for change in changes:
        fault, parts = fault_of(change), change.path.split("/")
        if not fault and parts[0] == FOLDER and parts[1] == RESULTS:
            brought[parts[2], parts[3]] = None
        elif fault:
            faults += 1
            say(f"Fault: {change.path}: {fault}.")
        elif parts[0] != FOLDER:
            say(f"Not looked at: {change.path}")
    for board, name in brought:
        if (board, head := _head_of(name)) not in brought:
            faults += 1
            say(f"Fault: {FOLDER}/{RESULTS}/{board}/{name}: belongs to {head}, which this contribution does not bring.")
    results = [(board, name) for board, name in brought if name == _head_of(name)]
    check = DetectionCheck(checkout / FOLDER)
    for file in (file for board, name in results for file in _files(checkout, board, name)):
        copy = out / RESULTS / file.parent.name / file.name
        try:
            write_atomic(copy, _content(file))
            check(copy)
        except FkbenchError as error:
            faults += 1
            say(f"Fault: {error.message}")
    if not results:
        faults += 1
        say(f"Fault: there is no new result of a run or a detector below {FOLDER}/{RESULTS}.")
    return faults


def _head_of(name: str) -> str:
    """The file that a file of a result belongs to, itself for that one: nothing may be added to what is published.

    What stands beside a record is no part of it that could be checked against it later, such as a score with a
    detector's boxes; so it comes with it, from those who bring the result, or not at all.
    """
    return name if name.endswith(DETECTOR) else f"{_stem_of(name)}{RECORD}"


def _files(checkout: Path, board: str, head: str) -> Iterator[Path]:
    """All that belongs to a result; names are plain, so that none is a pattern."""
    folder = checkout / FOLDER / RESULTS / board
    stem = _stem_of(head)
    files = [folder / head] if head.endswith(DETECTOR) else [folder / f"{stem}{ending}" for ending in BESIDE]
    scores = [] if head.endswith(DETECTOR) else sorted(folder.glob(f"{stem}.boxed-*{SCORE}"))
    for file in (*files, *scores):
        if file.exists() or file.is_symlink():
            yield file


class DetectionCheck:
    """Pages about detectors have no arithmetic that could be checked later: their form and keys are looked at here.

    A second answer to one question (other versions, another correction) is for those who keep the leaderboards.
    """

    def __init__(self, published: Path) -> None:
        """`published`: the folder of the leaderboards with the contribution in it, read once, and only if needed."""
        self._published = published

    @cached_property
    def _answers(self) -> dict[str, set[str]]:
        """Keys of the pages that answer each question."""
        answers: dict[str, set[str]] = {}
        for page in detectors_of(self._published, lambda _line: None):
            answers.setdefault(question_of(page), set()).add(page["key"])
        return answers

    def __call__(self, file: Path) -> None:
        """Check a copied file of a result; a record and what belongs to it passes.

        Raises:
            FkbenchError: it is no such page, or another one answers its question.
        """
        if file.name.endswith(SCORE):
            read_detection(file, BoxedResult)
        if not file.name.endswith(DETECTOR):
            return
        page = read_detection(file, DetectorResult)
        others = self._answers.get(question_of(page), set()) - {page["key"]}
        if others:
            raise FkbenchError(
                f"{file.name}: this detector has a score with these settings on these data, {min(others)}."
            )


def _content(file: Path) -> bytes:
    if not stat.S_ISREG(file.lstat().st_mode) or file.parent.resolve() != file.parent.absolute():
        raise FkbenchError(f"{file.name} is no plain file.")
    return read_bounded(file, MOST_BYTES)


def check_same(checkout: Path, changes: Sequence[Change], made: Path, say: Callable[[str], None]) -> int:
    """Whether a contribution is what was checked and made of it; returns the number of faults.

    Args:
        checkout: of the contribution, merged into its base branch.
        changes: what the contribution touches.
        made: what is published on the base branch, with the results of the contribution merged into it: there a result
            lies at the path that its content gives it, and the better measured of two repeats is the one that stays.
        say: called with a line for each fault.
    """
    touched = {change.path.split("/", 1)[1] for change in changes if change.path.startswith(f"{FOLDER}/")}
    results = {"/".join(file.relative_to(made).parts) for file in (made / RESULTS).rglob("*") if not file.is_dir()}
    faults = 0
    for name in sorted(touched | results):
        if name.startswith(f"{VERIFIED}/") or _same(checkout / FOLDER / name, made / name):
            continue
        faults += 1
        if name.startswith(f"{RESULTS}/"):
            say(f"Fault: {FOLDER}/{name} is not what its content gives at this place. Make it: fkbench merge --out.")
        else:
            say(f"Fault: {FOLDER}/{name} is not what the results give. Leave it out: it is made again.")
    return faults


def _same(here: Path, there: Path) -> bool:
    """Both plain files of the same bytes, or neither there."""
    if here.is_symlink() or there.is_symlink() or here.is_file() != there.is_file():
        return False
    if not here.is_file():
        return not here.exists() and not there.exists()
    return here.stat().st_size == there.stat().st_size and read_bounded(here, MOST_BYTES) == there.read_bytes()


def check_joining(incoming: Path, made: Path, say: Callable[[str], None]) -> int:
    """Whether taken results may stand beside what is published; returns the number of faults, see `joining_faults`."""
    from fkbench.publishing.joining import joining_faults
    from fkbench.registry import load_registry

    faults = joining_faults(incoming, made, load_registry())
    for fault in faults:
        say(f"Fault: {fault}.")
    return len(faults)


def main(words: Sequence[str]) -> int:
    """The command line of this module: 0 in order, 1 faults, 2 bad use."""

    def say(text: str) -> None:
        sys.stdout.write(cut(visible(text), 500) + "\n")

    if not words or len(words) != {"take": 4, "join": 3, "same": 4}.get(words[0]):
        sys.stderr.write("Use: take CHECKOUT CHANGED OUT, join OUT MADE, or same CHECKOUT CHANGED MADE.\n")
        return 2
    first, second, *folders = (Path(word).absolute() for word in words[1:])
    try:
        if words[0] == "join":
            return 1 if check_joining(first, second, say) else 0
        changes = changes_of(read_bounded(second, 16 * MIB))
        faults = {"take": take, "same": check_same}[words[0]](first.resolve(), changes, folders[0], say)
    except FkbenchError as error:
        sys.stderr.write(f"Error: {visible(str(error))}\n")
        return 2
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
