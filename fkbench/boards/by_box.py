"""The board of models by boxes: what a detector costs each finished run, beside boxes made from the labels.

Made from the scores of `fkbench score RUN… --box A,B,…`. Extra error is RMSE(box) − RMSE(label boxes) of the same run
on the same test pictures, with the paired interval of `fkbench.score.pairs`; faces that a detector missed are in it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fkbench.boards.text import csv_cell, markdown_text
from fkbench.records import RunRecord, rounded
from fkbench.records.files import write_atomic
from fkbench.records.plain import plain
from fkbench.score import ImageErrors, SeedSums, compare

Score = Mapping[str, Any]
NAME = "models-by-boxes"
NOTHING = "–"
COLUMNS = (
    "model", "run", "seed", "protocol", "overrides", "trained_on", "box_jitter", "dataset", "split", "images", "box",
    "box_settings", "rmse", "rmse_low", "rmse_high", "extra_rmse", "extra_low", "extra_high", "missed_faces",
    "pictures_per_s", "ms_p50", "detector_ms_p50", "timing",
)  # fmt: skip
MARKDOWN = (
    "model", "trained on", "box jitter", "box", "rmse px", "95 % CI", "extra px", "95 % CI", "missed", "img/s",
)  # fmt: skip
LEGEND = (
    "extra: rmse beyond that with boxes from the labels, paired over the same pictures; it holds the missed faces, "
    "which are scored on the whole frame. img/s: detector and model together, one picture at a time."
)


def box_jitter(record: RunRecord) -> dict[str, float] | None:
    """How boxes were shaken in training: σ of the shift (share of the side) and of the relative size. 0: not at all.

    None: the run was not trained on augmented boxes (a predictor, or a recipe that cuts frames by its own geometry).
    """
    recipe: Mapping[str, Any] = record.protocol.recipe
    if not recipe or recipe.get("geometry", {}).get("kind", "view") != "view":
        return None
    drawn = recipe.get("augmentation", {})
    return {name: float(drawn.get(name, 0.0)) for name in ("shift", "scale")}


def extra_error(errors: ImageErrors, reference: ImageErrors) -> dict[str, Any]:
    """What boxes add to the error of one run beyond those of `reference`: `extra_rmse`, px, and `extra_rmse_ci`."""
    found = compare(SeedSums.of([errors]), SeedSums.of([reference]))
    ends = [found.rmse_low, found.rmse_high]
    known = all(abs(end) < float("inf") for end in ends)
    return {"extra_rmse": found.rmse_difference, "extra_rmse_ci": ends if known else None}


def row_of(score: Score) -> dict[str, Any]:
    """A score as a row of the board; a cell is None where there is nothing."""
    metrics, data, speed = score["metrics"], score["dataset"], score.get("end_to_end")
    low, high = metrics.get("rmse_ci") or (None, None)
    extra_low, extra_high = score.get("extra_rmse_ci") or (None, None)
    jitter = score.get("box_jitter")
    values = {
        "model": score.get("model", score["subject"]),
        "run": score["subject"] if "model" in score else None,
        **{name: score.get(name) for name in ("seed", "protocol", "trained_on", "extra_rmse")},
        "overrides": _text(score.get("overrides", {})),
        "box_jitter": None if jitter is None else "yes" if any(jitter.values()) else "no",
        "dataset": data["name"], "split": data["split"], "images": data["images"],
        "box": score["box"], "box_settings": _text(score["box_settings"].get("settings", {})),
        "rmse": metrics["rmse"], "rmse_low": low, "rmse_high": high,
        "extra_low": extra_low, "extra_high": extra_high,
        "missed_faces": metrics["missed_faces"],
    }  # fmt: skip
    if speed is not None:
        values |= {
            "pictures_per_s": speed["pictures_per_s"],
            "ms_p50": speed["ms"]["p50"],
            "detector_ms_p50": speed["detector_ms"]["p50"],
            "timing": "void" if speed["void"] else "quick" if speed["quick"] else "full",
        }
    return {name: values.get(name) for name in COLUMNS}


def _text(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(settings.items()) if value != "")


def board_rows(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Rows in the order of the scores, runs of one model one below the other."""
    rows = [row_of(score) for score in scores]
    models = list(dict.fromkeys(row["model"] for row in rows))
    return sorted(rows, key=lambda row: models.index(row["model"]))


