"""Two results against each other: which is better, by how much, how surely; per point and per slice, speed beside.

A is the reference and B the candidate: every difference is B − A, and for errors a negative one means that B is better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fkbench.boards import Entry, entries_of, errors_beside
from fkbench.boards.plans import plan_text
from fkbench.boards.rows import make_row
from fkbench.boards.speed import SESSION, TRAINING, Speed, speed_of
from fkbench.errors import FkbenchError
from fkbench.publishing.caveats import notes_of
from fkbench.records import RunRecord
from fkbench.score import ImageErrors, SeedSums, compare, holm
from fkbench.score.intervals import Variance, combined, half_width, mean_interval, seed_variance
from fkbench.score.student import t_two_sided

ALPHA = 0.05
LEAST_GROUPS = 2


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        entry: its records, one per seed.
        errors: of each finished seed, images in the order of the first one.
        metrics: single numbers, mean over seeds; rmse over all seeds together.
        repeats: rows that other devices make with the same seeds, left out.
    """

    name: str
    entry: Entry
    errors: tuple[ImageErrors, ...]
    metrics: Mapping[str, float]
    speed: Speed
    repeats: tuple[Entry, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(record.seed for record in self.entry.done)


@dataclass(frozen=True)
class Delta:
    """A difference B − A.

    Attributes:
        name: of the metric, point or slice.
        a: value of A.
        b: value of B.
        low: lower end of the 95 % interval of b − a; None where there is no test.
        high: its upper end.
        p: two-sided; among points or slices adjusted by Holm; None where there is no test.
    """

    name: str
    a: float
    b: float
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def difference(self) -> float:
        return self.b - self.a

    @property
    def percent(self) -> float | None:
        """Of A's value; None where that is zero."""
        return 100 * self.difference / self.a if self.a else None

    @property
    def significant(self) -> bool | None:
        """At 5 %; None where there is no test."""
        return None if self.p is None else self.p <= ALPHA


@dataclass
class Compared:
    """A against B.

    Attributes:
        metrics: name → difference; those with a test have interval and p.
        points: each point's rmse.
        slices: slice → (value → rmse).
        notes: what must be known to read this.
    """

    a: Side
    b: Side
    metrics: dict[str, Delta]
    groups: int
    images: int
    points: list[Delta] = field(default_factory=list)
    slices: dict[str, list[Delta]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def rmse(self) -> Delta:
        return self.metrics["rmse"]

    @property
    def better(self) -> str:
        """`a`, `b`, or empty where the data cannot tell."""
        if not self.rmse.significant:
            return ""
        return "b" if self.rmse.difference < 0 else "a"


def side_of(name: str, records: Sequence[RunRecord]) -> Side:
    """One side from the records that a text means.

    Raises:
        FkbenchError: they are of several rows, none is finished, or errors per image are not there.
    """
    entry, *repeats = _row_first(name, entries_of(records))
    if not entry.done:
        first = entry.first
        raise FkbenchError(
            f"'{name}' is not finished: {first.status}, {first.reason or 'no reason given'}.", "Run it again."
        )
    errors = tuple(errors_beside(record) for record in entry.done)
    row = make_row(entry, "", SeedSums.of(errors), (), None)
    metrics = {**row.metrics, **({} if row.rmse is None else {"rmse": row.rmse})}
    return Side(name, entry, errors, metrics, speed_of(entry.done), tuple(repeats))


def _row_first(name: str, entries: Sequence[Entry]) -> list[Entry]:
    """The row that is meant, before those that only repeat some of its seeds on other devices."""
    first, *others = sorted(entries, key=lambda entry: -len(entry.done))
    seeds = {record.seed for record in first.done}
    for other in others:
        same_plan = plan_text(other.first) == plan_text(first.first)
        same_code = other.first.model.source == first.first.model.source
        if same_plan and same_code and {record.seed for record in other.done} < seeds:
            continue
        rows = "; ".join(f"{e.first.path} ({e.device}, seeds {_seeds(e.records)})" for e in entries[:8])
        raise FkbenchError(
            f"'{name}' means several rows, of other settings, code, precisions or devices: {rows}.",
            "Name one run by its path or key.",
        )
    return [first, *others]


def compare_sides(a: Side, b: Side, point_names: Sequence[str] = ()) -> Compared:
    """B against A.

    Args:
        point_names: K names of the points, where they are known.

    Raises:
        FkbenchError: they are not of the same images.
    """
    _check_data(a.entry.first, b.entry.first)
    sums_a, sums_b = SeedSums.of(a.errors), SeedSums.of(b.errors)
    whole = compare(sums_b, sums_a)
    metrics = {name: Delta(name, a.metrics[name], b.metrics[name]) for name in a.metrics if name in b.metrics}
    metrics["rmse"] = _tested("rmse", sums_a, sums_b)
    metrics |= {name: delta for name in metrics if (delta := _nme_delta(name, a, b)) is not None}
    metrics |= _speeds(a.speed, b.speed)
    found = Compared(a, b, metrics, whole.groups, len(sums_a.ids), notes=notes_of(a, b))
    found.points = _points(a, b, point_names)
    found.slices = _slices(a, b)
    return found


def _check_data(a: RunRecord, b: RunRecord) -> None:
    pairs = {
        "dataset": (a.dataset.name, b.dataset.name),
        "data": (a.dataset.fingerprint[:15], b.dataset.fingerprint[:15]),
        "split": (a.dataset.split, b.dataset.split),
        "split version": (str(a.dataset.split_version), str(b.dataset.split_version)),
    }
    for what, (one, two) in pairs.items():
        if one != two:
            raise FkbenchError(
                f"A and B cannot be compared: their {what} is {one} and {two}.",
                "Compare results of one dataset, fingerprint and split.",
            )


def _tested(name: str, a: SeedSums, b: SeedSums) -> Delta:
    found = compare(b, a)
    root_a, root_b = math.sqrt(a.mse()), math.sqrt(b.mse())
    known = math.isfinite(found.rmse_low) and math.isfinite(found.rmse_high)
    if not known or found.groups < LEAST_GROUPS:
        return Delta(name, root_a, root_b)
    return Delta(name, root_a, root_b, found.rmse_low, found.rmse_high, found.p)


def _nme_delta(name: str, a: Side, b: Side) -> Delta | None:
    """The difference of the mean NME by one distance; None for another metric, or where there are too few groups."""
    distance = name.removeprefix("nme@")
    if distance == name or any(distance not in errors.nme for errors in (*a.errors, *b.errors)):
        return None
    rows_a, rows_b = (_ordered(side.errors, a.errors[0].ids, distance) for side in (a, b))
    group = a.errors[0].group
    # Images are paired by their means over seeds; each side's own variance between its seeds is added.
    paired = mean_interval(rows_b.mean(axis=0) - rows_a.mean(axis=0), group)
    if not math.isfinite(paired.group_variance):
        return None
    own = [seed_variance(np.nanmean(rows, axis=1)) for rows in (rows_a, rows_b)]
    variance = combined([Variance(paired.group_variance, paired.df), *own])
    mean_a, mean_b = float(np.nanmean(rows_a)), float(np.nanmean(rows_b))
    gap, width = mean_b - mean_a, half_width(variance, 1 - ALPHA)
    p = t_two_sided(gap / math.sqrt(variance.value), variance.df) if variance.value > 0 else float(gap == 0)
    return Delta(name, mean_a, mean_b, gap - width, gap + width, p)


def _ordered(seeds: Sequence[ImageErrors], ids: tuple[str, ...], distance: str) -> np.ndarray:
    """(S, N) NME of each seed, images in the order of `ids`."""
    rows = []
    for errors in seeds:
        places = {name: place for place, name in enumerate(errors.ids)}
        rows.append(errors.nme[distance][[places[name] for name in ids]])
    return np.stack(rows)


def _speeds(a: Speed, b: Speed) -> dict[str, Delta]:
    names = [name for name in (*TRAINING, *SESSION) if name in a.numbers and name in b.numbers]
    return {name: Delta(name, a.numbers[name], b.numbers[name]) for name in names}


def _points(a: Side, b: Side, names: Sequence[str]) -> list[Delta]:
    count = a.errors[0].point_sum_sq.shape[1]
    if b.errors[0].point_sum_sq.shape[1] != count:
        raise FkbenchError("A and B cannot be compared: they have other numbers of points.")
    shown = list(names) if len(names) == count else [f"point {k}" for k in range(count)]
    return _family([(shown[k], _of_point(a, k), _of_point(b, k)) for k in range(count)])


def _of_point(side: Side, k: int) -> SeedSums:
    parts = [SeedSums(e.ids, e.group, e.point_sum_sq[None, :, k], e.point_count[:, k]) for e in side.errors]
    return SeedSums(
        parts[0].ids, parts[0].group, np.concatenate([p.aligned(parts[0]).sum_sq for p in parts]), parts[0].count
    )


def _slices(a: Side, b: Side) -> dict[str, list[Delta]]:
    found = {}
    for name in ("convention", "kind"):
        labels = getattr(a.errors[0], name)
        if labels is not None and len(set(labels)) > 1:
            values = sorted(set(labels))
            found[name] = _family([(v, *(_of_slice(side, a.errors[0], labels, v) for side in (a, b))) for v in values])
    return found


def _of_slice(side: Side, reference: ImageErrors, labels: Sequence[str], value: str) -> SeedSums:
    wanted = {name for name, label in zip(reference.ids, labels, strict=True) if label == value}
    return SeedSums.of([e.take(np.array([name in wanted for name in e.ids])) for e in side.errors])


def _family(parts: Sequence[tuple[str, SeedSums, SeedSums]]) -> list[Delta]:
    """Tests of one kind, with p adjusted by Holm among them; what has no labels is left out."""
    deltas = [_tested(name, a, b.aligned(a)) for name, a, b in parts if a.count.sum()]
    tested = [i for i, delta in enumerate(deltas) if delta.p is not None]
    adjusted = dict(zip(tested, holm([deltas[i].p or 0.0 for i in tested]), strict=True))
    return [Delta(d.name, d.a, d.b, d.low, d.high, adjusted.get(i)) for i, d in enumerate(deltas)]


def _seeds(records: Sequence[RunRecord]) -> str:
    return ", ".join(str(record.seed) for record in records)
