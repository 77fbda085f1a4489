"""`fkbench predict --detector N`: every face that a detector finds, with its keypoints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fkbench.cli.session import console, note, print_json
from fkbench.errors import FkbenchError
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.datasets.samples import ByteArray, FloatArray
    from fkbench.detect import OpenDetector
    from fkbench.detect.found import BoxArray, Found
    from fkbench.runner.loading import LoadedRun
    from fkbench.runner.pictures import Failures

GRID_MOST = 64
SHEET = 1600  # px, side of a grid of few pictures


@dataclass(frozen=True)
class Faces:
    """One picture with its M faces: boxes as found, the squares that the model saw (M, 4), and points (M, K, 2).

    Attributes:
        picture: kept where it will be drawn.
    """

    path: str
    picture: ByteArray | None
    found: Found
    squares: BoxArray
    points: FloatArray

    def facts(self) -> list[dict[str, Any]]:
        """One JSON object per face, the surest first."""
        points, squares = np.round(self.points.astype(np.float64), 4), np.round(self.squares, 3)
        return [
            {"box": row[:4], "score": row[4], "square": square.tolist(), "points": face.tolist()}
            for row, square, face in zip(self.found.rows, squares, points, strict=True)
        ]


def predict_faces(
    loaded: LoadedRun,
    paths: Sequence[Path],
    detector: str,
    settings: Mapping[str, Any],
    grid: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Every face of some pictures and folders of pictures, written, drawn and printed.

    Raises:
        FkbenchError: none of the pictures can be used.
        RunFailedError: some of them could not be, all else is done.
    """
    from fkbench.runner.pictures import Failures, find_pictures

    failures = Failures(find_pictures(paths), note)
    opened = loaded.open_detector(detector, settings)
    images = _faces_in(loaded, opened, failures, GRID_MOST if grid is not None else 0)
    failures.check_any()
    _deliver(loaded, images, failures.reasons, detector, grid, out, as_json)
    failures.finish()


def _faces_in(loaded: LoadedRun, opened: OpenDetector, failures: Failures, drawn: int) -> list[Faces]:
    from fkbench.runner.pictures import read_picture

    found: list[Faces] = []
    for path in failures.files:
        try:
            picture = read_picture(path)
            faces = loaded.predict_faces(picture, opened)
        except FkbenchError as error:
            failures.add(path, error)
            continue
        found.append(Faces(str(path), picture if len(found) < drawn else None, *faces))
    return found


def _deliver(
    loaded: LoadedRun,
    images: Sequence[Faces],
    failed: Mapping[str, str],
    detector: str,
    grid: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    names = list(loaded.scheme.points)
    facts: dict[str, Any] = {"run": loaded.record.key, "model": loaded.model.name, "scheme": loaded.scheme.name}
    facts |= {"runtime": loaded.runtime or None, "points": names}
    rows: list[dict[str, Any]] = [{"id": each.path, "faces": each.facts()} for each in images]
    rows += [{"id": path, "error": reason} for path, reason in failed.items()]
    page = {**facts, "detector": detector, "images": rows}
    said = []
    if out is not None:
        write_faces(out, page, len(names))
        said.append(f"points: {out}")
    if grid is not None:
        _draw(loaded, images, grid)
        said.append(f"picture: {grid}")
        if len(images) > GRID_MOST:
            said.append(f"(the first {GRID_MOST} of {len(images)} pictures are drawn)")
    for each in images:
        if not len(each.found):
            note(f"{each.path}: {detector} finds no face.")
    if as_json:
        print_json(page)
        return
    total = sum(len(each.found) for each in images)
    many = f"{counted(total, 'face')} in {counted(len(images), 'picture')}"
    console().print(f"{loaded.model.name}: points of {many}, found by {detector}", *said, sep="\n", soft_wrap=True)
    if not said:
        note("--out FILE.json or FILE.csv writes the points, --grid FILE draws them, --json prints them.")


def write_faces(path: Path, page: Mapping[str, Any], points: int) -> None:
    """Faces as JSON, or as CSV rows `id,face,x,y,w,h,score,x0,y0,…` in native pixels, by the file's ending.

    Raises:
        FkbenchError: another ending, or the file cannot be written.
    """
    import csv
    import json

    suffix = path.suffix.lower()
    if suffix not in {".json", ".csv"}:
        raise FkbenchError(f"'{path}': points are written as JSON or CSV.", "End the name in .json or .csv.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            if suffix == ".json":
                json.dump(page, file, indent=1)
                return
            writer = csv.writer(file, lineterminator="\n")
            axes = [f"{axis}{k}" for k in range(points) for axis in "xy"]
            writer.writerow(["id", "face", "x", "y", "w", "h", "score", *axes])
            for image in page["images"]:
                for number, face in enumerate(image.get("faces", ())):
                    score = "" if face["score"] is None else face["score"]
                    flat = [value for point in face["points"] for value in point]
                    writer.writerow([image["id"], number, *face["box"], score, *flat])
    except OSError as error:
        raise FkbenchError(f"'{path}' cannot be written: {error.strerror}.", "Choose another file.") from error


def _draw(loaded: LoadedRun, images: Sequence[Faces], grid: Path) -> None:
    from fkbench.draw.grids import draw_points, sample_grid, save

    drawn = []
    for each in images:
        if each.picture is not None:
            scores = [row[4] for row in each.found.rows]
            drawn.append(
                draw_points(each.picture, each.points, scheme=loaded.scheme, boxes=each.found.boxes, scores=scores)
            )
    if len(drawn) == 1:
        save(drawn[0], grid)
        return
    titles = [Path(each.path).name for each in images[: len(drawn)]]
    cell = max(320, SHEET // math.ceil(math.sqrt(len(drawn))))  # few pictures are drawn large: faces in them are small
    save(sample_grid([picture[:, :, ::-1] for picture in drawn], titles=titles, cell=cell), grid)
