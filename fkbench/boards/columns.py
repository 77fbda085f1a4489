"""The columns: what stands in the tables for people, and what in those for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fkbench.boards.boards import Board
from fkbench.boards.numbers import NOTHING, finite, number, short_count
from fkbench.boards.rows import Row
from fkbench.boards.speed import AT_ONCE, SESSION, TRAINING
from fkbench.boards.speed_cells import speed_cell
from fkbench.score import Pair

Cell = str | int | float | bool | None
SPEED = (*TRAINING, *SESSION)
SCORES = ("mae", "nme@inter_ocular", "auc@8", "fr@8", "fr@10", "rmse_worst_1pct_share")
OWN = {
    *SCORES, "rmse_x", "rmse_y", "rmse_native", "nme@inter_pupil", "nme@bbox", "missed_faces", "native_loss",
    "native_val_loss", "native_val_loss_best",
}  # fmt: skip
"""Metrics of the core: each has a column of its own, or none in tables for people. All others are columns."""
MOST_EXTRA = 12
LONGEST_TITLE = 32


@dataclass(frozen=True)
class Column:
    """A column for people.

    Attributes:
        title: with the unit.
        cell: the text of a row's cell, not escaped.
        weight: those of least weight are left out first where the terminal is narrow; 0: never left out.
        left: aligned to the left.
    """

    title: str
    cell: Callable[[Row], str]
    weight: int
    left: bool = False


def _percent(name: str, digits: int) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value = row.metrics.get(name)
        return number(None if value is None else 100 * value, digits)

    return cell


def _interval(row: Row) -> str:
    return f"{row.rmse_ci[0]:.3f} – {row.rmse_ci[1]:.3f}" if row.rmse_ci else NOTHING


def _seeds(row: Row) -> str:
    if not row.keys:
        return NOTHING
    return f"{len(row.seeds)}/{len(row.seeds) + row.failed}" if row.failed else str(len(row.seeds))


COLUMNS = (
    Column("rank", lambda row: row.rank_label or NOTHING, 0),
    Column("model", lambda row: row.label, 0, left=True),
    Column("rmse px", lambda row: number(row.rmse, 3), 0),
    Column("95 % CI", _interval, 90),
    Column("NME %", _percent("nme@inter_ocular", 2), 80),
    Column("AUC@8 %", _percent("auc@8", 1), 30),
    Column("FR@8 %", _percent("fr@8", 1), 28),
    Column("worst 1 %", _percent("rmse_worst_1pct_share", 1), 22),
    Column("× baseline", lambda row: number(row.baseline_share, 3), 40),
    Column("params", lambda row: short_count(row.parameters), 60),
    Column("MACs", lambda row: short_count(row.macs), 26),
    Column("train s", speed_cell("train_s", 1), 50),
    Column("train img/s", speed_cell("train_images_per_s", 0), 24),
    Column("infer img/s", speed_cell("infer_images_per_s", 0), 70),
    Column("p50 ms", speed_cell("latency_ms_p50", 2), 45),
    Column("p99 ms", speed_cell("latency_ms_p99", 2), 21),
    Column("peak MiB", speed_cell("peak_memory_mib", 1), 18),
    Column("seeds", _seeds, 75),
    Column("device", lambda row: row.device or NOTHING, 20, left=True),
    Column("trust", lambda row: row.trust or NOTHING, 65, left=True),
)


NATIVE = Column("own loss", lambda row: number(row.metrics.get("native_loss"), 4), 35)
OWN_LOSS = "own loss: that of each model's article on the test part, in the article's own unit: no two are comparable"


def columns_for(rows: Sequence[Row]) -> tuple[Column, ...]:
    """The columns of a table of these rows: those that are never empty, and those that some row fills.

    Among the latter are each label convention and each metric that is none of the core's (of a plugin, of one dataset):
    the first twelve by name; CSV and JSON have all.
    """
    native = (NATIVE,) if any("native_loss" in row.metrics for row in rows) else ()
    names = sorted({name for row in rows for name in row.metrics} - OWN)[:MOST_EXTRA]
    place = next(i for i, column in enumerate(COLUMNS) if column.title == "× baseline") + 1
    return (*COLUMNS[:place], *native, *map(_extra, names), *COLUMNS[place:])


def _extra(name: str) -> Column:
    kind, at, convention = name.partition("@")
    title = f"rmse px, {convention}" if kind == "rmse" and at else name
    shown = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
    return Column(shown, lambda row: number(row.metrics.get(name), 4), 23)


def remarks(row: Row) -> tuple[str, ...]:
    """Why a row is not ranked, and its marks, each once."""
    return tuple(dict.fromkeys((*row.reasons, *(mark for mark in row.marks if mark not in row.reasons))))


def flat_rows(board: Board) -> list[dict[str, Cell]]:
    """Its rows for programs: names as in records, `model` and `rmse` first, numbers at six significant digits.

    Where some row's seeds were trained at once, so that its seconds of training are shares, `trained_at_once` says of
    how many each row's are (1: of none).
    """
    shared: dict[str, Cell] = {"board": board.slug}
    shared |= {name: value for name, value in key_page(board).items() if name != "box_settings"}
    names = extra_metrics(board)
    pages = [_flat(row) | shared | {name: row.metrics.get(name) for name in names} for row in board.rows]
    if any(row.speed.at_once > 1 for row in board.rows):  # a column of the boards that need it, as those of metrics are
        pages = [one | {AT_ONCE: row.speed.at_once} for one, row in zip(pages, board.rows, strict=True)]
    return pages


def _flat(row: Row) -> dict[str, Cell]:
    low, high = row.rmse_ci or (None, None)
    page: dict[str, Cell] = {"model": row.model, "rmse": row.rmse, "rmse_ci_low": low, "rmse_ci_high": high}
    page |= {name: row.metrics.get(name) for name in SCORES}
    page |= {"rank": row.rank, "tied": row.rank_label.endswith("=") if row.rank else None}
    page |= {"baseline_share": row.baseline_share, "parameters": row.parameters, "macs": row.macs}
    page |= {name: row.speed.numbers.get(name) for name in SPEED}
    page |= {
        "timing": row.speed.session,
        "train_disturbed": row.speed.disturbed,
        "latency_calls": row.speed.calls,
        "timing_version": row.speed.version,
    }
    page |= {
        "device": row.device,
        "speed_device": row.speed.device,
        "threads": " ".join(map(str, row.speed.threads)),
        "comparable_speed": row.comparable_speed,
        "trust": row.trust,
    }
    page |= {"seeds": len(row.seeds), "failed_seeds": row.failed, "status": row.status, "role": row.role}
    page |= {"variant": row.variant, "not_ranked": "; ".join(row.reasons), "flags": "; ".join(row.marks)}
    return page | {"keys": " ".join(row.keys)}


def extra_metrics(board: Board) -> list[str]:
    """Names of further single numbers in the records: of plugins, of single datasets."""
    return sorted({name for row in board.rows for name in row.metrics} - set(SCORES))


def key_page(board: Board) -> dict[str, Any]:
    """What all rows of the board share."""
    key = board.key
    return {
        "dataset": key.dataset,
        "split": key.split,
        "split_version": key.split_version,
        "protocol": key.protocol,
        "protocol_version": key.protocol_version,
        "box": key.box,
        "box_settings": key.box_settings,
        "fingerprint": key.fingerprint,
    }


def page(board: Board) -> Mapping[str, Any]:
    """The board as JSON values."""
    return {
        **key_page(board),
        "board": board.slug,
        "test_images": board.test_images,
        "reference_baseline": board.reference or None,
        "speed": {
            "device": board.speed_device,
            "threads": list(board.speed_threads),
            "timing_version": board.speed_version,
        },
        "notes": list(board.notes),
        "pairs": {"columns": list(PAIR_COLUMNS), "rows": [_pair_page(pair) for pair in board.pairs]},
        "rows": [_row_page(row) for row in board.rows],
    }


PAIR_COLUMNS = ("a", "b", "rmse_difference", "low", "high", "p", "p_holm", "better")
"""Of a pair: places of two ranked rows in `rows`, rmse of a − rmse of b with its 95 % interval, px; p, and p adjusted
by Holm over all pairs of the board; place of the row that is significantly better, null where neither is."""


def _pair_page(pair: Pair) -> list[float | int | None]:
    found, winner = pair.comparison, pair.better()
    numbers = (found.rmse_difference, found.rmse_low, found.rmse_high, found.p, pair.p_holm)
    return [int(pair.a), int(pair.b), *(finite(value) for value in numbers), int(winner) if winner else None]


def _row_page(row: Row) -> dict[str, Any]:
    return {
        "model": row.model,
        "variant": row.variant,
        "role": row.role,
        "rank": row.rank,
        "rank_label": row.rank_label,
        "not_ranked": list(row.reasons),
        "flags": list(row.marks),
        "rmse": row.rmse,
        "rmse_ci": list(row.rmse_ci) if row.rmse_ci else None,
        "metrics": dict(row.metrics),
        "baseline_share": row.baseline_share,
        "parameters": row.parameters,
        "macs": row.macs,
        "device": row.device,
        "timing": _timing_page(row),
        "seeds": list(row.seeds),
        "failed_seeds": row.failed,
        "status": row.status,
        "keys": list(row.keys),
        "trust": row.trust or None,
    }


def _timing_page(row: Row) -> dict[str, Any]:
    speed = row.speed
    return {
        **{name: speed.numbers.get(name) for name in SPEED},
        "session": speed.session,
        "void_reason": speed.why_void or None,
        "train_disturbed": speed.disturbed,
        "latency_calls": speed.calls,
        "version": speed.version,
        "device": speed.device or None,
        "threads": list(speed.threads),
        "comparable": row.comparable_speed,
        **({AT_ONCE: speed.at_once} if speed.at_once > 1 else {}),
    }
