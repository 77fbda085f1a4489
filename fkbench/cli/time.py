"""`fkbench time`: speed of a run or of an untrained net under each runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import DeviceOption, JsonObjectOption
from fkbench.cli.session import Session, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError, RunFailedError
from fkbench.specs import DatasetSpec

if TYPE_CHECKING:
    import torch

    from fkbench.runtimes import Timed
    from fkbench.specs import RuntimeSpec

EPILOG = (
    "Examples: fkbench time 3f2a (a run by the beginning of its key); fkbench time 3f2a --runtime all; "
    "fkbench time 3f2a --runtime eager,onnxruntime --batch 1,16,64 --no-train; "
    "fkbench time --model dfk (fresh weights on rendered faces: marked untrained, never ranked). "
    "fkbench time 3f2a --again (a run whose session was void, on a quiet machine). "
    "What is timed and how: docs/timing.md. A session on a machine that is busy with other things is void, and says so."
)
Say = Callable[[str, int, int], None]


def register(app: typer.Typer) -> None:
    app.command("time", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A run's folder, its key or the beginning of it.")] = "",
    model: Annotated[str, typer.Option(help="In place of a run: a model's name or file, with fresh weights.")] = "",
    dataset: Annotated[
        str, typer.Option(help="With --model: pictures of this dataset; default: an embedded one.")
    ] = "",
    protocol: Annotated[str, typer.Option(help="With --model: whose training steps are timed.")] = "uniform",
    runtime: Annotated[str, typer.Option(help="Names with commas, or all (fkbench list runtimes).")] = "eager",
    batch: Annotated[str, typer.Option(help="Sizes of batch, with commas; default: by the device.")] = "",
    device: DeviceOption = "auto",
    train: Annotated[
        bool, typer.Option("--train/--no-train", help="Time training steps too, or leave them out.")
    ] = True,
    quick: Annotated[bool, typer.Option("--quick", help="Short sessions; their numbers do not count.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="The run's own session once more, into its record if it counts this time.")
    ] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="With --model: model.…, dataset.…, protocol.…"),
    ] = None,
    as_json: JsonObjectOption = False,
) -> None:
    """Time a run, or a net without one: latency, throughput by batch, training steps, and what a runtime changes."""
    session = current(context)
    changed = bool(dataset or assignments or protocol != "uniform")
    _check(run, model, changed)
    asked = Asked(sizes_of(batch), runtime, train, quick)
    if again:
        from fkbench.cli.time_again import time_once_more

        time_once_more(session, run, device, as_json, alone=bool(run) and asked == Asked((), "eager", True, False))
        return
    opened = _run(session, run, device) if run else _fresh(session, model, dataset, protocol, device, assignments or [])
    _say(carry_out(session, opened, asked), as_json)


def _check(run: str, model: str, changed: bool) -> None:
    """Raises FkbenchError where it is not one of a run or a model, or a run is to be timed as something else."""
    if bool(run) == bool(model):
        raise FkbenchError(
            "Nothing to time." if not run else "Give a run or --model, not both.",
            "For example `fkbench time RUN` (fkbench runs list) or `fkbench time --model dfk`.",
        )
    if run and changed:
        raise FkbenchError(
            "A run is timed on its own data, as it was trained.", "Leave out --dataset, --protocol and --set."
        )


def _say(page: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(page)
        return
    from fkbench.cli.time_page import print_page

    print_page(page)


@dataclass(frozen=True)
class Asked:
    """What was asked for: sizes of batch (empty: the default), runtimes as typed, training steps, short sessions."""

    sizes: tuple[int, ...]
    runtime: str
    train: bool
    quick: bool


def sizes_of(text: str) -> tuple[int, ...]:
    """`1,8,32` as numbers, rising; none for an empty text.

    Raises:
        FkbenchError: something else.
    """
    if not text.strip():
        return ()
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise FkbenchError(f"--batch '{text}' is not a list of whole numbers.", "For example --batch 1,8,32.") from None
    if sizes[0] < 1 or sizes[-1] > 65536:
        raise FkbenchError(f"--batch '{text}': a batch has 1 to 65536 pictures.", "For example --batch 1,8,32.")
    return tuple(sizes)


Opener = Callable[["torch.device"], "Timed"]


def _run(session: Session, run: str, device: str) -> tuple[str, Opener]:
    from fkbench.records import RunStore

    record = RunStore(session.runs_root).find(run)

    def open_it(place: torch.device) -> Timed:
        from fkbench.runtimes import open_run

        return open_run(record, session.registry, session.store, place)

    return device, open_it


def _fresh(
    session: Session, model: str, dataset: str, protocol: str, device: str, assignments: list[str]
) -> tuple[str, Opener]:
    from fkbench.runner.plan import Request, find_model, find_protocol, resolve_recipe, sized_request

    request = Request(
        model=find_model(session.registry, model),
        dataset=session.dataset(dataset or _embedded(session)),
        protocol=find_protocol(protocol),
        settings=parse_settings(assignments, "model"),
    )
    resolve_recipe(sized_request(request))  # bad options are refused before torch is imported

    def open_it(place: torch.device) -> Timed:
        from fkbench.runtimes import open_model

        return open_model(request, session.registry, session.store, place)

    return device, open_it


def _embedded(session: Session) -> str:
    """The first dataset that is there without any download."""
    for spec in session.registry.all(DatasetSpec):
        if spec.embedded and spec.unavailable() is None:
            return spec.name
    raise FkbenchError("No embedded dataset is registered.", "Name one with --dataset.")


def carry_out(session: Session, opened: tuple[str, Opener], asked: Asked) -> dict[str, Any]:
    """Time everything that was asked for, and write a run's pages."""
    from fkbench.cli.bars import progress_bars
    from fkbench.datasets.progress import listening
    from fkbench.runner.device import choose_device, make_repeatable
    from fkbench.runtimes import choose_runtimes

    device = choose_device(opened[0])
    make_repeatable()  # the switches of a run: float32 means float32, as in its floors
    specs, unavailable = choose_runtimes(session.registry, asked.runtime, device.type)
    with progress_bars() as say:
        with listening(say):
            timed = opened[1](device)
        if timed.net is None:
            unavailable = {} if asked.runtime == "eager" else dict.fromkeys(_names(specs), "is for nets")
            specs = []
        page = _page(timed, unavailable)
        _time_all(timed, specs, asked, page, say)
    if timed.record is not None:
        _write(timed, page)
    return page


