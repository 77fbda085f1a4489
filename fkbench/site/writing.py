"""Boards and their records as files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from fkbench.boards import Board, Entry, errors_beside, groups_of
from fkbench.boards.detections import SideBoard
from fkbench.boards.rows import Row
from fkbench.errors import FkbenchError
from fkbench.publishing.scrubbing import Scrubber
from fkbench.records import HISTORY_FILE, RunRecord, beside, is_published, read_history, safe_name
from fkbench.records.files import write_atomic
from fkbench.schemes import Scheme, scheme_of
from fkbench.site.assets import GENERATOR, script, style
from fkbench.site.board_section import board_section
from fkbench.site.index_page import index_page
from fkbench.site.measures import ErrorsOf, Measured, measure
from fkbench.site.predictions import Drawn, drawn_predictions
from fkbench.site.run_page import HistoryRow, RunPage
from fkbench.specs import DatasetSpec

PAGES = "pages"
PICTURE = "predictions.png"
MOST_PICTURE_BYTES = 4 * 2**20
LONGEST_TEXT, MOST_ITEMS = 500, 2000
TABLES = ("md", "csv", "json", "tex")
DatasetOf = Callable[[str], DatasetSpec | None]


def registered_dataset(name: str) -> DatasetSpec | None:
    """The dataset of this name among the installed plugins; None: there is none."""
    try:
        return _registry_get()(name)
    except FkbenchError:
        return None


@cache
def _registry_get() -> Callable[[str], DatasetSpec]:
    from fkbench.registry import load_registry

    registry = load_registry()
    return lambda name: registry.get(DatasetSpec, name)


def write_site(
    boards: Sequence[Board],
    records: Iterable[RunRecord],
    folder: Path,
    *,
    errors: ErrorsOf = errors_beside,
    dataset: DatasetOf = registered_dataset,
) -> list[Path]:
    """Write `index.html`, and `pages/<board>/<model>-<key>.html` for each ranked row; returns the paths.

    Pages of rows that are ranked no more are removed; other files stay. Tables of the same boards that lie in the
    folder already (`<board>.csv`, …) are linked.

    Args:
        boards: as built from the records.
        records: all that the boards were built from; the order changes nothing.
        folder: made if it is not there.
        errors: gives the errors per image of a record; default: the file beside it.
        dataset: gives a dataset's spec by name, for its landmark scheme and whether its pictures may be shown.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    entries = {group.key: group.entries for group in groups_of(records)}
    site = Site(folder, errors, dataset)
    sections = [site.section(board, entries.get(board.key, ())) for board in boards]
    return site.finish(boards, sections)


