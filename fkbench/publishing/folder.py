"""The published folder: results that are added and never dropped, and tables made from them alone."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from dataclasses import replace as with_changes
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.boards.detections import side_boards
from fkbench.errors import FkbenchError
from fkbench.publishing.conflicts import keep_left_out
from fkbench.publishing.detections import Sides, publish_boxed
from fkbench.publishing.differences import Difference, Kind, better_measured, differences, kind_of, why_kept
from fkbench.publishing.form import Form, RefusedError, fault_of_published, published_form
from fkbench.publishing.scrubbing import Scrubber
from fkbench.records import ResultStore, RunRecord
from fkbench.records.beside import RESULTS
from fkbench.records.files import read_bounded, write_atomic
from fkbench.records.pages import RECORD_FILE
from fkbench.records.parallel import in_processes, useful_processes
from fkbench.records.results import read_each, read_result

if TYPE_CHECKING:
    from fkbench.site import Leaderboards

Report = Callable[[str], None]
_log = logging.getLogger(__name__)
SIDE_NAME = re.compile(r"(detectors|boxes)-.+-[A-Za-z0-9]{8}")
LARGEST_TABLE = 64 * 2**20


@dataclass(frozen=True)
class Clash:
    """Two results of one key that are not the same.

    Attributes:
        first: path of the one: of that which is published, or in the folder that was named first.
        other: path of the other one.
        kept: path of the one that stays; None: neither.
        kind: `repeat` or `conflict`.
        fields: in what they differ, `first` and `second` as above.
        why: why that one stays, in words; empty for conflicts.
        published: the first one was published before.
    """

    first: str
    other: str
    kept: str | None
    kind: Kind
    fields: tuple[Difference, ...]
    why: str = ""
    published: bool = False


@dataclass
class Added:
    """What adding results to a folder has done.

    Attributes:
        written: files of records that are new there.
        replaced: files of records whose content is another one now.
        same: records that were there already, with the same content.
        apart: files of records that stand beside one of the same key from another device.
        repeats: one plan measured twice with one outcome: the one is kept that the rules choose.
        conflicts: one plan with two outcomes.
        refused: source → why it is not fit to be published.
        sides: what was done with results about detectors.
    """

    written: list[Path] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    apart: list[Path] = field(default_factory=list)
    repeats: list[Clash] = field(default_factory=list)
    conflicts: list[Clash] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    sides: Sides = field(default_factory=Sides)


def publish(records: Iterable[RunRecord], folder: Path, scrubber: Scrubber, *, replace: bool = False) -> Added:
    """Add results to a published folder; what is there already stays.

    Of the given ones those that lie there are checked where they are, and named among the refused if they do not hold.

    What the author's own checks found is not published: those who keep the folder check what it holds.

    Args:
        records: of runs, or published elsewhere.
        folder: `results/<board>/…` is written below it.
        scrubber: takes out names and paths.
        replace: a result of the same key and device is replaced by the one given here.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    done, given = Added(), list(records)
    inside = [record for record in given if _inside(record, folder)]
    faults = in_processes(fault_of_published, inside, useful_processes(len(inside)))
    done.refused |= {record.path: fault for record, fault in zip(inside, faults, strict=True) if fault}
    there = {record.path for record in inside}
    for record in given:
        if record.path in there:
            continue
        try:
            form = published_form(record, scrubber)
        except RefusedError as error:
            done.refused[record.path] = error.message
            continue
        file = add_form(form, folder, done, replace=replace)
        if file is not None:
            publish_boxed(record, file, scrubber, done.sides, replace=replace)
    return done


def check_apart(root: Path, folder: Path) -> None:
    """Refuse to publish into a folder of runs, or into one inside or around it: both would read the other's records.

    A published folder may be read and written at once, which makes its tables again.

    Args:
        root: where the results are read from.
        folder: where they are published.

    Raises:
        FkbenchError: the two are not apart.
    """
    source, target = root.resolve(), folder.resolve()
    source = source.parent if source.name == RESULTS else source
    runs = next(source.glob(f"*/*/*/{RECORD_FILE}"), None)
    if source == target and runs is None:
        return
    if source == target or source in target.parents or target in source.parents:
        where = "is" if source == target else "lies in" if source in target.parents else "holds"
        raise FkbenchError(
            f"'{folder}' {where} the folder that the results are read from, '{root}'.",
            "Publish into a folder of its own beside it: --publish leaderboards.",
        )


