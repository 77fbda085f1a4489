"""The page of a landmark scheme: its points numbered on a face, regions, flip pairs and normalisers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape

from fkbench.cli.session import console
from fkbench.cli.show_page import Page, plain_table, print_facts
from fkbench.schemes import Scheme

COLOURS = ("blue", "red", "green", "magenta", "yellow", "cyan", "white", "bright_blue")
NAMED = 24


def scheme_page(scheme: Scheme, picture: Path | None) -> Page:
    """A landmark scheme; with `picture` its numbered picture is written."""
    notes: tuple[str, ...] = ()
    if picture is not None:
        from fkbench.draw.schemes import scheme_picture

        notes = (f"Picture: {scheme_picture(scheme, picture)}",)
    return Page({"kind": "scheme", **asdict(scheme)}, lambda: _write_scheme(scheme), notes)


def _write_scheme(scheme: Scheme) -> None:
    print_facts(f"scheme {scheme.name}", scheme.summary, {"points": len(scheme.points)})
    out = console()
    if scheme.layout:
        out.print(text_picture(scheme))
        out.print("[dim]left and right are the subject's; --picture FILE draws it properly[/dim]")
    table = plain_table("region", "points")
    for i, (region, indices) in enumerate(scheme.regions.items()):
        table.add_row(f"[{COLOURS[i % len(COLOURS)]}]{escape(region)}[/]", escape(_members(scheme, indices)))
    out.print(table)
    print_facts("", "", {
        "flip pairs": ", ".join(f"{a}-{b}" for a, b in scheme.flip_pairs),
        "normalisers": "; ".join(f"{name}: {_end(a)} to {_end(b)}" for name, (a, b) in scheme.normalisers.items()),
        "projects to": ", ".join(scheme.projections),
    })  # fmt: skip


def _members(scheme: Scheme, indices: Sequence[int]) -> str:
    """Numbers and names; of a long scheme, whose names only count on, the first and last."""
    if len(scheme.points) > NAMED and list(indices) == list(range(indices[0], indices[-1] + 1)):
        first, last = indices[0], indices[-1]
        return f"{first}–{last}: {scheme.points[first]} to {scheme.points[last]}"
    return ", ".join(f"{index} {scheme.points[index]}" for index in indices)


def _end(indices: Sequence[int]) -> str:
    return str(indices[0]) if len(indices) == 1 else f"mean of {', '.join(map(str, indices))}"


def text_picture(scheme: Scheme, width: int = 76, height: int = 40) -> str:
    """The numbers of the points on a face of letters, coloured by region (Rich markup)."""
    colours = {i: COLOURS[n % len(COLOURS)] for n, part in enumerate(scheme.regions.values()) for i in part}
    rows: list[dict[int, str]] = [{} for _ in range(height)]
    for index, (x, y) in enumerate(scheme.layout):
        label = str(index)
        row, column = rows[min(height - 1, int(y * height))], min(width - 3, int(x * width))
        while any(column + offset in row for offset in range(-1, len(label) + 1)):
            column += 1
        row |= dict.fromkeys(range(column, column + len(label)), "")
        row[column] = f"[{colours[index]}]{label}[/]"
    lines = ["".join(row.get(column, " ") for column in range(width + 8)).rstrip() for row in rows]
    return "\n".join(lines).strip("\n")
