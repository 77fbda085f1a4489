"""`fkbench verify`: scores computed again from what is stored, and how far a result can be trusted after that."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonValueOption
from fkbench.cli.session import Session, current, note, print_json
from fkbench.cli.stored_checks import StoreOption, store_check
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.records.store import safe_name
from fkbench.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkbench.publishing.verifying import Checked, Predict
    from fkbench.records import ResultStore, RunRecord

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
    as_json: JsonValueOption = False,
) -> None:
    """Compute every score of results again, from stored predictions and labels; exit code 1 where one does not fit.

    Without the dataset the errors per image are taken as they are, and the answer says so. One result alone is shown
    with all its metrics, several in a line each with details where something does not fit.
    """
    from fkbench.cli.verify_page import print_checked
    from fkbench.publishing.verifying import verify

    session = current(context)
    records, unread = _chosen(session, list(runs or ()), every)
    predict = _predictor(session, records, device) if weights else None
    found, pages = [], []
    whole = not every and len(records) + len(unread) == 1
    for record in records:
        checked = verify(record, session.registry, session.data_root, predict)
        stored = store_check(record, checked.verification, store)
        found.append(checked)
        pages.append({**_page(checked), "stored": stored})
        if not as_json:
            print_checked(checked, whole=whole)
    _conclude(found, pages, unread, whole=whole, as_json=as_json)


def _conclude(
    found: list[Checked], pages: list[dict[str, Any]], unread: list[str], *, whole: bool, as_json: bool
) -> None:
    """The pages, or the sum of what was printed; exit code 1 where something does not fit or cannot be read."""
    from fkbench.cli.verify_page import print_summary

    failed = len(unread) + sum(bool(checked.mismatches) for checked in found)
    if as_json:
        mismatches = sum(len(checked.mismatches) for checked in found)
        print_json({"results": pages, "mismatches": mismatches, "failed": failed, "damaged": unread})
    else:
        print_summary(found, len(unread), whole=whole)
    if failed:
        raise typer.Exit(1)


def _chosen(session: Session, runs: list[str], every: bool) -> tuple[list[RunRecord], list[str]]:
    """The records, and a line for each that was asked for and cannot be read."""
    from fkbench.records import ResultStore
    from fkbench.records.detections import detectors_of

    if every == bool(runs):
        raise FkbenchError("Which results?", "Name some (fkbench runs list), or give --all.")
    results = ResultStore(session.runs_root)
    damaged: list[str] = []

    def hear(line: str) -> None:
        if line not in damaged:
            damaged.append(line)
            note(f"Damaged: {line}")

    if not every:
        return _named(results, runs, hear)
    records = results.records(hear)
    found = [record for record in records if record.status == "done"]
    detectors = detectors_of(session.runs_root, hear)
    if detectors:
        note(f"{len(detectors)} of detectors: of the right form; without their boxes nothing is computed again.")
    if not records and not detectors and not damaged:
        raise FkbenchError(f"There are no results in '{session.runs_root}'.", "Name a folder with --runs.")
    if len(found) < len(records):
        left = len(records) - len(found)
        note(f"{counted(left, 'run')} that did not finish: there is nothing to compute again.")
    return found, damaged


def _named(results: ResultStore, runs: list[str], hear: Callable[[str], None]) -> tuple[list[RunRecord], list[str]]:
    found: dict[str, RunRecord] = {}
    unread: list[str] = []
    for text in runs:
        heard: list[str] = []
        try:
            found |= {record.path: record for record in results.find_all(text, heard.append)}
        except FkbenchError as error:
            # A name that means nothing, or too much, is bad use; a file that cannot be read is one that was checked.
            if isinstance(error, UnknownNameError) or not os.path.exists(os.path.expanduser(text)):
                raise
            unread.append(str(error))
            heard.append(str(error))
        finally:
            for line in heard:
                hear(line)
        unread += [line for line in heard if line not in unread and _is_of(text, line)]
    return list(found.values()), unread


def _is_of(text: str, line: str) -> bool:
    """Whether a damaged file is of the model of `model@dataset`: it cannot say so, its name or its folder's does."""
    model = safe_name(text.partition("@")[0]) if "@" in text else ""
    return bool(model) and re.search(rf"[/\\]{re.escape(model)}[-/\\]", line) is not None


def _predictor(session: Session, records: list[RunRecord], device: str) -> Predict:
    """Predictions of the test part from a run's weights, as its scores were made.

    Raises:
        FkbenchError: one of the records is published, without weights.
    """
    from fkbench.records import is_published

    published = [record.path for record in records if is_published(record)]
    if published:
        raise FkbenchError(f"'{published[0]}' is published without weights.", "Leave --weights out, or name the run.")
    from fkbench.runner.device import choose_device
    from fkbench.runner.inputs import inputs_of
    from fkbench.runner.loading import load_run
    from fkbench.runner.outcome import predict_test

    def predict(record: RunRecord) -> tuple[tuple[str, ...], Any]:
        run = load_run(record, session.registry, choose_device(device), session.data_root)
        inputs = inputs_of(record, session.registry, session.store)
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
