"""Records into all forms of a leaderboard: the tables and the pages of a folder, board by board."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fkbench.boards import Board, Group, Trust, errors_beside, groups_of, trust_beside, write_board, write_index
from fkbench.boards.detections import SideBoard, side_boards
from fkbench.boards.output import write_texts
from fkbench.errors import FkbenchError
from fkbench.publishing.scrubbing import Scrubber
from fkbench.records import RECORD_FILE, RunRecord
from fkbench.records.detections import with_boxed
from fkbench.records.parallel import in_processes
from fkbench.records.results import read_each
from fkbench.score import ImageErrors
from fkbench.site.measures import ErrorsOf
from fkbench.site.writing import DatasetOf, Site, registered_dataset


@dataclass(frozen=True)
class Leaderboards:
    """What was made from records.

    Attributes:
        boards: sorted by slug.
        tables: paths of the tables and of the page of Markdown that leads to them.
        pages: paths of `index.html`, of a page for each ranked row, and of what these share.
        sides: boards about detectors, sorted by slug.
        faults: path of a published result that does not hold, and is shown as failed → why.
    """

    boards: tuple[Board, ...]
    tables: tuple[Path, ...]
    pages: tuple[Path, ...]
    sides: tuple[SideBoard, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


def damage_notes(damaged: Mapping[Path, FkbenchError]) -> dict[str, tuple[str, ...]]:
    """Folder → a note for each of its records that cannot be read; without what differs by machine or version."""
    notes: dict[str, tuple[str, ...]] = {}
    for file, error in sorted(damaged.items()):
        # A run's record has the same name in every folder: dataset, model and key tell which it is.
        name = "/".join(file.parts[-4:-1]) if file.name == RECORD_FILE else file.name
        what = error.message.replace(str(file), name).partition(": ")[0].rstrip(".")
        notes[file.parent.name] = (*notes.get(file.parent.name, ()), f"{what}: the record is left out.")
    return notes


@dataclass
class Checks:
    """How far records are trusted; remembers why published ones do not hold."""

    faults: dict[str, str] = field(default_factory=dict)

    def __call__(self, record: RunRecord) -> Trust:
        """As `trust_beside`."""
        found = trust_beside(record)
        if not found.holds:
            self.faults[record.path] = found.fault
        return found


@dataclass
class Remembered:
    """Errors per image that are read once: for the ranks, for the charts, for the page of the row."""

    errors: ErrorsOf = errors_beside
    known: dict[tuple[str, str, int], ImageErrors | FkbenchError] = field(default_factory=dict)

    def __call__(self, record: RunRecord) -> ImageErrors:
        """As `errors`; what was raised is raised again."""
        name = (record.path, record.key, record.seed)
        if name not in self.known:
            try:
                self.known[name] = self.errors(record)
            except FkbenchError as error:
                self.known[name] = error
        found = self.known[name]
        if isinstance(found, FkbenchError):
            raise found
        return found


@dataclass(frozen=True)
class Target:
    """Where to, and how: what a process needs to write a board."""

    folder: Path
    latex: bool = False
    errors: ErrorsOf = errors_beside
    dataset: DatasetOf = registered_dataset
    scrubber: Scrubber = field(default_factory=Scrubber.of_this_machine)

    def write(self, group: Group, notes: Sequence[str] = (), damaged: Sequence[str] = ()) -> Done:
        """Write the tables of a board, and the pages of its ranked rows.

        Args:
            group: the records of the board.
            notes: on the board, beside those that its records give.
            damaged: for `Done`.
        """
        # A board's errors are kept until its pages are written; those of all boards would not fit into memory.
        site = Site(self.folder, Remembered(self.errors), self.dataset, self.scrubber)
        checks = Checks()
        board = group.board(site.errors, checks)
        board = replace(board, notes=(*board.notes, *notes))
        tables = write_board(board, self.folder, latex=self.latex)
        section = site.section(board, group.entries)
        boxed = tuple(with_boxed(group.records))
        return Done(board, section, tuple(tables), frozenset(site.written), tuple(damaged), boxed, checks.faults)


@dataclass(frozen=True)
class Done:
    """A board whose files are written.

    Attributes:
        section: its part of `index.html`.
        damaged: a line for each of its records that could not be read.
        boxed: its records with scores with detectors' boxes beside them.
        faults: as of `Leaderboards`.
    """

    board: Board
    section: str
    tables: tuple[Path, ...]
    pages: frozenset[Path]
    damaged: tuple[str, ...] = ()
    boxed: tuple[RunRecord, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A board of which the records are at hand."""

    target: Target
    group: Group
    notes: tuple[str, ...] = ()

    def done(self) -> Done:
        """Write it."""
        return self.target.write(self.group, self.notes)


