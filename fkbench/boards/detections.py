"""Boards about detectors, beside those of models: how well each finds faces, and what its boxes cost each model.

Their numbers are as reported: boxes and points behind them are not stored, so that nobody can compute them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fkbench.boards import by_box
from fkbench.records import RunRecord, safe_name
from fkbench.records.detections import Report, boxed_of, detectors_of, with_boxed

Data = tuple[str, str, str, int]
"""What the rows of a board share: name of the dataset, split, fingerprint, version of the split."""
SELF_REPORTED = "Self-reported: the boxes behind these numbers are not stored."
DETECTORS_LEGEND = (
    "Boxes corrected onto the reference square, IoU ≥ 0.5 with it; recall and precision with 95 % intervals over "
    "persons. extra: boxes per picture that are no labelled face. cover: share of the keypoints inside. noise: "
    "standard deviation in shares of the square's side. The last five shares: recall on harder pictures."
)


@dataclass(frozen=True)
class SideBoard:
    """A table about detectors.

    Attributes:
        slug: name for files, and of the section on the page.
        heads: titles of the columns, and whether they are aligned to the left.
        rows: cells as text by anyone, not escaped.
        legend: lines below it, not escaped.
        files: ending → content of the table as a file.
    """

    slug: str
    title: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[str, ...]
    files: dict[str, str]


def side_boards(
    records: Iterable[RunRecord], root: Path, report: Report, dataset: str | None = None
) -> list[SideBoard]:
    """The boards about detectors of a folder, sorted by slug.

    Args:
        records: whose scores with detectors' boxes are looked for beside them.
        root: a runs folder or a published one.
        report: called with a line for each page that cannot be read.
        dataset: detectors on this one only.
    """
    found = [_of_detectors(group) for group in by_data(detectors_of(root, report, dataset))]
    return sorted(found + _of_models(records, report), key=lambda board: board.slug)


def by_data(pages: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Pages of detectors that looked at the same pictures: no others are in one table."""
    groups: dict[Data, list[dict[str, Any]]] = {}
    for page in pages:
        data = page["dataset"]
        key = (data["name"], data["split"], data["fingerprint"], data["split_version"])
        groups.setdefault(key, []).append(page)
    return [groups[key] for key in sorted(groups)]


def _of_detectors(pages: Sequence[dict[str, Any]]) -> SideBoard:
    # Here and not above: the package of detectors imports OpenCV, and few folders have any.
    from fkbench.detect.pages import MARKDOWN, board_files, board_rows, cell_text, footnotes, seen_in_fit

    rows, data = board_rows(pages), pages[0]["dataset"]
    fits = [f"{page['detector']['name']}: its correction was fitted under another split." for page in pages
            if seen_in_fit(page)]  # fmt: skip
    return SideBoard(
        slug=detectors_slug(data),
        title=f"Detectors on {data['name']}, split {data['split']}{_later(data['split_version'], ', version ')}",
        heads=tuple((title, name in ("detector", "settings")) for name, title in MARKDOWN),
        rows=tuple(tuple(cell_text(row, name) for name, _ in MARKDOWN) for row in rows),
        legend=(DETECTORS_LEGEND, *footnotes(rows), *sorted(fits), SELF_REPORTED),
        files=board_files(pages),
    )


def detectors_slug(data: dict[str, Any]) -> str:
    """`detectors-<dataset>-<split>-`, 8 digits of the fingerprint, and `-vN` for later versions of the split."""
    digits = data["fingerprint"].rpartition(":")[2][:8]
    return safe_name(f"detectors-{data['name']}-{data['split']}-{digits}{_later(data['split_version'], '-v')}")


def _later(version: int, before: str) -> str:
    """A split's version where it is not the first: names and titles of before have none."""
    return f"{before}{version}" if version != 1 else ""


def _of_models(records: Iterable[RunRecord], report: Report) -> list[SideBoard]:
    groups: dict[Data, list[tuple[RunRecord, list[dict[str, Any]]]]] = {}
    for record in with_boxed(records):
        pages = boxed_of(record, report) if record.status == "done" and record.metric("rmse") is not None else []
        of_record: dict[Data, list[dict[str, Any]]] = {}
        for page in pages:
            key = (record.dataset.name, page["dataset"]["split"], record.dataset.fingerprint, _version(page, record))
            of_record.setdefault(key, []).append(page)
        for key, same in of_record.items():
            groups.setdefault(key, []).append((record, same))
    return [_by_boxes(key, groups[key]) for key in sorted(groups)]


def _version(page: dict[str, Any], record: RunRecord) -> int:
    """Of the split that a run was scored on; where the page does not state it, that of the run's own split."""
    data = page["dataset"]
    own = record.dataset.split_version if data["split"] == record.dataset.split else 1
    return int(data.get("split_version", own))


def _by_boxes(key: Data, runs: list[tuple[RunRecord, list[dict[str, Any]]]]) -> SideBoard:
    dataset, split, fingerprint, version = key
    scores: list[dict[str, Any]] = []
    for record, pages in sorted(
        runs, key=lambda run: (run[0].model.name, run[0].protocol.name, run[0].seed, run[0].key)
    ):
        same = (record.dataset.split, record.dataset.split_version) == (split, version)
        own = [by_box.own_score(record)] if same else []
        scores += [*own, *sorted(pages, key=lambda page: (page["box"], str(page["box_settings"])))]
    rows = by_box.board_rows(scores)
    return SideBoard(
        slug=safe_name(f"boxes-{dataset}-{split}-{fingerprint.rpartition(':')[2][:8]}{_later(version, '-v')}"),
        title=f"Models by boxes on {dataset}, split {split}{_later(version, ', version ')}",
        heads=tuple((title, place < 4) for place, title in enumerate(by_box.MARKDOWN)),
        rows=tuple(tuple(by_box.cells_of(row)) for row in rows),
        legend=(*by_box.jitter_lines(rows), by_box.LEGEND, *by_box.footnotes(rows), SELF_REPORTED),
        files=by_box.by_box_files(scores),
    )
