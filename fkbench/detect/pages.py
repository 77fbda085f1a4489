"""Scores of detectors as files, `<runs>/detectors/<dataset>/<detector>-<key>.json`, and the board made from them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fkbench.boards.text import csv_cell, markdown_text
from fkbench.records import rounded, safe_name
from fkbench.records.detection_keys import detector_stem
from fkbench.records.files import write_atomic
from fkbench.records.plain import plain

Page = dict[str, Any]

COLUMNS = (
    "detector", "settings", "dataset", "split", "pictures", "recall", "recall_low", "recall_high", "main_recall",
    "precision", "precision_low", "precision_high", "ap", "extra_per_picture", "cover", "recall_raw", "cover_raw",
    "noise_x", "noise_y", "noise_side", "rotated", "small", "dark", "blurred", "several", "ms_p50", "ms_p90",
    "timing", "corrected_on", "key",
)  # fmt: skip


def page_path(runs: Path, page: Page) -> Path:
    """Where a page lies; the scores need not be there yet."""
    return runs / "detectors" / safe_name(page["dataset"]["name"]) / f"{detector_stem(page)}.json"


def write_page(runs: Path, page: Page) -> Path:
    """Keep a page, whole or not at all.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    path = page_path(runs, page)
    write_atomic(path, (json.dumps(rounded(plain(page)), indent=1, ensure_ascii=False) + "\n").encode())
    return path


def row_of(page: Page) -> dict[str, Any]:
    """The line of a page on the board; a number is None where there is none."""
    clean, harder = page["clean"], page["harder"]
    best, raw, noise = clean["corrected"], clean["raw"], clean["corrected"].get("noise") or {"sd": {}}
    provenance = page["correction"]["provenance"]
    low, high = best.get("recall_ci") or (None, None)
    precise = best.get("precision_ci") or (None, None)
    values: dict[str, Any] = {
        "detector": page["detector"]["name"],
        "settings": settings_text(page["detector"]["settings"]),
        "dataset": page["dataset"]["name"],
        "split": page["dataset"]["split"],
        "pictures": page["dataset"]["pictures"],
        "recall": best["recall"], "recall_low": low, "recall_high": high, "main_recall": clean.get("main_recall"),
        "precision": best.get("precision"), "precision_low": precise[0], "precision_high": precise[1],
        "ap": best.get("ap"), "extra_per_picture": best.get("extra_per_picture"), "cover": best.get("cover"),
        "recall_raw": raw["recall"], "cover_raw": raw.get("cover"),
        **{f"noise_{name}": noise["sd"].get(name) for name in ("x", "y", "side")},
        **{kind: scores["corrected"]["recall"] for kind, scores in harder.items()},
        "ms_p50": page["timing"]["ms"]["p50"], "ms_p90": page["timing"]["ms"].get("p90"),
        "timing": "void" if page["timing"]["void"] else "quick" if page["timing"]["quick"] else "full",
        "corrected_on": f"{provenance['dataset']} {provenance['split']} train" if provenance else "not fitted",
        "key": page["key"],
    }  # fmt: skip
    return {name: values.get(name) for name in COLUMNS}


def seen_in_fit(page: Page) -> bool:
    """Whether the correction was fitted under another split of these data: test frames may have been among its own."""
    data, fit = page["dataset"], page["correction"]["provenance"]
    return bool(fit.get("fingerprint") == data["fingerprint"] and fit.get("split") != data["split"])


def settings_text(settings: dict[str, Any]) -> str:
    """Settings in one cell."""
    return ", ".join(f"{name}={value}" for name, value in sorted(settings.items()) if value != "")


def board_rows(pages: Sequence[Page]) -> list[dict[str, Any]]:
    """The board: best recall first, then best precision, then the name."""
    rows = [row_of(page) for page in pages]
    return sorted(rows, key=lambda row: (-(row["recall"] or 0), -(row["precision"] or 0), row["detector"], row["key"]))


def write_boards(pages: Sequence[Page], folder: Path) -> list[Path]:
    """The board as `detectors.csv`, `detectors.md` and `detectors.json`, the same bytes on every machine.

    Pages of several data (dataset, split, version, fingerprint) have a board each, named as a published one is:
    `detectors-<dataset>-<split>-<digits>.csv`.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    # Here and not above: that module needs this one.
    from fkbench.boards.detections import by_data, detectors_slug

    boards, written = by_data(pages), []
    for same in boards or [[]]:
        name = detectors_slug(same[0]["dataset"]) if len(boards) > 1 else "detectors"
        for ending, content in board_files(same).items():
            written.append(folder / f"{name}.{ending}")
            write_atomic(written[-1], content.encode())
    return written


def board_files(pages: Sequence[Page]) -> dict[str, str]:
    """The board as text: `csv`, `md` and `json`."""
    rows = board_rows(pages)
    return {"csv": _csv(rows), "md": _markdown(rows), "json": json.dumps(rows, indent=1, sort_keys=True) + "\n"}


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([csv_cell(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


MARKDOWN = (
    ("detector", "detector"), ("settings", "settings"), ("recall", "recall"), ("precision", "precision"), ("ap", "AP"),
    ("extra_per_picture", "extra / picture"), ("cover", "cover"), ("recall_raw", "recall, raw"),
    ("noise_x", "noise x"), ("noise_y", "noise y"), ("noise_side", "noise side"), ("rotated", "rotated"),
    ("small", "small"), ("dark", "dark"), ("blurred", "blurred"), ("several", "several"), ("ms_p50", "ms p50"),
    ("ms_p90", "ms p90"),
)  # fmt: skip


def _markdown(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(title for _, title in MARKDOWN) + " |", "|" + "---|" * len(MARKDOWN)]
    lines += ["| " + " | ".join(markdown_text(cell_text(row, name)) for name, _ in MARKDOWN) + " |" for row in rows]
    return "\n".join([*lines, *(f"\n{markdown_text(note)}" for note in footnotes(rows))]) + "\n"


MARKS = {
    "quick": "~ timed briefly: not comparable.",
    "void": "* the control net drifted: the machine was not quiet, these times do not count.",
}


def footnotes(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the marks at the times mean, where there are any."""
    return [text for mark, text in MARKS.items() if any(row["timing"] == mark for row in rows)]


def cell_text(row: dict[str, Any], name: str) -> str:
    """A cell for people: shares with three digits, recall and precision with their interval."""
    value = row[name]
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if name.startswith("ms_"):
        return f"{'~' if row['timing'] == 'quick' else ''}{value:.1f}{'*' if row['timing'] == 'void' else ''}"
    ends = (row.get(f"{name}_low"), row.get(f"{name}_high"))
    interval = f" ({ends[0]:.3f}–{ends[1]:.3f})" if None not in ends else ""
    return f"{value:.3f}{interval}"
