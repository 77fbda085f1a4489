"""`fkbench score`: scores of a finished run or of another program's points, without training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.predict import note_other_data, recorded_settings
from fkbench.cli.session import Session, console, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.specs import DatasetSpec, DetectorSpec, ModelSpec

if TYPE_CHECKING:
    from fkbench.runner.inputs import Inputs
    from fkbench.runner.outcome import Outcome

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
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="dataset.…, detector.…")
    ] = None,
    full_timing: Annotated[
        bool, typer.Option("--time", help="Time a detector with the model at full length, not briefly.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Score finished runs, also with a detector's boxes, or points of another program, on a dataset's test part."""
    session = current(context)
    settings: dict[str, dict[str, Any]] = {**parse_settings(list(assignments or ()), "dataset")}
    boxes = [name.strip() for name in box.split(",")]
    asked = Asked(dataset, split, device, settings, quick=not full_timing, several=len(boxes) > 1)
    results = [_score(session, subject, each, asked) for subject in subjects for each in boxes]
    if as_json:
        print_json(results[0] if len(results) == 1 else {"scores": results})
    elif len(results) == 1:
        _print(results[0])
    else:
        print_table(results)


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


def _score(session: Session, subject: str, box: str, asked: Asked) -> dict[str, Any]:
    if subject.lower().endswith(".csv"):
        return _score_csv(session, Path(subject), asked.dataset, asked.split, box, asked.settings)
    return _score_run(session, subject, box, asked)


def _open(session: Session, spec: DatasetSpec, split: str, box: str, settings: dict[str, dict[str, Any]]) -> Inputs:
    from fkbench.runner.inputs import open_inputs

    return open_inputs(session.registry, session.store, spec, split=split, box=box, settings=settings)


