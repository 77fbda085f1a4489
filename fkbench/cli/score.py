"""`fkbench score`: scores of a finished run or of another program's points, without training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import DeviceOption, JsonObjectOption
from fkbench.cli.predict import note_other_data, recorded_settings
from fkbench.cli.session import Session, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.finding import find_run_dataset
from fkbench.specs import DatasetSpec, DetectorSpec

if TYPE_CHECKING:
    from fkbench.records import RunRecord
    from fkbench.runner.inputs import Inputs
    from fkbench.runner.loading import LoadedRun
    from fkbench.runner.outcome import Outcome
    from fkbench.score import ImageErrors

EPILOG = (
    "Examples: fkbench score 3f2a (a run by the beginning of its key); "
    "fkbench score points.csv --dataset youtube68 --split identity (rows id,x0,y0,…; native pixels); "
    "fkbench score 3f2a 77c0 --box truth,haar,hog (a table of models by detectors)."
)


def register(app: typer.Typer) -> None:
    app.command("score", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    subjects: Annotated[
        list[str], typer.Argument(metavar="RUN…|PREDICTIONS.csv", help="Runs, or points from elsewhere.")
    ],
    dataset: Annotated[str, typer.Option(help="A name or a TOML file; default: the run's own.")] = "",
    split: Annotated[str, typer.Option(help="Default: the run's own, or the dataset's.")] = "",
    box: Annotated[
        str, typer.Option(help="Default: the run's own, or the dataset's. Several with commas: a table.")
    ] = "",
    device: DeviceOption = "auto",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="dataset.…, detector.…")
    ] = None,
    full_timing: Annotated[
        bool, typer.Option("--time", help="Time a detector with the model at full length, not briefly.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the table as CSV, Markdown and JSON.")] = None,
    as_json: JsonObjectOption = False,
) -> None:
    """Score finished runs, also with a detector's boxes, or points of another program, on a dataset's test part."""
    session = current(context)
    settings: dict[str, dict[str, Any]] = {**parse_settings(list(assignments or ()), "dataset")}
    boxes = list(dict.fromkeys(name.strip() for name in box.split(",") if name.strip())) or [""]
    asked = Asked(dataset, split, device, settings, quick=not full_timing, several=len(boxes) > 1)
    _check_settings(session, boxes, settings)
    scored = [_score(session, subject, each, asked) for subject in dict.fromkeys(subjects) for each in boxes]
    _beside_labels(scored)
    _deliver([each.page for each in scored], out, as_json)


def _deliver(pages: list[dict[str, Any]], out: Path | None, as_json: bool) -> None:
    from fkbench.boards.by_box import write_by_box
    from fkbench.cli.score_board import print_by_box, print_score

    if out is not None:
        for path in write_by_box(pages, out):
            note(f"written: {path}")
    if as_json:
        print_json(pages[0] if len(pages) == 1 else {"scores": pages})
    elif len(pages) == 1:
        print_score(pages[0])
    else:
        print_by_box(pages)


@dataclass(frozen=True)
class Scored:
    """An answer.

    Attributes:
        page: JSON values.
        labels: the boxes were made from the labels: what other boxes are compared with.
        own: the run's own errors as recorded, where these came from such boxes on this test part and kind of device.
        kept: where the page is kept, beside the run.
    """

    page: dict[str, Any]
    errors: ImageErrors
    labels: bool
    own: ImageErrors | None = None
    kept: Path | None = None


def _beside_labels(scored: list[Scored]) -> None:
    """What boxes cost a run beyond those made from the labels, where it was scored with both, now or in its record."""
    from fkbench.boards.by_box import extra_error
    from fkbench.runner.rescore import write_boxed

    references: dict[str, ImageErrors] = {}
    for each in scored:
        if each.labels:
            references.setdefault(each.page["subject"], each.errors)
    for each in scored:
        reference = references.get(each.page["subject"], each.own)
        if not each.labels and reference is not None:
            each.page.update(extra_error(each.errors, reference))
            if each.kept is not None:
                write_boxed(each.page, each.kept)


@dataclass(frozen=True)
class Asked:
    """What was asked for, the same for all runs and boxes.

    Attributes:
        quick: time a detector with the model briefly.
        several: boxes.
    """

    dataset: str
    split: str
    device: str
    settings: dict[str, dict[str, Any]]
    quick: bool
    several: bool


def _score(session: Session, subject: str, box: str, asked: Asked) -> Scored:
    if subject.lower().endswith(".csv"):
        if asked.several:
            raise FkbenchError(f"The points in '{subject}' are what they are with any box.", "Give one --box, or none.")
        return _score_csv(session, Path(subject), asked.dataset, asked.split, box, asked.settings)
    return _score_run(session, subject, box, asked)


def _open(session: Session, spec: DatasetSpec, split: str, box: str, settings: dict[str, dict[str, Any]]) -> Inputs:
    from fkbench.runner.inputs import open_inputs

    return open_inputs(session.registry, session.store, spec, split=split, box=box, settings=settings, test_only=True)


def _score_csv(
    session: Session, path: Path, dataset: str, split: str, box: str, settings: dict[str, dict[str, Any]]
) -> Scored:
    from fkbench.runner.outcome import score_points
    from fkbench.runner.rescore import in_test_order, read_points_csv

    if not dataset:
        raise FkbenchError("Which dataset are these points for?", "Add --dataset NAME.")
    if not path.is_file():
        raise FkbenchError(f"There is no file '{path}'.", "Check the path.")
    spec = session.dataset(dataset)
    inputs = _open(session, spec, split or spec.default_split("uniform"), box or spec.default_box("uniform"), settings)
    points = in_test_order(read_points_csv(path, len(inputs.scheme.points)), inputs, path)
    return _scored(str(path), inputs, score_points(points, inputs, session.registry))


def _score_run(session: Session, run: str, box: str, asked: Asked) -> Scored:
    from fkbench.boards.by_box import box_jitter
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device
    from fkbench.runner.loading import load_run
    from fkbench.runner.outcome import score_points
    from fkbench.runner.rescore import predict_boxed

    record = RunStore(session.runs_root).find(run)
    inputs, device = _inputs(session, record, box, asked), choose_device(asked.device)
    same = inputs.spec.name == record.dataset.name
    loaded = load_run(record, session.registry, device, session.data_root)
    if loaded.scheme.points != inputs.scheme.points:
        raise FkbenchError(
            f"The run predicts {loaded.scheme.name}, but {inputs.spec.name} has {inputs.scheme.name}.",
            "Choose a dataset of the same landmark scheme.",
        )
    if same:
        note_other_data(inputs.samples.fingerprint, record)
    if not same or inputs.split.name != record.dataset.split:
        note("The run was trained under another split: its test rows may have been among its training rows.")
    outcome = score_points(predict_boxed(loaded, inputs), inputs, session.registry)
    scored = _scored(record.key, inputs, outcome)
    scored.page.update(
        recorded_rmse=record.metric("rmse") if same else None,
        model=loaded.model.name,
        seed=record.seed,
        protocol=record.protocol.name,
        overrides=record.protocol.overrides,
        trained_on=record.box,
        box_jitter=box_jitter(record),
    )
    if inputs.detector.find is None:
        return scored
    known = _own_errors(session, record, inputs, device.type) if same else None
    return _in_the_loop(replace(scored, own=known), loaded, inputs, quick=asked.quick)


def _inputs(session: Session, record: RunRecord, box: str, asked: Asked) -> Inputs:
    """What a run is scored on: as asked for, else as it was trained, else what another dataset takes by default."""
    name, settings = record.dataset.name, asked.settings
    spec = session.dataset(asked.dataset) if asked.dataset else find_run_dataset(
        session.registry, name, session.data_root
    )  # fmt: skip
    same = spec.name == name
    box = box or (record.box if same else spec.default_box("uniform"))
    if same:
        settings = recorded_settings(record, session.registry.get(DetectorSpec, box), settings)
    if asked.several:
        settings = _of_this_box(session, box, settings)
    own = record.dataset.split if same else spec.default_split("uniform")
    return _open(session, spec, asked.split or own, box, settings)


def _in_the_loop(scored: Scored, loaded: LoadedRun, inputs: Inputs, *, quick: bool) -> Scored:
    """Timed together with its detector, and kept beside the run."""
    from fkbench.runner.loop import time_loop
    from fkbench.runner.rescore import boxed_path, write_boxed

    timing = time_loop(loaded.predictor, loaded.model, inputs, quick=quick, relation=loaded.relation)
    scored.page["end_to_end"] = timing
    path = boxed_path(inputs, Path(loaded.record.path))
    write_boxed(scored.page, path)  # what is done stays, whatever fails later
    return replace(scored, kept=path)


def _own_errors(session: Session, record: RunRecord, inputs: Inputs, device: str) -> ImageErrors | None:
    """The run's recorded errors, where they say what boxes from the labels give on the same test part."""
    from fkbench.records import ERRORS_FILE, read_errors

    try:
        labels = session.registry.get(DetectorSpec, record.box).needs_labels
        if not labels or device != record.device.type or inputs.split.name != record.dataset.split:
            return None
        own = read_errors(Path(record.path) / ERRORS_FILE)
    except FkbenchError:
        return None
    return own if set(own.ids) == {inputs.samples.ids[i] for i in inputs.split.test} else None


