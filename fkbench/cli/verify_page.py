"""What `fkbench verify` prints: a line for a result that holds, all metrics of one that does not, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fkbench.cli.session import console, note
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.publishing.verifying import Checked

_LONGEST_TITLE, _LONGEST_CELL = 300, 40


def print_checked(found: Checked, *, whole: bool) -> None:
    """One result; `whole`: with its metrics and notes even where nothing is wrong."""
    from rich.text import Text

    from fkbench.boards.text import cut, visible

    record, out = found.record, console()
    title = f"{record.key}: {record.model.name} on {record.dataset.name}, seed {record.seed}"
    deviation = f"predicted again from the weights: {found.deviation or 0:.3g} px apart, root mean square"
    trust = "check failed" if found.mismatches else found.level
    # Not wrapped, and the key first: text of a record begins no line, where a machine that logs this would act on it.
    shown = cut(visible(title), _LONGEST_TITLE)
    if not whole and not found.mismatches:
        far = f"; {deviation}" if found.deviation is not None else ""
        out.print(Text(f"{shown}: {trust}{far}"), soft_wrap=True)
        return
    out.print(Text(shown), soft_wrap=True)
    if found.lines:
        _print_metrics(found)
    if found.deviation is not None:
        out.print(deviation)
    for text in found.notes if whole else ():
        note(f"Note: {visible(text)}")
    for text in found.mismatches:
        note(f"Mismatch: {visible(text)}")
    out.print(f"trust: {trust}", style="bold")


def print_summary(found: Sequence[Checked], unread: int, *, whole: bool) -> None:
    """How many results there were and how many failed; what was noted of them, each note once.

    Args:
        found: the results that were checked.
        unread: how many more could not be read.
        whole: the notes have been printed with each.
    """
    from fkbench.boards.text import visible

    every = len(found) + unread
    notes = Counter(text for one in found for text in one.notes)
    for text, count in notes.items() if not whole else ():
        note(f"Note, {count} of {every}: {visible(text)}")
    if not every or (whole and every == 1):
        return
    failed = unread + sum(bool(one.mismatches) for one in found)
    console().print(
        f"{counted(every, 'result')}: {every - failed} checked, {failed} failed", style="bold red" if failed else "bold"
    )


def _print_metrics(found: Checked) -> None:
    from rich.table import Table
    from rich.text import Text

    from fkbench.boards.text import cut, visible

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="underline")
    for title in ("metric", "recorded", "from errors", "from predictions", "difference", ""):
        table.add_column(title, justify="left" if title in {"metric", ""} else "right")
    for line in found.lines:
        again = found.from_predictions.get(line.metric)
        gap = "" if line.difference is None else f"{line.difference:.2g}"
        cells = (line.metric, _shown(line.recorded), _shown(line.recomputed), _shown(again), gap, line.verdict)
        style = "red" if line.verdict == "differs" else ""
        table.add_row(*(Text(cut(visible(cell), _LONGEST_CELL), style=style) for cell in cells))
    console().print(table)


def _shown(value: Any) -> str:
    if isinstance(value, int | float):
        return f"{value:.6g}"
    if isinstance(value, list | dict):
        return f"({len(value)} values)"
    return "–"