@dataclass(frozen=True)
class Site:
    """The pages of a folder while they are written; for `write_site`, which has the arguments.

    Attributes:
        scrubber: for runs; published records are scrubbed already.
        written: paths of the files that belong to the site as it is now.
    """

    folder: Path
    errors: ErrorsOf = errors_beside
    dataset: DatasetOf = registered_dataset
    scrubber: Scrubber = field(default_factory=Scrubber.of_this_machine)
    written: set[Path] = field(default_factory=set)

    def section(self, board: Board, entries: Sequence[Entry]) -> str:
        """Write the pages of a board's rows; returns its part of `index.html`.

        Args:
            board: as built from the records.
            entries: of the records of this board.
        """
        rows = measure(board, entries, self.errors)
        scheme = _scheme(self.dataset(board.key.dataset))
        pages = self.run_pages(board, rows, scheme)
        tables = [name for name in (f"{board.slug}.{end}" for end in TABLES) if (self.folder / name).is_file()]
        return board_section(board, rows, scheme, pages, tables)

    def finish(
        self,
        boards: Sequence[Board],
        sections: Sequence[str],
        sides: Sequence[SideBoard] = (),
        notes: Sequence[str] = (),
    ) -> list[Path]:
        """Write what the boards share and take away what is old; returns the paths of the whole site."""
        for name, text in (("site.css", style()), ("site.js", script())):
            self.write(self.folder / PAGES / name, text.encode())
        self.write(self.folder / "index.html", index_page(boards, sections, sides, notes).encode())
        self.remove_old()
        return sorted(self.written)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file of the site. It can be made again, so nothing waits for the disk."""
        write_atomic(path, content, durable=False)
        self.written.add(path)

    def run_pages(self, board: Board, rows: Sequence[Measured], scheme: Scheme | None) -> Mapping[int, str]:
        """Write the pages of the ranked rows; place of a row → address, seen from the index."""
        addresses: dict[int, str] = {}
        taken: set[str] = set()
        for found in rows:
            if found.row.rank is None or found.entry is None:
                continue
            address = self._address(board, found, taken)
            taken.add(address.lower())
            self._run_page(board, found, scheme, self.folder / address)
            addresses[found.place] = address
        return addresses

    def _address(self, board: Board, found: Measured, taken: set[str]) -> str:
        stem = f"{PAGES}/{board.slug}/{safe_name(found.row.model)}-{found.row.keys[0][:16]}"
        count, address = 1, f"{stem}.html"
        while address.lower() in taken:
            count += 1
            address = f"{stem}-{count}.html"
        return address

    def _run_page(self, board: Board, found: Measured, scheme: Scheme | None, path: Path) -> None:
        assert found.entry is not None
        first, spec = found.entry.done[0], self.dataset(board.key.dataset)
        picture = self._picture(first, spec, path)
        page = RunPage(
            board=board,
            found=found if is_published(first) else replace(found, row=self._scrubbed_row(found.row)),
            records=self._scrubbed(found.entry.records),
            scheme=scheme,
            histories={record.seed: _history(record) for record in found.entry.done},
            drawn=self._drawn(first, scheme),
            why_points=_why_points(spec),
            picture=picture,
            defaults={name: s.default for name, s in spec.settings.items()} if spec is not None else {},
        )
        self.write(path, page.html().encode())

    def _scrubbed(self, records: Sequence[RunRecord]) -> list[RunRecord]:
        """The first as a whole, as the page shows all of it; of the others what their lines show.

        Published records are as they are: they were scrubbed by who published them, and lie beside the page.
        """
        if is_published(records[0]):
            return list(records)
        first = self.scrubber.page(_shortened(records[0].to_json()))
        return [first, *map(self._scrubbed_line, records[1:])]

    def _scrubbed_line(self, record: RunRecord) -> RunRecord:
        text = self.scrubber.text
        changed = {
            "reason": text(record.reason[:LONGEST_TEXT]),
            "flags": [text(flag) for flag in record.flags],
            "device": record.device.model_copy(update={"name": text(record.device.name[:LONGEST_TEXT])}),
        }
        return record.model_copy(update=changed)

    def _scrubbed_row(self, row: Row) -> Row:
        text = self.scrubber.text
        return replace(
            row,
            devices=tuple(map(text, row.devices)),
            marks=tuple(map(text, row.marks)),
            speed=replace(row.speed, device=text(row.speed.device), why_void=text(row.speed.why_void)),
        )

    def _drawn(self, record: RunRecord, scheme: Scheme | None) -> list[Drawn]:
        try:
            return drawn_predictions(record, self.errors(record), scheme)
        except FkbenchError:
            return []

    def _picture(self, record: RunRecord, spec: DatasetSpec | None, page: Path) -> str | None:
        """Copy the run's own picture of predictions, where the dataset's terms allow it."""
        if spec is None or not spec.terms.public or is_published(record) or not record.path:
            return None
        source = beside(record, PICTURE)
        if not source.is_file() or source.stat().st_size > MOST_PICTURE_BYTES:
            return None
        content = source.read_bytes()
        if not content.startswith(b"\x89PNG\r\n\x1a\n"):
            return None
        self.write(page.with_suffix(".png"), content)
        return page.with_suffix(".png").name

    def remove_old(self) -> None:
        """Pages of an earlier call that were not written now, and their pictures."""
        for path in sorted((self.folder / PAGES).glob("*/*.html")):
            if path not in self.written and _is_ours(path):
                path.unlink()
                if path.with_suffix(".png") not in self.written:
                    path.with_suffix(".png").unlink(missing_ok=True)


def _is_ours(page: Path) -> bool:
    with page.open("rb") as file:
        return GENERATOR.encode() in file.read(2000)


def _shortened(value: Any) -> Any:
    """JSON with its texts cut: a page shows no more, and looking for paths in endless ones takes endless time."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT]
    if isinstance(value, list):
        return [_shortened(item) for item in value[:MOST_ITEMS]]
    if isinstance(value, dict):
        return {_shortened(name): _shortened(item) for name, item in list(value.items())[:MOST_ITEMS]}
    return value


def _scheme(spec: DatasetSpec | None) -> Scheme | None:
    if spec is None:
        return None
    try:
        return scheme_of(spec)
    except FkbenchError:
        return None


def _history(record: RunRecord) -> Sequence[HistoryRow]:
    try:
        return read_history(beside(record, HISTORY_FILE))
    except FkbenchError:
        return []


def _why_points(spec: DatasetSpec | None) -> str:
    if spec is None or not spec.terms.public:
        return "Points alone: the terms of the dataset do not let its pictures be shown."
    return "Points alone: the pictures are not published with the results."
