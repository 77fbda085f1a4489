"""`fkbench run`: train, score, time and record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fkbench.cli.options import DeviceOption
from fkbench.cli.session import Session, current, parse_settings, print_json
from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from fkbench.records import RunRecord
    from fkbench.runner.plan import Request

EPILOG = (
    "Examples: fkbench run --model dfk --dataset synthetic15 --protocol smoke; "
    "fkbench run --model dfk --dataset kaggle15 --split complete/2 --seeds 0,1,2; "
    "fkbench run --model ./mynet.py --dataset synthetic15 --set protocol.lr=3e-4 --epochs 20. "
    "The same command goes on with a run that was cut off, and shows one that is finished."
)
MOST_SEEDS = 10_000
DatasetOption = Annotated[
    str, typer.Option(help="A dataset's name (fkbench list datasets), or a TOML file that describes your own.")
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="protocol.lr=1e-3, model.…, dataset.…, detector.…"),
]
AtOnceOption = Annotated[
    int, typer.Option(help="Seeds that are trained together, each as if alone; 0: five on a GPU, one on a CPU.")
]


def register(app: typer.Typer) -> None:
    app.command("run", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="A model's name (fkbench list models) or a file that marks one.")],
    dataset: DatasetOption,
    protocol: Annotated[str, typer.Option(help="uniform, article or smoke (fkbench list protocols).")] = "uniform",
    split: Annotated[str, typer.Option(help="NAME or NAME/FOLD; default: the dataset's for this protocol.")] = "",
    box: Annotated[str, typer.Option(help="frame, truth or a detector; default: the dataset's.")] = "",
    seeds: Annotated[str, typer.Option(help="Seeds, with commas.")] = "0",
    epochs: Annotated[int | None, typer.Option(help="In place of the protocol's budget; unranks the run.")] = None,
    extend: Annotated[str, typer.Option(metavar="RUN", help="Go on from a finished article run, to --epochs.")] = "",
    device: DeviceOption = "auto",
    assignments: SettingsOption = None,
    at_once: AtOnceOption = 0,
    force: Annotated[bool, typer.Option("--force", help="Run again even if a finished run is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help='{"runs": [record, …]} on stdout.')] = False,
) -> None:
    """Train a model on a dataset, score it on the held-out part beside the baselines, time it, and record it all."""
    session = current(context)
    from fkbench.runner.plan import Request, find_model, find_protocol, resolve_recipe, sized_request

    request = Request(
        model=find_model(session.registry, model),
        dataset=session.dataset(dataset),
        protocol=find_protocol(protocol),
        split=split,
        box=box,
        seeds=parse_seeds(seeds),
        device=device,
        epochs=epochs,
        settings=parse_settings(list(assignments or ()), "protocol"),
        extend=extend,
        force=force,
        at_once=at_once,
    )
    resolve_recipe(sized_request(request))  # bad options are refused before torch is imported and data is read
    _run(session, request, as_json)


def _run(session: Session, request: Request, as_json: bool) -> None:
    """Seeds that are done are shown though others failed."""
    from fkbench.runner.requests import SeedsFailedError

    try:
        _say(carry_out(session, request), as_json)
    except SeedsFailedError as error:
        _say(error.records, as_json)
        raise


def _say(records: list[RunRecord], as_json: bool) -> None:
    if as_json:
        print_json({"runs": [record.to_json() for record in records]})
    elif records:
        from fkbench.cli.report import print_report

        print_report(records)


def parse_seeds(text: str) -> tuple[int, ...]:
    """`0,1,2` or `0-4` as numbers.

    Raises:
        FkbenchError: something else, a range without any seed (`5-2`), or too many seeds for any machine.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = _seed_range(text, part)
        if not found:
            raise FkbenchError(
                f"The range '{_short(part.strip())}' of --seeds is empty.", "The smaller seed first: 0-4."
            )
        if len(seeds) + found.stop - found.start > MOST_SEEDS:  # before they are counted out: that would fill memory
            raise FkbenchError(
                f"--seeds '{_short(text)}' means too many seeds: at most {MOST_SEEDS}.", "For example --seeds 0-4."
            )
        seeds += found
    return tuple(seeds)


def _seed_range(text: str, part: str) -> range:
    first, dash, last = part.partition("-")
    try:
        return range(int(first), int(last) + 1) if dash and first.strip() else range(int(part), int(part) + 1)
    except ValueError:
        raise FkbenchError(
            f"--seeds '{_short(text)}' is not a list of whole numbers.", "For example --seeds 0,1,2."
        ) from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def carry_out(session: Session, request: Request) -> list[RunRecord]:
    """Run a request with progress bars on stderr; Ctrl-C says how to go on."""
    from fkbench.cli.progress import RunDisplay
    from fkbench.records import RunStore
    from fkbench.runner.requests import Runner

    with RunDisplay() as display:
        runs = RunStore(session.runs_root)
        runner = Runner(session.registry, data=session.store.root, runs=runs, event=display.event)
        try:
            return runner.run(request)
        except KeyboardInterrupt:
            display.say("Stopped. The same command goes on from the last checkpoint, if an epoch was done.")
            raise
