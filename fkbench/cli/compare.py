"""`fkbench compare`: which of two results is better, by how much and how surely; with --fail-on a gate for CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import JsonValueOption
from fkbench.cli.session import Session, console, current, note, print_json
from fkbench.errors import FkbenchError

if TYPE_CHECKING:
    from fkbench.boards.speed import Speed
    from fkbench.publishing.comparison import Compared, Delta, Side
    from fkbench.publishing.rules import Judged

EPILOG = (
    "A is the reference, B the candidate, and every difference is B - A. A rule is METRIC, > or <, and a change from A "
    "to B; with % relative to A. Examples: fkbench compare dfk@synthetic15 mynet@synthetic15; fkbench compare 3f2a "
    "77c0 --fail-on 'rmse>+2%' --fail-on 'nme@inter_ocular>+0.5' (percentage points) --fail-on "
    "'infer_images_per_s<-10%'; --fail-on 'rmse>-5%' fails unless B is better by 5 %, and not by chance."
)
_SHOWN = ("rmse", "mae", "nme@inter_ocular", "auc@8", "fr@8", "train_s", "infer_images_per_s", "latency_ms_p50")

_PICTURES = (".png", ".svg", ".pdf")
DecideOption = Annotated[
    str,
    typer.Option(
        help="What breaks a rule: significant (estimate beyond it, and not by chance; a change that the rule demands "
        "must not be by chance either), estimate, or interval (the whole interval beyond it, or not within a demand)."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="The reference: a run, or model@dataset for all its seeds.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The candidate.")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option("--fail-on", metavar="RULE", help="Exit code 1 where this holds: 'rmse>+2%'; repeatable."),
    ] = None,
    decide: DecideOption = "significant",
    curves: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw training curves and CED of both: .png, .svg, .pdf.")
    ] = None,
    as_json: JsonValueOption = False,
) -> None:
    """Say which of two results on the same images is better, by how much and how surely, per point and in speed."""
    from fkbench.publishing.comparison import compare_sides
    from fkbench.publishing.rules import DECIDE, Rule, judge
    from fkbench.records.plain import plain, rounded

    rules = [Rule.parse(text) for text in fail_on or ()]
    if decide not in DECIDE:
        raise FkbenchError(f"--decide '{decide}' is unknown.", f"Use {', '.join(DECIDE)}.")
    if curves is not None:
        _check_picture(curves)
    session = current(context)
    first, second = _sides(session, a, b)
    found = compare_sides(first, second, _point_names(session, first))
    judged = [judge(rule, found, decide) for rule in rules]  # type: ignore[arg-type]
    picture = _draw(first, second, curves) if curves is not None else None
    if as_json:
        print_json(rounded(plain(_page(found, judged, picture))))
    else:
        _print(found, judged)
        if picture is not None:
            note(f"curves: {picture}")
    if any(one.broken for one in judged):
        raise typer.Exit(1)


def _sides(session: Session, a: str, b: str) -> tuple[Side, Side]:
    first, second = _side(session, a), _side(session, b)
    if not set(_keys(first)).isdisjoint(_keys(second)):
        raise FkbenchError(f"'{a}' and '{b}' have runs in common.", "Name two different results.")
    return first, second


def _side(session: Session, text: str) -> Side:
    from fkbench.publishing.comparison import side_of
    from fkbench.records import ResultStore

    return side_of(text, ResultStore(session.runs_root).find_all(text, note))


def _keys(side: Side) -> list[str]:
    return [record.path for record in side.entry.done]


def _point_names(session: Session, side: Side) -> tuple[str, ...]:
    """Names of the points, where the dataset is known here."""
    from fkbench.finding import find_run_dataset
    from fkbench.schemes import scheme_of

    try:
        return scheme_of(find_run_dataset(session.registry, side.entry.first.dataset.name, session.data_root)).points
    except FkbenchError:
        return ()


def _check_picture(path: Path) -> None:
    """Refuse, before anything is compared, a format that is not named in the help, and a folder that is not there."""
    from fkbench.draw.files import check_target

    check_target(path, _PICTURES)
    if not path.expanduser().parent.is_dir():
        raise FkbenchError(f"'{path}' is no place for a file.", "Give --curves FILE in a folder that is there.")


def _draw(a: Side, b: Side, path: Path) -> Path:
    from fkbench.publishing.curves import draw_curves

    return draw_curves(a, b, path.expanduser())


def _page(found: Compared, judged: list[Judged], picture: Path | None) -> dict[str, Any]:
    return {
        "a": _side_page(found.a),
        "b": _side_page(found.b),
        "better": found.better or None,
        "images": found.images,
        "groups": found.groups,
        "rmse": _delta_page(found.rmse),
        "metrics": {name: _delta_page(delta) for name, delta in found.metrics.items()},
        "points": [_delta_page(delta) for delta in found.points],
        "slices": {name: [_delta_page(delta) for delta in part] for name, part in found.slices.items()},
        "rules": [
            {"rule": one.rule.text, "broken": one.broken, "change": one.change, "why": one.why} for one in judged
        ],
        "notes": found.notes,
        "curves": picture,
    }


def _delta_page(delta: Delta) -> dict[str, Any]:
    """A difference as JSON values."""
    interval = None if delta.low is None else [delta.low, delta.high]
    return {
        "name": delta.name, "a": delta.a, "b": delta.b, "difference": delta.difference, "percent": delta.percent,
        "ci": interval, "p": delta.p, "significant": delta.significant,
    }  # fmt: skip


def _side_page(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "keys": [record.key for record in side.entry.done],
        "seeds": list(side.seeds),
        "device": side.entry.device,
        "speed_device": side.speed.device or None,
    }


def _print(found: Compared, judged: list[Judged]) -> None:
    from rich.text import Text

    from fkbench.boards.speed import SESSION
    from fkbench.boards.speed_cells import QUICK
    from fkbench.boards.text import cut, visible

    out = console()
    out.print(Text(cut(visible(f"A: {found.a.name}"), 100)))
    out.print(Text(cut(visible(f"B: {found.b.name}"), 100)))
    out.print(Text(verdict(found), style="bold"))
    names = [name for name in _SHOWN if name in found.metrics]
    names += sorted(name for name in found.metrics if "@" in name and name not in names)
    speeds = (found.a.speed, found.b.speed)
    _table(out, "metric", [found.metrics[name] for name in names], speeds=speeds)
    if any(speed.session == "quick" for speed in speeds) and any(name in SESSION for name in names):
        out.print(Text(f"{QUICK} from a short session, not under the timing contract: not comparable", style="dim"))
    if found.points:
        _table(out, "rmse of a point, px", found.points, family=True)
    for name, part in found.slices.items():
        _table(out, f"rmse by {name}, px", part, family=True)
    if found.points or found.slices:
        out.print(Text(FAMILY, style="dim"))
    for text in found.notes:
        out.print(Text(visible(text), style="yellow"))
    for one in judged:
        mark, style = ("failed", "bold red") if one.broken else ("passed", "green")
        out.print(Text(f"{visible(one.rule.text)}: {mark} ({visible(one.why)})", style=style))


def verdict(found: Compared) -> str:
    """The answer in a sentence or two."""
    rmse = found.rmse
    seeds = f"{len(found.a.seeds)} and {len(found.b.seeds)} seeds"
    basis = f"{found.images} images, {found.groups} groups, {seeds}"
    if rmse.low is None or rmse.high is None or rmse.p is None:
        return f"No test is possible ({basis}): rmse {rmse.a:.4g} px and {rmse.b:.4g} px."
    percent = "" if rmse.percent is None else f" ({rmse.percent:+.1f} %)"
    size = (
        f"rmse {rmse.a:.4g} → {rmse.b:.4g} px, {rmse.difference:+.3g} px{percent}, "
        f"95 % interval {rmse.low:+.3g} to {rmse.high:+.3g} px, p = {rmse.p:.2g}; {basis}"
    )
    if not found.better:
        return f"The data cannot tell them apart: {size}."
    return f"{found.better.upper()} is better: {size}."


FAMILY = (
    "p of points and of slices is adjusted by Holm within each table, and intervals are one by one: one may leave out "
    "0 beside a p above 0.05"
)


def _table(
    out: Any, title: str, deltas: list[Delta], *, family: bool = False, speeds: tuple[Speed, Speed] | None = None
) -> None:
    """Differences; of a `family` p is adjusted and intervals are not. `speeds`: of A and B, for the marks at theirs."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="underline")
    last = ("95 % CI,\none by one", "p,\nadjusted") if family else ("95 % CI", "p")
    for name in (title, "A", "B", "B − A", "%", *last):
        first = name == title  # where a terminal is narrow its names are folded, so that every number stays whole
        table.add_column(name, justify="left" if first else "right", no_wrap=not first, overflow="fold")
    for delta in deltas:
        table.add_row(*map(Text, _cells(delta, speeds)), style="" if delta.significant in (None, True) else "dim")
    out.print(table)