def _names(specs: list[RuntimeSpec]) -> list[str]:
    return [spec.name for spec in specs]


def _page(timed: Timed, unavailable: Mapping[str, str]) -> dict[str, Any]:
    from fkbench.timing.conditions import device_name

    record = timed.record
    return {
        "model": timed.model.name,
        "run": record.key if record is not None else None,
        "flags": [] if record is not None else ["untrained"],
        "dataset": timed.inputs.spec.name,
        "input": [*timed.model.input, timed.model.input[1]],
        "precision": timed.precision,
        "device": {"type": timed.device.type, "name": device_name(timed.device)},
        "timings": [],
        "training": None,
        "not_timed": dict(unavailable),
        "files": [],
    }


def _time_all(timed: Timed, specs: list[RuntimeSpec], asked: Asked, page: dict[str, Any], say: Say) -> None:
    """Fill in `timings` and `training`. One runtime that fails among several is said, and does not stop the others."""
    from fkbench.runtimes import time_runtime, time_training
    from fkbench.timing.peaks import Peaks

    train = asked.train and timed.net is not None
    peaks = Peaks(timed.device) if not asked.quick else None
    steps = [*specs, *([] if specs else [None])]
    total = len(steps) + train
    for done, spec in enumerate(steps):
        name = spec.name if spec is not None else "own code"
        _stage(say, f"timing {timed.model.name}, {name}", done, total)
        try:
            page["timings"].append(time_runtime(timed, spec, asked.sizes, quick=asked.quick, peaks=peaks))
        except RunFailedError as error:
            if len(steps) == 1:
                raise
            page["not_timed"][name] = error.message
            note(f"Warning: {error.message}")
    if train:
        _stage(say, f"timing {timed.model.name}, training", total - 1, total)
        page["training"] = time_training(timed, quick=asked.quick, peaks=peaks)
    if not page["timings"]:
        raise RunFailedError("No runtime could execute the net.", "--debug shows where.")


def _stage(say: Say, text: str, done: int, total: int) -> None:
    """A bar on a terminal, a line elsewhere."""
    import sys

    say(text, done, total)
    if not sys.stderr.isatty():
        note(text)


def _write(timed: Timed, page: dict[str, Any]) -> None:
    from fkbench.runtimes.pages import page_of, write_page

    assert timed.record is not None
    for timing in page["timings"]:
        path, written = write_page(timed.record, page_of(timed, timing, page["training"]))
        page["files"].append(str(path))
        if not written:
            note(f"'{path.name}' holds a session that counts, and was not replaced by one that does not.")
