"""`fkbench detect`: find faces in pictures, or score detectors on a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, console, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError
from fkbench.specs import DetectorSpec
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.detect import OpenDetector

EPILOG = (
    "Examples: fkbench detect --detector haar photo.jpg --out drawn; fkbench detect --detector haar --dataset "
    "youtube68; fkbench detect --detector all --dataset youtube68 --out board; fkbench detect --detector hog --dataset "
    "youtube68 --set upsample=0 --fit; fkbench detect --dataset youtube68 (the board of what has been scored)."
)
ALL = "all"
TABLES = (
    {"detector": "detector", "recall": "recall", "precision": "precision", "ap": "AP", "ms_p50": "ms p50",
     "ms_p90": "p90"},
    {"detector": "", "main_recall": "main", "recall_raw": "raw", "extra_per_picture": "extra", "cover": "cover",
     "noise_x": "± x", "noise_y": "± y", "noise_side": "± side"},
    {"detector": "", "rotated": "rotated", "small": "small", "dark": "dark", "blurred": "blurred",
     "several": "several"},
)  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command("detect", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    images: Annotated[list[Path] | None, typer.Argument(metavar="IMAGE…|DIR", help="Pictures or folders.")] = None,
    detector: Annotated[str, typer.Option(help="A name (fkbench list detectors), or all.")] = "",
    dataset: Annotated[str, typer.Option(help="Score it on the test part of this dataset.")] = "",
    split: Annotated[str, typer.Option(help="Default: the dataset's.")] = "",
    most: Annotated[int, typer.Option(min=0, help="Score at most so many test frames; 0: all.")] = 0,
    fit: Annotated[
        bool, typer.Option("--fit", help="Fit the box correction on the training part and keep it.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for drawn pictures, or for the board's files.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Time it only briefly; marked.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Score again what has been scored.")] = False,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the detector; dataset.… of the dataset.")
    ] = None,
    as_json: JsonObjectOption = False,
) -> None:
    """Find every face in pictures, or score detectors on a dataset: recall, precision, noise of the boxes, time."""
    session = current(context)
    settings: dict[str, dict[str, Any]] = {**parse_settings(list(assignments or ()), "detector")}
    if bool(images) == bool(dataset):
        raise FkbenchError(
            "Give pictures or --dataset, one of them.",
            "For example `fkbench detect --detector haar photo.jpg` or `fkbench detect --detector haar --dataset D`.",
        )
    if images:
        _in_pictures(session, detector, settings, list(images), out, as_json)
        return
    if fit:
        _fit(session, detector, dataset, split, settings, as_json)
        return
    pages = _scored(session, detector, dataset, split, most, settings, quick=quick, force=force) if detector else None
    _show_board(session, dataset, pages, out, as_json)


def _open(session: Session, name: str, settings: dict[str, dict[str, Any]]) -> OpenDetector:
    from fkbench.detect import open_detector

    if not name:
        raise FkbenchError("Which detector?", "Add --detector NAME; `fkbench list detectors` has them.")
    return open_detector(session.registry.get(DetectorSpec, name), settings.get("detector", {}), session.store)


def _in_pictures(
    session: Session, name: str, settings: dict[str, dict[str, Any]], paths: list[Path], out: Path | None, as_json: bool
) -> None:
    from time import perf_counter

    from fkbench.runner.pictures import Failures, drawing_names, find_pictures, read_picture, spare_sources

    detector, files = _open(session, name, settings), find_pictures(paths)
    facts: list[dict[str, Any]] = []
    failures = Failures(files, note)
    drawings = [None if out is None else out / each for each in drawing_names(files)]
    spare_sources(drawings, files)
    for path, drawing in zip(files, drawings, strict=True):
        try:
            picture = read_picture(path)
            before = perf_counter()
            found = detector.find(picture)
        except FkbenchError as error:
            failures.add(path, error)
            facts.append({"path": str(path), "error": error.message})
            continue
        ms = 1000 * (perf_counter() - before)
        squares = [[round(float(value), 3) for value in box] for box in detector.squares(found)]
        facts.append({"path": str(path), "boxes": found.rows, "corrected": squares, "ms": round(ms, 3)})
        if drawing is not None:
            _draw(picture, found, drawing)
    failures.check_any()
    if as_json:
        print_json({"detector": name, "settings": dict(detector.settings), "images": facts})
    else:
        _print_found(facts, out)
    failures.finish()


def _print_found(facts: list[dict[str, Any]], out: Path | None) -> None:
    for image in facts:
        if "error" in image:
            continue
        count = len(image["boxes"])
        console().print(f"{image['path']}: {counted(count, 'face')}, {image['ms']:.0f} ms", soft_wrap=True)
        for x, y, width, height, score in image["boxes"]:
            sure = f"  score {score:.3g}" if score is not None else ""
            console().print(f"  x {x:.1f}  y {y:.1f}  w {width:.1f}  h {height:.1f}{sure}")
    if out is not None:
        console().print(f"drawn into {out}", soft_wrap=True)


def _draw(picture: Any, found: Any, path: Path) -> None:
    import numpy as np

    from fkbench.draw.grids import draw_points, save

    nowhere = np.zeros((0, 1, 2), np.float32)
    save(draw_points(picture, nowhere, boxes=found.boxes, scores=[row[4] for row in found.rows]), path)


def _ground(session: Session, dataset: str, split: str, most: int, settings: dict[str, dict[str, Any]]) -> Any:
    from fkbench.datasets.access import open_samples
    from fkbench.datasets.boxes import check_box
    from fkbench.datasets.splits import get_split
    from fkbench.detect.evaluating import Ground

    spec = session.dataset(dataset)
    if not spec.any_box:  # says why, and which boxes there are
        check_box(spec, session.registry, next(d.name for d in session.registry.all(DetectorSpec) if d.find))
    samples = open_samples(spec, session.store, settings.get("dataset"), registry=session.registry)
    chosen = get_split(spec, samples, split or spec.default_split("uniform"))
    return Ground(spec.name, samples, chosen, session.store, most)


def _fit(
    session: Session, name: str, dataset: str, split: str, settings: dict[str, dict[str, Any]], as_json: bool
) -> None:
    from fkbench.detect.correction import correction_page, store_correction
    from fkbench.detect.evaluating import fitted_on

    detector, ground = _open(session, name, settings), _ground(session, dataset, split, 0, settings)
    fitted = fitted_on(detector, ground)
    path = store_correction(detector.spec, detector.settings, fitted, session.store)
    if as_json:
        print_json({"detector": name, "settings": dict(detector.settings), **correction_page(fitted), "path": path})
        return
    facts = fitted.provenance
    console().print(
        f"{name}: scale {fitted.scale:.4f}, dx {fitted.dx:+.4f}, dy {fitted.dy:+.4f}, medians over {facts['faces']} of "
        f"{facts['frames']} training frames of {dataset} {facts['split']}",
        f"kept in {path}",
        sep="\n",
        soft_wrap=True,
    )


def _scored(
    session: Session,
    name: str,
    dataset: str,
    split: str,
    most: int,
    settings: dict[str, dict[str, Any]],
    *,
    quick: bool,
    force: bool,
) -> list[dict[str, Any]]:
    from fkbench.detect.evaluating import asked, evaluate
    from fkbench.detect.pages import page_path, write_page
    from fkbench.records.detections import DetectorResult, read_detection

    names = _available(session) if name == ALL else [name]
    opened = [_open(session, each, settings) for each in names]
    ground, pages = _ground(session, dataset, split, most, settings), []
    for detector in opened:
        path = page_path(session.runs_root, asked(detector, ground))
        if path.is_file() and not force and _answers(path, quick=quick):
            note(f"{detector.spec.name}: scored before, {path}")
        else:
            note(f"{detector.spec.name}: {len(ground.rows)} test frames of {ground.name} {ground.split.name}")
            path = write_page(session.runs_root, evaluate(detector, ground, quick=quick))
        pages.append(read_detection(path, DetectorResult))
    return pages


def _answers(path: Path, *, quick: bool) -> bool:
    """Whether a page that is there can be taken; one that cannot be read is made again."""
    from fkbench.records.detections import DetectorResult, read_detection

    try:
        return bool(not read_detection(path, DetectorResult)["timing"]["quick"] or quick)
    except FkbenchError as error:
        note(error.message)
        return False


def _available(session: Session) -> list[str]:
    """Detectors that can be used as they are; why the others cannot is said."""
    usable = []
    for spec in session.registry.all(DetectorSpec):
        reason = spec.unavailable()
        if spec.role == "oracle":
            continue
        if reason is None:
            usable.append(spec.name)
        else:
            note(f"{spec.name}: left out, {reason}")
    return usable


def _show_board(
    session: Session, dataset: str, pages: list[dict[str, Any]] | None, out: Path | None, as_json: bool
) -> None:
    from fkbench.boards.detections import by_data
    from fkbench.detect.pages import board_rows, seen_in_fit, write_boards
    from fkbench.records.detections import detectors_of

    shown = detectors_of(session.runs_root, note, dataset) if pages is None else pages
    for page in filter(seen_in_fit, shown):
        note(
            f"{page['detector']['name']}: its correction was fitted under the split "
            f"'{page['correction']['provenance']['split']}': test frames may have been among the fitted ones."
        )
    if out is not None:
        for path in write_boards(shown, out):
            note(f"written: {path}")
    if as_json:
        print_json({"detectors": shown})
    elif not shown:
        note(f"No detector has been scored on {dataset} here. Add --detector NAME, or --detector all.")
    else:
        for same in by_data(shown):
            _print_board(board_rows(same))


def _print_board(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from fkbench.detect.pages import cell_text, footnotes

    first, out = rows[0], console()
    out.print(f"{first['dataset']} {first['split']}: corrected boxes, IoU ≥ 0.5 with the reference square")
    for shown in TABLES:
        table = Table(box=None, pad_edge=False)
        for name, title in shown.items():
            table.add_column(title, justify="left" if name == "detector" else "right", no_wrap=True)
        for row in rows:
            table.add_row(*(cell_text(row, name) for name in shown))
        out.print(table)
    pictures = sorted({row["pictures"] for row in rows})
    out.print(
        f"[dim]{' or '.join(map(str, pictures))} test frames; recall and precision with 95 % intervals over persons; "
        "main: recall of the one face that a model would see; raw: recall before the correction; extra: boxes per "
        "picture that are no labelled face (people in the background count); cover: share of the keypoints inside; ±: "
        "standard deviation in shares of the square's side; below: recall on harder pictures.[/dim]"
    )
    for line in footnotes(rows):
        out.print(f"[dim]{line}[/dim]", highlight=False)
    for row in rows:
        if row["corrected_on"] == "not fitted":
            out.print(
                f"[yellow]{row['detector']}: no correction is fitted for these settings; --fit makes one.[/yellow]"
            )
