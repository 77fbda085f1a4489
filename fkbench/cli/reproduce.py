"""`fkbench reproduce`: a result trained again from its record, and its drift against the spread of seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonValueOption
from fkbench.cli.session import Session, console, current, note, print_json
from fkbench.cli.stored_checks import StoreOption, store_check
from fkbench.errors import FkbenchError, RunFailedError
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.publishing.reproducing import Drift
    from fkbench.records import RunRecord
    from fkbench.runner.plan import Request
    from fkbench.runner.requests import Runner

EPILOG = (
    "Examples: fkbench reproduce 3f2a; fkbench reproduce dfk@synthetic15 --seeds 2; fkbench --runs leaderboards "
    "reproduce 3f2a --store. The same command goes on with a training that was cut off."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A key, folder or published file; of model@dataset the first seed.")
    ],
    further: Annotated[
        int,
        typer.Option("--seeds", metavar="N", help="Train N further seeds, too: 2 or more give a spread of one's own."),
    ] = 0,
    into: Annotated[
        Path, typer.Option(metavar="DIR", help="Runs folder for the new trainings; the original is not touched.")
    ] = Path("reproduced"),
    device: Annotated[str, typer.Option(help="auto: the record's where it is here; cpu, cuda or cuda:N.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Train again what DIR has from an earlier call.")] = False,
    store: StoreOption = None,
    as_json: JsonValueOption = False,
) -> None:
    """Train a result again from its record, and say how far every metric drifts, against the spread of seeds.

    Exit code 1 where it is not reproduced, or where that cannot be said because no spread is known.
    """
    session = current(context)
    if further < 0:
        raise FkbenchError(f"--seeds is {further}, but must not be negative.", "For example --seeds 2.")
    record, others, used = _chosen(session, run, into)
    request = _request(session, record, used, further, device, force)
    again = _train(session, record, request, into.expanduser())
    _conclude(record, again, others, store=store, as_json=as_json)


def _conclude(
    record: RunRecord, again: list[RunRecord], others: list[RunRecord], *, store: bool | None, as_json: bool
) -> None:
    """Hold the new trainings against the result, say what came of it, and keep it where that is wanted."""
    from fkbench.publishing.reproducing import differing, drifts, reproduced

    found = drifts(record, again, others)
    page = _page(record, again, found, differing(record, again[0]), len(others))
    page["stored"] = store_check(record, reproduced(record), store) if page["reproduced"] else None
    if as_json:
        print_json({**page, "runs": [one.to_json() for one in again]})
    else:
        _print(record, found, page)
    if not page["reproduced"]:
        raise typer.Exit(1)


def _chosen(session: Session, run: str, into: Path) -> tuple[RunRecord, list[RunRecord], set[int]]:
    """The record, the other finished seeds of its row, and all seeds that are in use."""
    from fkbench.publishing.reproducing import refuse_failed, siblings
    from fkbench.publishing.verifying import verify
    from fkbench.records import ResultStore

    results = ResultStore(session.runs_root)
    chosen = results.find_all(run)
    record = chosen[0]
    if len(chosen) > 1:
        note(f"'{run}' means {len(chosen)} seeds: seed {record.seed} is trained again.")
    if Path(record.path).resolve().is_relative_to(into.expanduser().resolve()):
        raise FkbenchError(f"The result itself lies in '{into}'.", "Choose another folder with --into.")
    refuse_failed(record)
    wrong = verify(record, session.registry, session.data_root).mismatches
    if wrong:
        raise RunFailedError(
            f"{record.key} is not trained again, since its own numbers do not fit: {wrong[0]}.",
            f"fkbench verify {record.key}",
        )
    others = siblings(record, results.records(lambda line: note(f"Damaged: {line}")))
    return record, others, {record.seed, *(one.seed for one in others)}


def _request(session: Session, record: RunRecord, used: set[int], further: int, device: str, force: bool) -> Request:
    from itertools import count, islice

    from fkbench.publishing.retraining import request_of
    from fkbench.runner.device import choose_device

    if record.model.deterministic and further:
        note(f"{record.model.name} has no randomness: further seeds give the same.")
        further = 0
    if device == "auto":
        wanted = record.device.type
        device = wanted if wanted == "cpu" or choose_device("auto").type == wanted else "auto"
    free = (seed for seed in count() if seed not in used)
    seeds = (record.seed, *islice(free, further))
    return request_of(record, session.registry, session.data_root, seeds=seeds, device=device, force=force)


def _train(session: Session, record: RunRecord, request: Request, into: Path) -> list[RunRecord]:
    """The new trainings, that of the record's seed first. What lies there counts only if it was made for the result."""
    from fkbench.cli.progress import RunDisplay
    from fkbench.publishing.retraining import Trainings
    from fkbench.records import RunStore, subject_of
    from fkbench.runner.requests import Runner

    trainings = Trainings(into, subject_of(record))

    def event(name: str, facts: Mapping[str, Any]) -> None:
        if name == "finished":
            trainings.mark(facts["record"])
        display.event(name, facts)

    with RunDisplay() as display:
        runner = Runner(session.registry, data=session.store.root, runs=RunStore(into), event=event)
        _check_data(record, runner, request)
        trainings.claim()
        for single in runner.planned(request):
            trainings.check(None if request.force else runner.runs.get(single.folder))
        try:
            again = runner.run(request)
        except KeyboardInterrupt:
            display.say("Stopped. The same command goes on from the last checkpoint, if an epoch was done.")
            raise
    for one in again:
        trainings.check(one)
    if again[0].reused:
        note(f"Trained by an earlier call: {again[0].path}. --force trains again.")
    return again