def _score_csv(
    session: Session, path: Path, dataset: str, split: str, box: str, settings: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    from fkbench.runner.outcome import score_points
    from fkbench.runner.rescore import in_test_order, read_points_csv

    if not dataset:
        raise FkbenchError("Which dataset are these points for?", "Add --dataset NAME.")
    if not path.is_file():
        raise FkbenchError(f"There is no file '{path}'.", "Check the path.")
    spec = session.dataset(dataset)
    inputs = _open(session, spec, split or spec.default_split("uniform"), box or spec.default_box("uniform"), settings)
    points = in_test_order(read_points_csv(path, len(inputs.scheme.points)), inputs, path)
    return _result(str(path), inputs, score_points(points, inputs, session.registry))


def _score_run(session: Session, run: str, box: str, asked: Asked) -> dict[str, Any]:
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device
    from fkbench.runner.loading import load_run
    from fkbench.runner.outcome import predict_test, score_points
    from fkbench.runner.rescore import write_boxed

    record = RunStore(session.runs_root).find(run)
    name, split, settings = record.dataset.name, asked.split, asked.settings
    spec = session.dataset(asked.dataset) if asked.dataset else find_run_dataset(
        session.registry, name, session.data_root
    )  # fmt: skip
    same = spec.name == name
    box = box or (record.box if same else spec.default_box("uniform"))
    if same:
        settings = recorded_settings(record, box, settings)
    if asked.several:
        settings = _of_this_box(session, box, settings)
    own = record.dataset.split if same else spec.default_split("uniform")
    inputs = _open(session, spec, split or own, box, settings)
    loaded = load_run(record, session.registry, choose_device(asked.device), session.data_root)
    if loaded.scheme.points != inputs.scheme.points:
        raise FkbenchError(
            f"The run predicts {loaded.scheme.name}, but {spec.name} has {inputs.scheme.name}.",
            "Choose a dataset of the same landmark scheme.",
        )
    if same:
        note_other_data(inputs.samples.fingerprint, record)
    if not same or inputs.split.name != record.dataset.split:
        note("The run was trained under another split: its test rows may have been among its training rows.")
    model: ModelSpec = loaded.model
    outcome = score_points(predict_test(loaded.predictor, model, inputs, loaded.geometry), inputs, session.registry)
    result = _result(record.key, inputs, outcome) | {"recorded_rmse": record.metric("rmse") if same else None}
    result |= {"model": model.name, "seed": record.seed, "trained_on": record.box}
    if inputs.detector.find is not None:
        from fkbench.runner.loop import time_loop

        result["end_to_end"] = time_loop(loaded.predictor, model, inputs, quick=asked.quick)
        write_boxed(result, inputs, Path(record.path))
    return result


def _of_this_box(session: Session, box: str, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings that the box has: with several boxes, `--set detector.…` concerns those that know it."""
    known = session.registry.get(DetectorSpec, box).settings
    given = settings.get("detector", {})
    return {**settings, "detector": {name: value for name, value in given.items() if name in known}}


def _result(subject: str, inputs: Inputs, outcome: Outcome) -> dict[str, Any]:
    samples = inputs.samples
    return {
        "subject": subject,
        "dataset": {
            "name": inputs.spec.name,
            "split": inputs.split.name,
            "fingerprint": samples.fingerprint,
            "images": len(inputs.split.test),
            "leaky": inputs.split.leaky,
        },
        "box": inputs.detector.name,
        "box_settings": {name: value for name, value in inputs.box.items() if name != "name"},
        "metrics": outcome.metrics,
    }


def _print(result: dict[str, Any]) -> None:
    from rich.table import Table

    data = result["dataset"]
    what = f"{data['name']}, split {data['split']}, box {result['box']}, {data['images']} images"
    title = f"{result['subject']} on {what}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    for name, value in result["metrics"].items():
        if isinstance(value, int | float):
            table.add_row(name, f"{value:.5g}")
        elif name == "rmse_ci":
            table.add_row("rmse 95 % interval", " – ".join(f"{end:.4g}" for end in value))
    out = console()
    out.print(table)
    if "end_to_end" in result:
        out.print(_speed_text(result["end_to_end"]))
    if result.get("recorded_rmse") is not None:
        out.print(f"recorded rmse: {result['recorded_rmse']:.5g}")
    if data["leaky"]:
        out.print("[yellow]This split is leaky: persons or clips stand on both sides.[/yellow]")


def _speed_text(timing: dict[str, Any]) -> str:
    quick = " (timed briefly; --time for a full session)" if timing["quick"] else ""
    void = " The machine was not quiet: these times do not count." if timing["void"] else ""
    return (
        f"with the detector, end to end: {timing['pictures_per_s']:.1f} pictures/s, p50 {timing['ms']['p50']:.1f} ms, "
        f"p90 {timing['ms']['p90']:.1f} ms; the detector alone: p50 {timing['detector_ms']['p50']:.1f} ms{quick}.{void}"
    )


def print_table(results: list[dict[str, Any]]) -> None:
    """Models by boxes: rmse, faces missed, and pictures per second with a detector."""
    from rich.table import Table

    boxes = list(dict.fromkeys(result["box"] for result in results))
    table = Table(box=None, pad_edge=False)
    for name in ("run", *boxes):
        table.add_column(name, justify="left" if name == "run" else "right", no_wrap=True)
    for subject in dict.fromkeys(result["subject"] for result in results):
        of_run = {result["box"]: result for result in results if result["subject"] == subject}
        first = next(iter(of_run.values()))
        name = f"{first['model']} {subject[:8]}" if "model" in first else subject
        table.add_row(name, *(_cell(of_run[box]) if box in of_run else "–" for box in boxes))
    data, out = results[0]["dataset"], console()
    out.print(f"{data['name']} {data['split']}, {data['images']} images: rmse in px of the scoring frame")
    out.print(table)
    out.print("[dim]in brackets: faces that the detector missed, scored on the whole frame; /s: end to end.[/dim]")


def _cell(result: dict[str, Any]) -> str:
    text = f"{result['metrics']['rmse']:.4g}"
    missed = result["metrics"]["missed_faces"]
    if "end_to_end" not in result:
        return text
    timing = result["end_to_end"]
    return f"{text} ({missed}) {timing['pictures_per_s']:.0f}{'*' if timing['void'] else ''}/s"
