"""`fkbench score`: scores of a finished run or of another program's points, without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.predict import note_other_data, recorded_settings
from fkbench.cli.session import Session, console, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.specs import DatasetSpec, ModelSpec

if TYPE_CHECKING:
    from fkbench.runner.inputs import Inputs
    from fkbench.runner.outcome import Outcome

EPILOG = (
    "Examples: fkbench score 3f2a (a run by the beginning of its key); "
    "fkbench score points.csv --dataset youtube68 --split identity (rows id,x0,y0,…; native pixels)."
)


def register(app: typer.Typer) -> None:
    app.command("score", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="RUN|PREDICTIONS.csv", help="A run, or points from elsewhere.")],
    dataset: Annotated[str, typer.Option(help="A name or a TOML file; default: the run's own.")] = "",
    split: Annotated[str, typer.Option(help="Default: the run's own, or the dataset's.")] = "",
    box: Annotated[str, typer.Option(help="Default: the run's own, or the dataset's.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="dataset.…, detector.…")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Score a finished run, or points that another program predicted, on a dataset's test part."""
    session = current(context)
    settings: dict[str, dict[str, Any]] = {**parse_settings(list(assignments or ()), "dataset")}
    if subject.lower().endswith(".csv"):
        result = _score_csv(session, Path(subject), dataset, split, box, settings)
    else:
        result = _score_run(session, subject, dataset, split, box, device, settings)
    if as_json:
        print_json(result)
    else:
        _print(result)


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


def _score_run(
    session: Session, run: str, dataset: str, split: str, box: str, device: str, settings: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device
    from fkbench.runner.loading import load_run
    from fkbench.runner.outcome import predict_test, score_points

    record = RunStore(session.runs_root).find(run)
    if dataset:
        spec = session.dataset(dataset)
    else:
        spec = find_run_dataset(session.registry, record.dataset.name, session.data_root)
    same = spec.name == record.dataset.name
    if same:
        settings = recorded_settings(record, box or record.box, settings)
    own = record.dataset.split if same else spec.default_split("uniform")
    inputs = _open(session, spec, split or own, box or (record.box if same else spec.default_box("uniform")), settings)
    loaded = load_run(record, session.registry, choose_device(device), session.data_root)
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
    return _result(record.key, inputs, outcome) | {"recorded_rmse": record.metric("rmse") if same else None}


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
    if result.get("recorded_rmse") is not None:
        out.print(f"recorded rmse: {result['recorded_rmse']:.5g}")
    if data["leaky"]:
        out.print("[yellow]This split is leaky: persons or clips stand on both sides.[/yellow]")
