"""What charts show of a row: its curve of errors, its error per point; from the errors per image of all its seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fkbench.boards import Board, Entry, Row
from fkbench.boards.rows import variants
from fkbench.errors import FkbenchError
from fkbench.records import RunRecord
from fkbench.score import ImageErrors

ErrorsOf = Callable[[RunRecord], ImageErrors]
Floats = npt.NDArray[np.float64]
NME = "inter_ocular"
CED_END, CED_STEPS = 10.0, 50
"""The curve: 51 errors from 0 to 10 %."""


@dataclass(frozen=True)
class Measured:
    """A row and what belongs to it.

    Attributes:
        place: of the row in its board.
        entry: its records; None for a baseline that is known only from other models' records.
        ced: share in % of images with an error of at most 0, 0.2, …, 10 % (NME, inter-ocular); empty: not known.
        points: (K,) root mean square error of each point's coordinates, scoring-frame px; NaN where never labelled.
    """

    place: int
    row: Row
    entry: Entry | None
    ced: tuple[float, ...] = ()
    points: tuple[float, ...] = ()


def measure(board: Board, entries: Sequence[Entry], errors: ErrorsOf) -> list[Measured]:
    """The rows of a board with what belongs to them.

    Args:
        board: as built.
        entries: of the records of this board.
        errors: gives the errors per image of a record; where it fails, the row has no curve.
    """
    known = {
        (tuple(record.key for record in entry.records), entry.devices, entry.first.model.name, name): entry
        for entry, name in zip(entries, variants(entries), strict=True)
    }
    found = []
    for place, row in enumerate(board.rows):
        entry = known.get((row.keys, row.devices, row.model, row.variant))
        pages = _errors(entry, errors) if entry is not None else []
        found.append(Measured(place, row, entry, _ced(pages), _points(pages)))
    return found


def _errors(entry: Entry, errors: ErrorsOf) -> list[ImageErrors]:
    pages = []
    for record in entry.done:
        try:
            pages.append(errors(record))
        except FkbenchError:  # the row says why it is not ranked
            return []
    return pages


def _ced(pages: Sequence[ImageErrors]) -> tuple[float, ...]:
    values = [page.nme[NME] for page in pages if NME in page.nme]
    if not values or len(values) != len(pages):
        return ()
    every = 100 * np.concatenate(values)
    counted = np.sort(every[~np.isnan(every)])
    if not len(counted):
        return ()
    limits = np.linspace(0.0, CED_END, CED_STEPS + 1)
    shares = 100 * np.searchsorted(counted, limits + 1e-9, side="right") / len(counted)
    return tuple(round(share, 1) for share in shares.tolist())


def _points(pages: Sequence[ImageErrors]) -> tuple[float, ...]:
    if not pages or len({page.point_sum_sq.shape[1] for page in pages}) != 1:
        return ()
    with np.errstate(all="ignore"):
        total = np.sum([page.point_sum_sq.sum(axis=0) for page in pages], axis=0)
        count = np.sum([page.point_count.sum(axis=0) for page in pages], axis=0)
        error = np.sqrt(total / np.where(count > 0, count, np.nan))
    return tuple(float(f"{value:.4g}") if np.isfinite(value) else float("nan") for value in error)