def _check_data(record: RunRecord, runner: Runner, request: Request) -> None:
    """Another version of the data or of the split is another question."""
    plan = runner.planned(request)[0].plan
    here, stated = plan["dataset"], record.dataset
    if here["fingerprint"] != stated.fingerprint:
        raise FkbenchError(
            f"The {stated.name} here is not the one of the record: {here['fingerprint'][:15]}…, not "
            f"{stated.fingerprint[:15]}….",
            "Import the same version of the data.",
        )
    if here["split_version"] != stated.split_version:
        raise FkbenchError(
            f"The split {stated.split} is version {here['split_version']} here, not {stated.split_version}.",
            "Use the version of fkbench that the record names.",
        )


def _page(
    record: RunRecord,
    again: list[RunRecord],
    found: list[Drift],
    differing: list[tuple[str, str, str]],
    others: int,
) -> dict[str, Any]:
    metrics = [
        {
            "metric": one.metric, "recorded": one.recorded, "again": one.again, "own": list(one.own),
            "drift": one.drift, "spread": one.spread, "limit": one.limit, "exact": one.exact, "within": one.within,
        }
        for one in found
    ]  # fmt: skip
    return {
        "key": record.key,
        "model": record.model.name,
        "dataset": record.dataset.name,
        "seed": record.seed,
        "path": record.path,
        "reproduced": found[0].within,
        "rule": "exact" if found[0].exact else found[0].rule,
        "seeds": {"trained_here": [one.seed for one in again], "recorded_others": others},
        "metrics": metrics,
        "differences": [{"what": what, "recorded": a, "here": b} for what, a, b in differing],
    }


def _print(record: RunRecord, found: list[Drift], page: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from fkbench.boards.text import cut, visible

    out = console()
    out.print(
        Text(cut(visible(f"{record.model.name} on {record.dataset.name}, seed {record.seed}, {record.key}"), 100))
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="underline")
    for title in ("metric", "recorded", "again", "drift", "spread", "limit", ""):
        table.add_column(title, justify="left" if title in {"metric", ""} else "right")
    for one in found:
        verdict = "equal" if one.exact else {True: "within", False: "beyond", None: "?"}[one.within]
        cells = (one.metric, *map(_number, (one.recorded, one.again, one.drift, one.spread, one.limit)), verdict)
        table.add_row(*(Text(cut(visible(cell), 40), style="red" if one.within is False else "") for cell in cells))
    out.print(table)
    for line in page["differences"]:
        note(visible(cut(f"Not the same: {line['what']}: {line['here']} here, {line['recorded']} recorded", 200)))
    if not page["differences"] and not found[0].exact:
        note("Nothing known was different, so the same seed should have given the same numbers.")
    out.print(Text(_verdict(found[0], page), style="bold"))
    if page["stored"]:
        out.print(Text(f"trust: reproduced, kept in {page['stored']}"), soft_wrap=True)


def _verdict(first: Drift, page: dict[str, Any]) -> str:
    if first.exact:
        return "reproduced: the same seed gives the same numbers"
    if first.within is None:
        return _undecided(first, page["seeds"]["recorded_others"])
    others = {
        "trained here": f"{len(first.own)} trainings made here",
        "recorded seeds": f"{page['seeds']['recorded_others']} other seeds of its row",
        "no randomness": "rounding: the model has no randomness",
    }[first.rule]
    word = "reproduced" if first.within else "not reproduced"
    return f"{word}: {first.metric} drifts by {first.drift:+.3g} px, the limit is ±{first.limit:.3g} px by {others}"


def _undecided(first: Drift, others: int) -> str:
    """Why it cannot be said, and what helps."""
    from fkbench.publishing.reproducing import FEWEST_RECORDED, GREATEST_LIMIT

    if first.limit is None:
        known = f"its row has {counted(others, 'other seed')}" if others else "the spread of seeds is not known"
        fewest = f", and fewer than {FEWEST_RECORDED} have no spread to go by" if others else ""
        why = f"the numbers differ, and {known}{fewest}"
    else:
        share = f"{100 * GREATEST_LIMIT:g} % of the {first.metric}"
        why = f"the limit by so few seeds would be ±{first.limit:.3g} px, more than {share}"
    further = 2 * len(first.own) if first.rule == "trained here" else 2
    return f"not decided: {why}. --seeds {further} trains further seeds, and has a spread of its own"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}" if abs(value) >= 1e-9 or value == 0 else "0"
