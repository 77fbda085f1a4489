"""`fkbench predict`: points for pictures, or for a part of the run's dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import DetectorSettingsOption, DeviceOption, JsonObjectOption, RuntimeOption
from fkbench.cli.session import Session, console, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.specs import DetectorSpec
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.datasets.samples import ByteArray, FloatArray
    from fkbench.records import RunRecord
    from fkbench.runner.loading import LoadedRun
    from fkbench.runner.pictures import Failures

EPILOG = (
    "Examples: fkbench predict 3f2a photo.jpg --detector haar --grid drawn.png; fkbench predict 3f2a crops/ --out "
    "points.csv (each picture is one face); "
    "fkbench predict 3f2a --part unlabelled --grid grid.png; fkbench predict 3f2a --part test --out points.csv."
)
GRID_MOST = 64
AT_ONCE = 64


def register(app: typer.Typer) -> None:
    app.command("predict", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its key or the beginning of it.")],
    images: Annotated[list[Path] | None, typer.Argument(metavar="IMAGE…|DIR", help="Pictures or folders.")] = None,
    part: Annotated[str, typer.Option(help="test or unlabelled: pictures of the run's own dataset.")] = "",
    detector: Annotated[str, typer.Option(help="Finds every face; default: each picture is one.")] = "",
    grid: Annotated[Path | None, typer.Option(help="Draw the points into this picture.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the points to FILE.json or FILE.csv.")] = None,
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "",
    assignments: DetectorSettingsOption = None,
    as_json: JsonObjectOption = False,
) -> None:
    """Predict keypoints for pictures, or for the test or unlabelled part of the run's dataset."""
    session = current(context)
    _check_asked(images, part)
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device
    from fkbench.runner.loading import load_run
    from fkbench.runner.pictures import find_pictures, spare_sources
    from fkbench.runtimes import run_under

    spare_sources((grid, out), find_pictures(list(images or ())))
    settings = parse_settings(list(assignments or ()), "detector").get("detector", {})
    if settings and images and not detector:
        raise FkbenchError("--set is for a detector, and none is asked for.", "Add --detector NAME.")
    record = RunStore(session.runs_root).find(run)
    loaded = run_under(load_run(record, session.registry, choose_device(device), session.data_root), runtime)
    if images and detector and session.registry.get(DetectorSpec, detector).find is not None:
        from fkbench.cli.predict_faces import predict_faces

        predict_faces(loaded, images, detector, settings, grid, out, as_json)
        return
    if part:
        _deliver(loaded, _part(session, loaded, part, detector, settings), grid, out, as_json)
        return
    _predict_files(loaded, list(images or ()), detector, settings, grid, out, as_json)


def _check_asked(images: list[Path] | None, part: str) -> None:
    if bool(images) == bool(part):
        raise FkbenchError(
            "Nothing to predict." if not images else "Give pictures or --part, not both.",
            "For example `fkbench predict RUN photo.jpg` or `fkbench predict RUN --part unlabelled`.",
        )