def boards(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of one dataset and split each: others cannot be compared."""
    found: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["dataset"], row["split"]), []).append(row)
    return list(found.values())


def jitter_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What boxes cost models trained with box jitter against the same ones trained without: a line per box."""
    costs: dict[tuple[Any, ...], dict[str, list[float]]] = {}
    for row in rows:
        if row["extra_rmse"] is not None and row["box_jitter"] is not None:
            key = (row["model"], row["protocol"], row["trained_on"], row["dataset"], row["split"], row["box"])
            costs.setdefault(key, {}).setdefault(row["box_jitter"], []).append(row["extra_rmse"])
    lines = []
    for key, found in costs.items():
        if set(found) == {"yes", "no"} and any(any(values) for values in found.values()):
            means = {name: sum(values) / len(values) for name, values in found.items()}
            lines.append(
                f"{key[0]} with {key[-1]}: {means['yes']:+.3f} px where it was trained with box jitter, "
                f"{means['no']:+.3f} px without"
            )
    return lines


def interval(row: Mapping[str, Any], low: str, high: str, digits: int = 3) -> str:
    """A row's interval for people."""
    ends = (row[low], row[high])
    return NOTHING if None in ends else f"{ends[0]:.{digits}f} – {ends[1]:.{digits}f}"


def speed_text(row: Mapping[str, Any]) -> str:
    """Pictures per second; `~`: timed briefly, `*`: the machine was not quiet."""
    if row["pictures_per_s"] is None:
        return NOTHING
    return (
        f"{'~' if row['timing'] == 'quick' else ''}{row['pictures_per_s']:.1f}{'*' if row['timing'] == 'void' else ''}"
    )


def footnotes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the marks mean, where there are any."""
    marks = {"quick": "~ timed briefly: not comparable", "void": "* the machine was not quiet: does not count"}
    return [text for mark, text in marks.items() if any(row["timing"] == mark for row in rows)]


def write_by_box(scores: Sequence[Score], folder: Path) -> list[Path]:
    """The board as `models-by-boxes.csv`, `.md` and `.json`; returns the paths.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    written = []
    for ending, text in by_box_files(scores).items():
        written.append(folder / f"{NAME}.{ending}")
        write_atomic(written[-1], text.encode())
    return written


def by_box_files(scores: Sequence[Score]) -> dict[str, str]:
    """The board as text: `csv`, `md` and `json`."""
    rows = [rounded(plain(row)) for row in board_rows(scores)]
    return {"csv": _csv(rows), "md": _markdown(rows), "json": json.dumps(rows, indent=1, ensure_ascii=False) + "\n"}


def own_score(record: RunRecord) -> dict[str, Any]:
    """A finished run's own score, with the boxes that it was scored on, in the form of `fkbench score`."""
    metrics = {name: record.metrics.get(name) for name in ("rmse", "rmse_ci")}
    return {
        "subject": record.key, "model": record.model.name, "seed": record.seed, "protocol": record.protocol.name,
        "overrides": record.protocol.overrides, "trained_on": record.box, "box_jitter": box_jitter(record),
        "dataset": {
            "name": record.dataset.name, "split": record.dataset.split, "images": record.dataset.counts.get("test"),
        },
        "box": record.box, "box_settings": {},
        "metrics": metrics | {"missed_faces": record.metrics.get("missed_faces", 0)},
    }  # fmt: skip


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([csv_cell(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def _markdown(rows: Sequence[dict[str, Any]]) -> str:
    return "\n".join(_section(board) for board in boards(rows))


def _section(rows: Sequence[Mapping[str, Any]]) -> str:
    first = rows[0]
    lines = [f"# {markdown_text(first['dataset'])}, split {markdown_text(first['split'])}: models by boxes", ""]
    lines += [f"{first['images']} test pictures; rmse in px of the scoring frame.", ""]
    lines += [f"| {' | '.join(MARKDOWN)} |", f"|{' :-- |' * 4}{' --: |' * 6}"]
    lines += [f"| {' | '.join(markdown_text(cell) for cell in cells_of(row))} |" for row in rows]
    lines += [f"\n{markdown_text(line)}" for line in (*jitter_lines(rows), LEGEND, *footnotes(rows))]
    return "\n".join(lines) + "\n"


def cells_of(row: Mapping[str, Any]) -> list[str]:
    """A row for people, with the columns of `MARKDOWN`."""
    run = f" {row['run'][:8]}" if row["run"] else ""
    extra = NOTHING if row["extra_rmse"] is None else f"{row['extra_rmse']:+.3f}"
    return [
        f"{row['model']}{run}", row["trained_on"] or NOTHING, row["box_jitter"] or NOTHING, row["box"],
        f"{row['rmse']:.3f}", interval(row, "rmse_low", "rmse_high"), extra,
        interval(row, "extra_low", "extra_high"), str(row["missed_faces"]), speed_text(row),
    ]  # fmt: skip
