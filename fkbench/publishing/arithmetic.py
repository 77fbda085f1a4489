"""The scores of a record, computed again from the errors per image that lie beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fkbench.records import RunRecord, rounded
from fkbench.records.plain import plain
from fkbench.score import ImageErrors, rmse_interval, summary

Verdict = Literal["equal", "differs", "not recomputed"]
Mixes = Mapping[str, Mapping[str, float]]
PluginMetrics = Mapping[str, Callable[[ImageErrors], float]]

RELATIVE = 1e-5
"""Recorded numbers have six significant digits, so that they are off by up to 5e-6 of themselves."""
ABSOLUTE = 1e-9


@dataclass(frozen=True)
class Line:
    """One metric of a record.

    Attributes:
        metric: its name.
        recorded: JSON value: a number, a list (per point), a dict (per name) or None.
        recomputed: the same from the errors per image; None where it was not recomputed.
        difference: greatest absolute difference among its numbers; None where there is none to take.
        verdict: `differs` beyond the rounding of recorded numbers.
        note: why it was not recomputed.
    """

    metric: str
    recorded: Any
    recomputed: Any
    difference: float | None
    verdict: Verdict
    note: str = ""


def metrics_of(
    errors: ImageErrors, mixes: Mixes | None = None, plugins: PluginMetrics | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """All metrics that errors per image give, as JSON values, and why single ones of plugins failed."""
    found: dict[str, Any] = dict(summary(errors, mixes=mixes))
    found["rmse_ci"] = rmse_interval(errors.sum_sq, errors.count, errors.group).bounds
    failed: dict[str, str] = {}
    for name, compute in (plugins or {}).items():
        try:
            found[name] = float(compute(errors))
        except Exception as error:  # a plugin's own code
            failed[name] = f"the plugin's metric failed: {type(error).__name__}"
    values: dict[str, Any] = rounded(plain(found))
    return values, failed


def check_metrics(
    record: RunRecord, errors: ImageErrors, mixes: Mixes | None = None, plugins: PluginMetrics | None = None
) -> list[Line]:
    """Every metric of the record beside its value from the errors per image.

    Args:
        mixes: weights of the dataset's mixes, where its spec is at hand.
        plugins: metrics of plugins that are installed here.
    """
    found, failed = metrics_of(errors, mixes, plugins)
    return [_line(name, value, found, failed) for name, value in record.metrics.items()]


def _line(name: str, recorded: Any, found: Mapping[str, Any], failed: Mapping[str, str]) -> Line:
    if name not in found:
        note = failed.get(name, "needs more than the errors per image, or a plugin that is not here")
        return Line(name, recorded, None, None, "not recomputed", note)
    gaps = _gaps(recorded, found[name])
    if gaps is None:
        return Line(name, recorded, found[name], None, "differs", "not of the same form")
    worst = max((gap for gap, _ in gaps), default=None)
    return Line(name, recorded, found[name], worst, "equal" if all(fine for _, fine in gaps) else "differs")


def _gaps(a: Any, b: Any) -> list[tuple[float, bool]] | None:
    """(difference, close enough) of each pair of numbers; None where two values are of different forms."""
    if _is_number(a) and _is_number(b):
        return [(abs(a - b), math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE))]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return _joined([_gaps(x, y) for x, y in zip(a, b, strict=True)])
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return _joined([_gaps(a[key], b[key]) for key in a])
    return [] if a is None and b is None else None


def _joined(parts: Sequence[list[tuple[float, bool]] | None]) -> list[tuple[float, bool]] | None:
    known = [part for part in parts if part is not None]
    return [pair for part in known for pair in part] if len(known) == len(parts) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