def _predict_files(
    loaded: LoadedRun,
    images: list[Path],
    detector: str,
    settings: dict[str, str],
    grid: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """One face of each picture: all of it, or what the detector says of it."""
    from fkbench.runner.pictures import Failures, find_pictures

    failures = Failures(find_pictures(images), note)
    found = _files(loaded, failures, detector or None, settings)
    if not detector:
        note("Each picture is taken as one face that fills it; --detector NAME finds the faces in larger pictures.")
    _deliver(loaded, found, grid, out, as_json, failures.reasons)
    failures.finish()


def recorded_settings(
    record: RunRecord, box: DetectorSpec, given: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The run's own settings of dataset and box, with those that are given now in their place."""
    from fkbench.runner.boxing import like_the_run

    return {
        "dataset": {**record.dataset.settings, **given.get("dataset", {})},
        "detector": like_the_run(record, box, given.get("detector", {})),
    }


def note_other_data(fingerprint: str, record: RunRecord) -> None:
    """Say so where the data at hand is not what the run was trained and scored on."""
    if fingerprint != record.dataset.fingerprint:
        note(f"The data here is not that of run {record.key}: another import or version of {record.dataset.name}.")


class Found:
    """Pictures with the points that were predicted, and the true ones where there are any."""

    def __init__(self, ids: list[str], pictures: list[ByteArray], points: FloatArray, truth: FloatArray | None) -> None:
        self.ids, self.pictures, self.points, self.truth = ids, pictures, points, truth


def _files(loaded: LoadedRun, failures: Failures, detector: str | None, settings: dict[str, str]) -> Found:
    """Points of pictures in files, some at a time: folders may be larger than the memory."""
    import numpy as np

    from fkbench.runner.pictures import read_picture

    ids: list[str] = []
    shown: list[ByteArray] = []
    points: list[FloatArray] = []
    for start in range(0, len(failures.files), AT_ONCE):
        pictures = []
        for path in failures.files[start : start + AT_ONCE]:
            try:
                pictures.append(read_picture(path))
            except FkbenchError as error:
                failures.add(path, error)
                continue
            ids.append(str(path))
        if pictures:
            points.append(loaded.predict(pictures, detector, settings))
            shown += pictures[: GRID_MOST - len(shown)]
    failures.check_any()
    return Found(ids, shown, np.concatenate(points), None)


def _part(session: Session, loaded: LoadedRun, part: str, detector: str, settings: dict[str, str]) -> Found:
    from fkbench.runner.inputs import open_inputs
    from fkbench.runner.rescore import predict_boxed

    record = loaded.record
    spec = find_run_dataset(session.registry, record.dataset.name, session.data_root)
    box = detector or record.box
    box_spec = session.registry.get(DetectorSpec, box)
    wanted = recorded_settings(record, box_spec, {"detector": dict(settings)})
    if part == "test":
        inputs = open_inputs(
            session.registry, session.store, spec, split=record.dataset.split, box=box, settings=wanted, test_only=True
        )
        samples, rows = inputs.samples, inputs.split.test
        note_other_data(samples.fingerprint, record)
        points = predict_boxed(loaded, inputs)
        pictures = [samples.frames[int(row)] for row in rows[:GRID_MOST]]
        return Found([samples.ids[i] for i in rows], pictures, points, samples.points[rows])
    if part != "unlabelled":
        raise FkbenchError(f"--part '{part}' is not a part.", "Use test or unlabelled.")
    from fkbench.datasets.access import open_samples

    samples = open_samples(spec, session.store, wanted["dataset"], registry=session.registry)
    if samples.unlabelled is None or not len(samples.unlabelled.frames):
        raise FkbenchError(f"{spec.name} has no unlabelled part here.", "Use --part test, or name pictures.")
    source: str | None = box
    if not detector and box_spec.needs_labels:
        note(f"These pictures have no labels for the box '{box}': the whole frame is used. --detector names another.")
        source = None
    frames = samples.unlabelled.frames
    points, _ = loaded.predict_frames(frames, source, wanted["detector"])
    pictures = [frames[i] for i in range(min(GRID_MOST, len(frames)))]
    return Found(list(samples.unlabelled.ids), pictures, points, None)


def _deliver(
    loaded: LoadedRun,
    found: Found,
    grid: Path | None,
    out: Path | None,
    as_json: bool,
    failed: Mapping[str, str] | None = None,
) -> None:
    from fkbench.runner.pictures import image_facts, write_points

    facts: dict[str, Any] = {
        "run": loaded.record.key,
        "model": loaded.model.name,
        "scheme": loaded.scheme.name,
        "runtime": loaded.runtime or None,
        "points": list(loaded.scheme.points),
    }
    said = []
    if out is not None:
        write_points(out, found.ids, found.points, facts, failed)
        said.append(f"points: {out}")
    if grid is not None:
        _draw(loaded, found, grid)
        said.append(f"picture: {grid}")
        if len(found.ids) > GRID_MOST:
            said.append(f"(the first {GRID_MOST} of {len(found.ids)} pictures are drawn)")
    if as_json:
        print_json({**facts, "images": image_facts(found.ids, found.points, failed)})
    else:
        console().print(
            f"{loaded.model.name}: points of {counted(len(found.ids), 'picture')}",
            *said,
            sep="\n",
            soft_wrap=True,
        )
        if not said:
            note("--out FILE.json or FILE.csv writes the points, --grid FILE draws them, --json prints them.")


def _draw(loaded: LoadedRun, found: Found, grid: Path) -> None:
    from fkbench.draw.grids import sample_grid, save

    shown = found.pictures[:GRID_MOST]
    picture = sample_grid(
        shown,
        None if found.truth is None else list(found.truth[: len(shown)]),
        scheme=loaded.scheme,
        titles=[name.rsplit("/", 1)[-1] for name in found.ids[: len(shown)]],
        predicted=list(found.points[: len(shown)]),
        cell=192 if len(shown) > 1 else 720,
    )
    save(picture, grid)
