"""The runs folder: `<root>/<dataset>/<model>/<key>/record.json` and what stands beside it."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from fkbench.errors import FkbenchError
from fkbench.records.beside import RESULTS
from fkbench.records.files import bytes_of, is_scratch, sha256_of, stats_below, write_atomic
from fkbench.records.locks import idle
from fkbench.records.lookup import matching, one_of, same_runs
from fkbench.records.models import FileInfo, RunRecord
from fkbench.records.pages import RECORD_FILE, encode, read_record

_log = logging.getLogger(__name__)
_LONGEST_NAME = 120


def safe_name(name: str) -> str:
    """A name as a folder: characters other than ASCII letters, digits, `.`, `_` and `-` become `-`.

    A leading dot does too: no name may mean the folder above, or be hidden.
    """
    kept = re.sub(r"[^A-Za-z0-9._-]", "-", name)[:_LONGEST_NAME]
    return re.sub(r"^\.+", lambda dots: "-" * len(dots.group()), kept) or "-"


@dataclass(frozen=True)
class Leftover:
    """What an unfinished run left: a folder without a record, or a scratch file. `age` in seconds since it changed."""

    path: Path
    bytes: int
    age: float


@dataclass(frozen=True)
class RunStore:
    """The runs below `root` (`--runs`, `FKBENCH_RUNS` or `./runs`); it need not exist yet."""

    root: Path

    def folder(self, dataset: str, model: str, key: str) -> Path:
        """Where the run of this key lies, whether it is there or not. Always inside the root."""
        return self.root / safe_name(dataset) / safe_name(model) / safe_name(key)

    def start(self, folder: Path) -> Path:
        """Make the folder for a run that begins or goes on; a record from before is taken away.

        Without that, a run that is repeated and dies would leave an old record beside new files.

        Raises:
            FkbenchError: the folder cannot be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / RECORD_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise FkbenchError(
                f"Cannot make the run's folder '{folder}': {error.strerror or error}.",
                "Choose another folder with --runs or FKBENCH_RUNS.",
            ) from error
        return folder

    def get(self, folder: Path) -> RunRecord | None:
        """The record of a folder, None where there is none.

        Raises:
            FkbenchError: there is one that cannot be read.
        """
        return read_record(folder) if (folder / RECORD_FILE).is_file() else None

    def write(self, record: RunRecord, folder: Path, without: Collection[str] = ()) -> RunRecord:
        """Write `record.json`, the last file of a run, atomically; returns what was written, as read back.

        Numbers are rounded and the files that stand in the folder are listed with size and digest.

        Args:
            without: names of files that are not listed, since they go once the record is there.

        Raises:
            FkbenchError: the disk is full or the folder cannot be written; no record is left then.
        """
        changes = {"reused": False, "path": self._stored_path(folder), "files": _listed(folder, without)}
        write_atomic(folder / RECORD_FILE, encode(record.model_copy(update=changes)))
        return read_record(folder)

    def records(self, report: Callable[[str], None] | None = None) -> list[RunRecord]:
        """All records, in the order of their folders. One that cannot be read is reported and left out.

        Args:
            report: called with a line for each damaged record; default: the log, at level warning.
        """
        found: list[RunRecord] = []
        for folder in self._folders():
            if not (folder / RECORD_FILE).is_file():
                continue
            try:
                found.append(read_record(folder))
            except FkbenchError as error:
                (report or _log.warning)(str(error))
        return found

    def find(self, run: str) -> RunRecord:
        """The run of this name: a folder, a key or a unique prefix of one.

        Raises:
            FkbenchError: there is none, or several; the candidates are named.
        """
        folder = _as_folder(run)
        if folder is not None:
            return read_record(folder)
        records = self.records()
        if not records and self.holds_published:
            raise FkbenchError(
                f"'{self.root}' holds published results: they have no weights and no pictures.",
                "Name a folder of runs with --runs; `fkbench run` makes one.",
            )
        return one_of(run, records)

    @property
    def holds_published(self) -> bool:
        """Whether the root is a published folder, which commands that only read take as well."""
        return any((self.root / RESULTS).glob("*/*.json"))

    def find_all(self, text: str) -> list[RunRecord]:
        """All runs that a text means: those of `model@dataset[/split/protocol]` (all seeds), else the one of `find`.

        Sorted by seed, then key.

        Raises:
            FkbenchError: there is none, or it means runs of several splits, protocols or boxes.
        """
        if "@" not in text or _as_folder(text) is not None:
            return [self.find(text)]
        return same_runs(text, matching(text, self.records()))

    def remove(self, *paths: Path, dry_run: bool = False) -> None:
        """Delete folders of runs (or files in them), and the model's and dataset's folders above that are empty then.

        Args:
            dry_run: only find out whether it may be done.

        Raises:
            RunBusyError: another process works on one of the runs; nothing is deleted then.
            FkbenchError: one is not inside the root, or cannot be deleted.
        """
        targets = [self._inside(path) for path in paths]
        with ExitStack() as held:
            for run in sorted({_run_folder(target, self.root.resolve()) for target in targets}):
                held.enter_context(idle(run))
            for target in () if dry_run else targets:
                try:
                    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
                except OSError as error:
                    raise FkbenchError(f"Cannot delete '{target}': {error.strerror or error}.") from error
        for target in targets:
            self._prune(target)

    def _inside(self, path: Path) -> Path:
        root, target = self.root.resolve(), path.resolve()
        if target == root or not target.is_relative_to(root):
            raise FkbenchError(f"'{path}' is not inside the runs folder '{self.root}'.", "Name its folder with --runs.")
        return target

    def _prune(self, target: Path) -> None:
        """Delete the folders above, as far as they are empty; one that another process has just filled stays."""
        with suppress(OSError):
            for parent in target.parents:
                if parent == self.root.resolve() or any(parent.iterdir()):
                    return
                parent.rmdir()

    def leftovers(self, now: float) -> list[Leftover]:
        """What unfinished runs left, with the age of the newest file in each at time `now` (seconds since 1970)."""
        found: list[Leftover] = []
        for folder in self._folders():
            unfinished = not (folder / RECORD_FILE).is_file()
            paths = [folder] if unfinished else sorted(path for path in folder.glob("*") if is_scratch(path))
            found.extend(leftover for path in paths for leftover in _leftover(path, now))
        return found

    def _folders(self) -> Iterator[Path]:
        if self.root.is_dir():
            yield from sorted(path for path in self.root.glob("*/*/*") if path.is_dir())

    def _stored_path(self, folder: Path) -> str:
        # Relative, so that no home folder and user's name gets into a file that may be published.
        try:
            inside = folder.resolve().relative_to(self.root.resolve())
        except ValueError:
            return folder.name
        return (Path(self.root.resolve().name) / inside).as_posix()


def _as_folder(text: str) -> Path | None:
    """The folder that a text names, if it is one with a record."""
    try:
        path = Path(text).expanduser()
        path = path.parent if path.name == RECORD_FILE else path
        return path if (path / RECORD_FILE).is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _listed(folder: Path, without: Collection[str]) -> dict[str, FileInfo]:
    files = sorted(f for f in folder.iterdir() if f.is_file() and not is_scratch(f)) if folder.is_dir() else []
    return {
        file.name: FileInfo(bytes=file.stat().st_size, sha256=sha256_of(file))
        for file in files
        if file.name not in (RECORD_FILE, *without) and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", file.name)
    }


def _leftover(path: Path, now: float) -> list[Leftover]:
    """One; none where it has vanished."""
    stats = stats_below(path)
    return [Leftover(path, bytes_of(stats), now - max(found.st_mtime for found in stats))] if stats else []


def _run_folder(target: Path, root: Path) -> Path:
    """The run's folder that a path below the root is or lies in; the path itself where it lies higher."""
    depth = len(root.parts) + 3
    return Path(*target.parts[:depth])
