"""One reader for results, wherever they lie: a folder of runs, or a published folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fkbench.errors import FkbenchError
from fkbench.records.beside import PUBLISHED_NAME, RESULTS
from fkbench.records.files import read_bounded
from fkbench.records.lookup import matching, one_of, same_runs
from fkbench.records.models import RunRecord
from fkbench.records.pages import MAX_RECORD_BYTES, RECORD_FILE, decode, read_record

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResultStore:
    """The records below `root`: of runs (`<dataset>/<model>/<key>/record.json`), and published ones.

    Published are `results/<board>/<model>-<key>.json`; `root` may be the folder above `results`, or `results` itself.
    Only reads.
    """

    root: Path

    def records(self, report: Callable[[str], None] | None = None) -> list[RunRecord]:
        """All records, in the order of their files. One that cannot be read is reported and left out.

        Args:
            report: called with a line for each damaged record; default: the log, at level warning.
        """
        return read_results(list(self.files()), report)

    def files(self) -> Iterator[Path]:
        """The files of all records, sorted within each of the two kinds."""
        yield from sorted(path for path in self.root.glob(f"*/*/*/{RECORD_FILE}") if path.is_file())
        base = self.root / RESULTS if (self.root / RESULTS).is_dir() else self.root
        yield from sorted(path for path in base.glob("*/*.json") if _is_published_file(path))

    def find(self, text: str, report: Callable[[str], None] | None = None) -> RunRecord:
        """The result of this name: a folder, the file of a record, a key or a unique prefix of one.

        Raises:
            FkbenchError: there is none, or several; the candidates are named.
        """
        file = _as_file(text)
        return read_result(file) if file is not None else one_of(text, self.records(report))

    def find_all(self, text: str, report: Callable[[str], None] | None = None) -> list[RunRecord]:
        """All that a text means: the records of `model@dataset[/split/protocol]` (all seeds), else the one of `find`.

        Sorted by seed, then key.

        Raises:
            FkbenchError: there is none, or it means runs of several splits, protocols or boxes.
        """
        if "@" not in text or _as_file(text) is not None:
            return [self.find(text, report)]
        return same_runs(text, matching(text, self.records(report)))


def read_result(file: Path) -> RunRecord:
    """The record in a `record.json` (its `path` is the folder) or in a published file (its `path` is the file).

    Raises:
        FkbenchError: there is none, or it cannot be read.
    """
    if file.name == RECORD_FILE:
        return read_record(file)
    record = decode(read_bounded(file, MAX_RECORD_BYTES), source=str(file))
    return record.model_copy(update={"path": str(file), "reused": False})


def read_results(files: Iterable[Path], report: Callable[[str], None] | None = None) -> list[RunRecord]:
    """The records of some files. One that cannot be read is reported and left out.

    Args:
        files: as for `read_result`.
        report: called with a line for each damaged record; default: the log, at level warning.
    """
    found, damaged = read_each(files)
    for error in damaged.values():
        (report or _log.warning)(str(error))
    return found


def read_each(files: Iterable[Path]) -> tuple[list[RunRecord], dict[Path, FkbenchError]]:
    """The records of some files, and why the others cannot be read."""
    found: list[RunRecord] = []
    damaged: dict[Path, FkbenchError] = {}
    for file in files:
        try:
            found.append(read_result(file))
        except FkbenchError as error:
            damaged[file] = error
    return found, damaged


def _is_published_file(path: Path) -> bool:
    # `timing-<key>.json` of a run looks alike, where a folder inside a runs folder was named.
    return PUBLISHED_NAME.fullmatch(path.name) is not None and not (path.parent / RECORD_FILE).exists()


def _as_file(text: str) -> Path | None:
    """The record's file that a text names, if it names a file or a run's folder."""
    try:
        path = Path(text).expanduser()
        path = path / RECORD_FILE if path.is_dir() else path
        return path if path.suffix == ".json" and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