def _check_settings(session: Session, boxes: list[str], settings: dict[str, dict[str, Any]]) -> None:
    """With several boxes a setting concerns those that have it; one that none has is a mistake.

    Raises:
        UnknownNameError: there is such a one.
    """
    if len(boxes) < 2:
        return
    known = {name for box in boxes for name in session.registry.get(DetectorSpec, box).settings}
    for name in settings.get("detector", {}):
        if name not in known:
            raise UnknownNameError("detector setting", name, known, none="These detectors have no settings.")


def _of_this_box(session: Session, box: str, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings that the box has: with several boxes, `--set detector.…` concerns those that know it."""
    known = session.registry.get(DetectorSpec, box).settings
    given = settings.get("detector", {})
    return {**settings, "detector": {name: value for name, value in given.items() if name in known}}


def _scored(subject: str, inputs: Inputs, outcome: Outcome) -> Scored:
    samples = inputs.samples
    page = {
        "subject": subject,
        "dataset": {
            "name": inputs.spec.name,
            "split": inputs.split.name,
            "split_version": inputs.split.version,
            "fingerprint": samples.fingerprint,
            "images": len(inputs.split.test),
            "leaky": inputs.split.leaky,
        },
        "box": inputs.detector.name,
        "box_settings": {name: value for name, value in inputs.box.items() if name != "name"},
        "metrics": outcome.metrics,
    }
    return Scored(page, outcome.errors, inputs.detector.needs_labels)