def _cells(delta: Delta, speeds: tuple[Speed, Speed] | None) -> tuple[str, ...]:
    from fkbench.boards.numbers import NOTHING, number
    from fkbench.boards.speed_cells import BOUNDS
    from fkbench.boards.text import cut, visible
    from fkbench.publishing.rules import SHARES

    share = delta.name.startswith(SHARES)
    unit = 100.0 if share else 1.0
    low, high = (None if end is None else unit * end for end in (delta.low, delta.high))
    digits = _digits(delta, unit)
    a, b = (_mark(delta.name, speed) for speed in speeds) if speeds else ("", "")
    known = not {a, b} & set(BOUNDS.values())  # of bounds there is no difference
    return (
        cut(visible(delta.name), 32) + (", %" if share else ""),
        a + number(unit * delta.a, digits),
        b + number(unit * delta.b, digits),
        (a or b) + number(unit * delta.difference, digits, "+") if known else NOTHING,
        _percent(delta.percent) if known else NOTHING,
        NOTHING if low is None or high is None else f"{number(low, digits, '+')} to {number(high, digits, '+')}",
        NOTHING if delta.p is None else "<.0001" if delta.p < 1e-4 else f"{delta.p:.2g}",
    )


def _percent(value: float | None) -> str:
    from fkbench.boards.numbers import number, places

    return number(value, min(2, max(1, places(value or 0.0, figures=1))), "+")


def _digits(delta: Delta, unit: float) -> int:
    """Digits after the point for a whole line, so that its numbers line up.

    Four figures of A and B; up to two digits more where an end of the interval (without one, the difference) would be
    zeros alone, as its distance from 0 says whether the difference could be chance.
    """
    from fkbench.boards.numbers import places

    base = places(unit * delta.a, unit * delta.b, figures=4)
    ends = (delta.difference,) if delta.low is None or delta.high is None else (delta.low, delta.high)
    return min(base + 2, max([base, *(places(unit * value, figures=1) for value in ends if value)]))


def _mark(name: str, speed: Speed) -> str:
    """Before a speed: of a short session, or of a training beside other work, whose notes say so."""
    from fkbench.boards.speed import SESSION
    from fkbench.boards.speed_cells import BOUNDS, QUICK

    if name in SESSION and speed.session == "quick":
        return QUICK
    return BOUNDS[name] if name in BOUNDS and speed.disturbed else ""