@dataclass(frozen=True)
class FolderJob:
    """A folder of published results that should make one board of its name."""

    target: Target
    folder: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def done(self) -> Done | None:
        """Write it; None, and nothing is written, where its results are not of that one board."""
        records, damaged = read_each(self.files)
        groups = groups_of(records)
        if len(groups) != 1 or groups[0].slug != self.folder.name:
            return None
        notes = damage_notes(damaged).get(self.folder.name, ())
        return self.target.write(groups[0], (*notes, *self.notes), [str(error) for error in damaged.values()])


def write_leaderboards(
    records: Iterable[RunRecord],
    folder: Path,
    *,
    latex: bool = False,
    errors: ErrorsOf = errors_beside,
    dataset: DatasetOf = registered_dataset,
    processes: int = 1,
    sides: Sequence[SideBoard] = (),
    damaged: Mapping[Path, FkbenchError] | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> Leaderboards:
    """Write the tables of all boards, `index.md`, `index.html` and the pages of ranked rows.

    Tables are the same bytes for the same records on every machine. Pages are the same bytes for the same records under
    the same version of this program with the same datasets installed.

    Args:
        records: in any order.
        folder: made if it is not there. Pages of rows that are gone are removed, other files stay.
        latex: tables as LaTeX, too.
        errors: gives the errors per image of a record; default: the file beside it.
        dataset: gives a dataset's spec by name.
        processes: that share the boards. More than one needs `errors` and `dataset` that can be sent to a process, and
            a main module that can be imported.
        sides: boards about detectors, written beside those of models.
        damaged: files of records that cannot be read: a note of the board that their folder has the name of, or below
            the names of all boards.
        notes: slug of a board → notes on it; of no board: below the names of all.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    target = Target(folder, latex, errors, dataset)
    said = _joined(damage_notes(damaged or {}), notes or {})
    jobs = [Job(target, group, said.pop(group.slug, ())) for group in groups_of(records)]
    return _finished(in_processes(Job.done, jobs, processes), target, sides, said)


def _joined(first: Mapping[str, Sequence[str]], second: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The notes of each board from two sources."""
    return {slug: (*first.get(slug, ()), *second.get(slug, ())) for slug in dict.fromkeys((*first, *second))}


def write_published(
    folder: Path,
    results: Iterable[Path],
    report: Callable[[str], None],
    processes: int = 1,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> Leaderboards | None:
    """The same from the results that are published in a folder, each process reading those of a board at a time.

    Nothing but the finished boards goes from one process to another. None: the folders below `results` are not one per
    board, as they are where they were published; the records have to be read first then.

    Args:
        folder: that the tables go to.
        results: the files of its records.
        report: called with a line for each damaged record.
        processes: as for `write_leaderboards`.
        notes: as for `write_leaderboards`.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    target, said, found = Target(folder), dict(notes or {}), []
    files = _by_board(results)
    if len({board.name.lower() for board in files}) < len(files):
        return None
    jobs = [FolderJob(target, board, own, tuple(said.pop(board.name, ()))) for board, own in files.items()]
    for done in in_processes(FolderJob.done, jobs, processes):
        if done is None:
            return None
        found.append(done)
    for line in (line for done in found for line in done.damaged):
        report(line)
    records = (record for done in found for record in done.boxed)
    return _finished(found, target, side_boards(records, folder, report), said)


def _by_board(results: Iterable[Path]) -> dict[Path, tuple[Path, ...]]:
    """The files in each folder; folders sorted by name."""
    files: dict[Path, list[Path]] = {}
    for file in results:
        files.setdefault(file.parent, []).append(file)
    return {board: tuple(files[board]) for board in sorted(files, key=lambda board: board.name)}


def _finished(
    boards: Iterable[Done], target: Target, sides: Sequence[SideBoard], said: Mapping[str, Sequence[str]]
) -> Leaderboards:
    """With what the boards share, `said` of no board among it."""
    notes = [line for own in said.values() for line in own]
    site, done = Site(target.folder, dataset=target.dataset), list(boards)
    tables: list[Path] = []
    for one in done:
        tables += one.tables
        site.written.update(one.pages)
    made = tuple(one.board for one in done)
    for side in sides:
        tables += write_texts(side.files, side.slug, target.folder)
    tables.append(write_index(made, target.folder, sides, notes))
    pages = site.finish(made, [one.section for one in done], sides, notes)
    faults = {path: fault for one in done for path, fault in one.faults.items()}
    return Leaderboards(made, tuple(tables), tuple(pages), tuple(sides), faults)