def rebuild(folder: Path, report: Report | None = None, processes: int | None = 1) -> Leaderboards:
    """Write the tables and pages of all results that are published in a folder, and of nothing else.

    Tables of boards that have no result there any more are removed, as are pages of such rows. A result that does not
    hold is shown as failed, one that cannot be read is named in a note of its board. What merging has left out is named
    as well, see `keep_left_out`, until it is there.

    Args:
        folder: with `results` in it.
        report: called with a line for each damaged record.
        processes: that share the work; None: as many as pay for the number of records. More than one needs a main
            module that can be imported.

    Raises:
        FkbenchError: there are no results, the folder does not say what it leaves out, or it cannot be written.
    """
    store = ResultStore(folder / RESULTS)
    found = list(store.files())
    # Pages are scrubbed, too, so that their package needs this one.
    from fkbench.site import write_leaderboards, write_published

    notes = keep_left_out(folder)
    used = useful_processes(len(found)) if processes is None else processes
    made = write_published(folder, found, report or _log.warning, used, notes) if found else None
    if made is None:
        records, damaged = read_each(found)
        for error in damaged.values():
            (report or _log.warning)(str(error))
        sides = side_boards(records, folder, report or _log.warning)
        if not found and not sides:
            raise FkbenchError(
                f"Nothing is published in '{folder}'.", "Add results: fkbench leaderboard --publish DIR."
            )
        made = write_leaderboards(records, folder, processes=used, sides=sides, damaged=damaged, notes=notes)
    _remove_old_tables(folder, {b.slug for b in made.boards} | {side.slug for side in made.sides})
    return made


def _remove_old_tables(folder: Path, slugs: set[str]) -> None:
    """Of a board that is gone; only what this program has written, which its JSON says."""
    for path in folder.glob("*.json"):
        if path.stem in slugs:
            continue
        try:
            page = json.loads(read_bounded(path, LARGEST_TABLE))
        except (FkbenchError, ValueError, RecursionError):
            continue
        ours = isinstance(page, dict) and page.get("board") == path.stem and {"pairs", "rows"} <= set(page)
        if ours or (isinstance(page, list) and SIDE_NAME.fullmatch(path.stem)):
            for ending in ("md", "csv", "json"):
                path.with_name(f"{path.stem}.{ending}").unlink(missing_ok=True)


def write_form(form: Form, file: Path) -> Path:
    """Write a result at `results/<board>/<stem>.json`, the record last.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    for name, data in form.files.items():
        write_atomic(file.with_name(f"{file.name.removesuffix('.json')}.{name}"), data)
    page = form.record.to_json() | {"path": "/".join(file.parts[-3:])}
    write_atomic(
        file, (json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
    )
    return file


def add_form(form: Form, folder: Path, done: Added, *, replace: bool = False) -> Path | None:
    """Write it if it is new; the file where it stands now, None where another one stays in its place."""
    board = folder / RESULTS / form.board
    plain, own = board / f"{form.stem}.json", board / f"{form.device_stem}.json"
    # A result that stands under its device's name stays there, also when what had the plain name is gone: the plain one
    # would be a second outcome of its key and device.
    for file in (own,) if own.is_file() else (plain, own):
        if not file.is_file():
            (done.apart if file == own else done.written).append(write_form(form, file))
            return file
        before = read_result(file)
        kind = kind_of(before, form.record)
        if kind == "same":
            done.same.append(form.source)
            return file
        if kind == "other device" and file == plain:
            continue
        if replace:
            done.replaced.append(write_form(form, file))
            return file
        clash = Clash(str(file), form.source, str(file), kind, tuple(differences(before, form.record)), published=True)
        if kind != "repeat":
            done.conflicts.append(clash)
            return None
        if better_measured(before, form.record) is form.record:
            done.repeats.append(with_changes(clash, kept=form.source, why=why_kept(form.record, before)))
            done.replaced.append(write_form(form, file))
            return file
        done.repeats.append(with_changes(clash, why=why_kept(before, form.record)))
        return None
    return None


def _inside(record: RunRecord, folder: Path) -> bool:
    return Path(record.path).resolve().is_relative_to((folder / RESULTS).resolve())
