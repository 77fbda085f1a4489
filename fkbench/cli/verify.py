"""`fkbench verify`: scores computed again from what is stored, and how far a result can be trusted after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.session import Session, console, current, note, print_json
from fkbench.cli.stored_checks import StoreOption, store_check
from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from fkbench.publishing.verifying import Checked, Predict
    from fkbench.records import RunRecord

EPILOG = (
    "Levels of trust: self-reported (no check); arithmetic checked (errors only): the errors per image give every "
    "score; arithmetic checked: the stored predictions and the dataset's labels give these errors; predicted again: "
    "the weights give the predictions; reproduced: a new training gives the score. Examples: fkbench verify 3f2a "
    "--weights; fkbench --runs leaderboards verify --all --store."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]…", help="Keys, folders, published files, or model@dataset for all seeds."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every finished result of the folder.")] = False,
    weights: Annotated[
        bool, typer.Option("--weights", help="Predict again from the run's weights, too; a published result has none.")
    ] = False,
    device: Annotated[str, typer.Option(help="For --weights: auto, cpu, cuda or cuda:N.")] = "auto",
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")] = False,
) -> None:
    """Compute every score of results again, from stored predictions and labels; exit code 1 where one does not fit.

    Without the dataset the errors per image are taken as they are, and the answer says so.
    """
    from fkbench.publishing.verifying import verify
    from fkbench.records import is_published

    session = current(context)
    predict = _predictor(session, device) if weights else None
    pages, wrong = [], False
    for record in _chosen(session, list(runs or ()), every):
        if weights and is_published(record):
            raise FkbenchError(
                f"'{record.path}' is published without weights.", "Leave --weights out, or name the run."
            )
        found = verify(record, session.registry, session.data_root, predict)
        wrong = wrong or bool(found.mismatches)
        stored = store_check(record, found.verification, store)
        pages.append({**_page(found), "stored": stored})
        if not as_json:
            _print(found)
    if as_json:
        print_json({"results": pages, "mismatches": sum(len(page["mismatches"]) for page in pages)})
    if wrong:
        raise typer.Exit(1)


def _chosen(session: Session, runs: list[str], every: bool) -> list[RunRecord]:
    from fkbench.records import ResultStore
    from fkbench.records.detections import detectors_of

    if every == bool(runs):
        raise FkbenchError("Which results?", "Name some (fkbench runs list), or give --all.")
    results = ResultStore(session.runs_root)
    damaged: list[str] = []
    if every:
        found = [record for record in results.records(damaged.append) if record.status == "done"]
        detectors = detectors_of(session.runs_root, damaged.append)
        if damaged:
            raise FkbenchError(f"A record cannot be read: {damaged[0]}", "Remove it, or fetch it again.")
        if detectors:
            note(f"{len(detectors)} of detectors: of the right form; without their boxes nothing is computed again.")
        if not found and not detectors:
            raise FkbenchError(f"There are no finished results in '{session.runs_root}'.", "Name a folder with --runs.")
        return found
    return list({record.path: record for text in runs for record in results.find_all(text)}.values())


def _predictor(session: Session, device: str) -> Predict:
    """Predictions of the test part from a run's weights, as its scores were made."""
    from fkbench.finding import find_run_dataset
    from fkbench.runner.device import choose_device
    from fkbench.runner.inputs import open_inputs
    from fkbench.runner.loading import load_run
    from fkbench.runner.outcome import predict_test

    def predict(record: RunRecord) -> tuple[tuple[str, ...], Any]:
        run = load_run(record, session.registry, choose_device(device), session.data_root)
        spec = find_run_dataset(session.registry, record.dataset.name, session.data_root)
        box = {name: value for name, value in record.box_settings.items() if name not in {"jitter", "correction"}}
        settings = {"dataset": record.dataset.settings, "detector": box}
        split = record.dataset.split
        inputs = open_inputs(session.registry, session.store, spec, split=split, box=record.box, settings=settings)
        ids = tuple(inputs.samples.ids[i] for i in inputs.split.test)
        return ids, predict_test(run.predictor, run.model, inputs, run.geometry)

    return predict


def _page(found: Checked) -> dict[str, Any]:
    lines = [
        {
            "metric": line.metric,
            "recorded": line.recorded,
            "recomputed": line.recomputed,
            "from_predictions": found.from_predictions.get(line.metric),
            "difference": line.difference,
            "verdict": line.verdict,
            "note": line.note,
        }
        for line in found.lines
    ]
    record = found.record
    trust = "check failed" if found.mismatches else found.level
    return {
        "key": record.key,
        "model": record.model.name,
        "dataset": record.dataset.name,
        "seed": record.seed,
        "path": record.path,
        "trust": trust,
        "metrics": lines,
        "mismatches": found.mismatches,
        "notes": found.notes,
        "weights_deviation_px": found.deviation,
    }


def _print(found: Checked) -> None:
    from rich.table import Table
    from rich.text import Text

    from fkbench.boards.text import cut, visible

    record, out = found.record, console()
    title = f"{record.key}: {record.model.name} on {record.dataset.name}, seed {record.seed}"
    # Not wrapped, and the key first: text of a record begins no line, where a machine that logs this would act on it.
    out.print(Text(cut(visible(title), 300)), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="underline")
    for title in ("metric", "recorded", "from errors", "from predictions", "difference", ""):
        table.add_column(title, justify="left" if title in {"metric", ""} else "right")
    for line in found.lines:
        again = found.from_predictions.get(line.metric)
        gap = "" if line.difference is None else f"{line.difference:.2g}"
        cells = (line.metric, _shown(line.recorded), _shown(line.recomputed), _shown(again), gap, line.verdict)
        table.add_row(
            *(Text(cut(visible(cell), 40), style="red" if line.verdict == "differs" else "") for cell in cells)
        )
    out.print(table)
    if found.deviation is not None:
        out.print(f"predicted again from the weights: {found.deviation:.3g} px apart, root mean square")
    for text in found.notes:
        note(f"Note: {visible(text)}")
    for text in found.mismatches:
        note(f"Mismatch: {visible(text)}")
    out.print(f"trust: {'check failed' if found.mismatches else found.level}", style="bold")


def _shown(value: Any) -> str:
    if isinstance(value, int | float):
        return f"{value:.6g}"
    if isinstance(value, list | dict):
        return f"({len(value)} values)"
    return "–"
