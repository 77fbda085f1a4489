"""One row of a board: the scores of all seeds together, size, speed, and why it has no rank."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from fkbench.boards.entries import Entry, ended
from fkbench.boards.numbers import finite
from fkbench.boards.speed import Speed, device_class, speed_of
from fkbench.records import LEVELS, RunRecord, canonical_json, rounded
from fkbench.score import SeedSums, model_interval
from fkbench.words import counted

Number = float | int
SpeedClass = tuple[str, tuple[int, ...], int | None]
"""Device class, threads of a processor, version of the timing contract."""
BY_CONVENTION = "rmse_by_convention"
NO_RANDOMNESS = "one seed is enough: its record states no randomness"
SAME_SCORE = 1e-4
"""Relative difference of two records' scores of one baseline that is no contradiction."""


@dataclass(frozen=True)
class Row:
    """A model on a board. Numbers have six significant digits.

    Attributes:
        model: its name, as registered: text by anyone, to be escaped on output.
        variant: what tells it from other rows of the same name; empty where there are none.
        role: `entry` or `baseline`.
        rank: None if it is not ranked.
        rank_label: `2`, `2=` where others share the rank, empty if not ranked.
        reasons: why it is not ranked.
        marks: what else must be known.
        rmse: all seeds and images together, scoring-frame pixels.
        rmse_ci: 95 % interval: groups and seeds.
        metrics: the records' other single numbers, mean over seeds; `rmse@<convention>` for each label convention.
        seeds: finished seeds.
        failed: number of seeds that did not finish.
        devices: device class of each of `keys`.
        speed: median over seeds on one device, and what kind of session it is from.
        baseline_share: rmse / rmse of the board's strongest baseline; below 1: better than every baseline.
        same_speed_class: measured on the board's device class, with its threads and under its timing version.
        keys: of the records.
        trust: how far it is trusted, see `fkbench.boards.trust`; empty where nothing is finished.
        believed: its errors per image give its rmse and no check has failed, or it is a baseline of which such rows
            state one score. Others are never the best of a board, nor what others are measured against.
    """

    model: str
    variant: str = ""
    role: str = "entry"
    rank: int | None = None
    rank_label: str = ""
    reasons: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    rmse: float | None = None
    rmse_ci: tuple[float, float] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: int | None = None
    macs: int | None = None
    seeds: tuple[int, ...] = ()
    failed: int = 0
    devices: tuple[str, ...] = ()
    speed: Speed = field(default_factory=Speed)
    baseline_share: float | None = None
    same_speed_class: bool = True
    keys: tuple[str, ...] = ()
    trust: str = ""
    believed: bool = True

    @property
    def label(self) -> str:
        """Name and variant."""
        return f"{self.model} ({self.variant})" if self.variant else self.model

    @property
    def device(self) -> str:
        """Of its seeds, all where they are several."""
        return "; ".join(sorted(set(self.devices)))

    @property
    def status(self) -> str:
        """`done`, `partly` or `failed`; `beside` for a baseline known only from other models' records."""
        if not self.keys:
            return "beside"
        return ("partly" if self.seeds else "failed") if self.failed else "done"

    @property
    def comparable_speed(self) -> bool:
        """Whether its speed may be compared with others of the board: the same class, no quick or void session."""
        return self.same_speed_class and self.speed.session in (None, "full")

    @property
    def speed_class(self) -> SpeedClass:
        """What rows share whose speeds can be compared."""
        return (self.speed.device, *self.speed.conditions)

    def beside(self, reference: float | None, speed_class: SpeedClass) -> Row:
        """The row with what depends on the rest of the board."""
        share = self.rmse / reference if self.rmse is not None and reference and self.believed else None
        same = self.speed.version is None or self.speed_class == speed_class
        return replace(self, baseline_share=finite(share), same_speed_class=same)


def make_row(
    entry: Entry, variant: str, sums: SeedSums | None, reasons: tuple[str, ...], rank: tuple[int, str] | None
) -> Row:
    """The row of an entry; `sums`: errors per image of its finished seeds, where there are any."""
    first, done = entry.first, entry.done
    rmse, interval = _rmse(done, sums)
    speed = speed_of(done)
    return Row(
        model=first.model.name,
        variant=variant,
        role=first.model.role,
        rank=rank[0] if rank else None,
        rank_label=rank[1] if rank else "",
        reasons=reasons,
        marks=_marks(entry, speed),
        rmse=rmse,
        rmse_ci=interval,
        metrics=_means([_numbers(record.metrics) for record in done]),
        parameters=next((r.model.parameters for r in entry.records if r.model.parameters is not None), None),
        macs=next((r.model.macs for r in entry.records if r.model.macs is not None), None),
        seeds=tuple(record.seed for record in done),
        failed=len(entry.unfinished),
        devices=entry.devices,
        speed=speed,
        keys=tuple(record.key for record in entry.records),
    )


def baseline_rows(records: Iterable[RunRecord], present: AbstractSet[str]) -> list[Row]:
    """Rows of baselines that have no record of their own here, from what other records say of them.

    What most of them say is shown; where they do not agree, nobody can tell who is right, and it is not believed.
    """
    found: dict[str, dict[str, list[RunRecord]]] = {}
    for record in records:
        for name in record.baseline.keys() - present:
            found.setdefault(name, {}).setdefault(canonical_json(record.baseline[name]), []).append(record)
    return [_baseline_row(name, found[name]) for name in sorted(found)]


def _baseline_row(name: str, claims: Mapping[str, Sequence[RunRecord]]) -> Row:
    """The row of what most records state, by text → the records that state it."""
    text = min(claims, key=lambda text: (-len(claims[text]), text))
    beside = min({record.model.name for record in claims[text]})
    metrics = _numbers(claims[text][0].baseline[name])
    rmse = metrics.pop("rmse", None)
    others = {_numbers(stated[0].baseline[name]).get("rmse") for stated in claims.values()} - {rmse}
    agreed = all(_same(rmse, other) for other in others)
    why = f"no run of its own: scored beside {beside}" + ("" if agreed else "; others state another score of it")
    return Row(
        name, role="baseline", reasons=(why,), rmse=rounded(rmse), metrics=rounded(metrics), trust=LEVELS[0],
        believed=agreed,
    )  # fmt: skip


def _same(one: float | None, other: float | None) -> bool:
    """Whether two scores of one baseline are equal but for the last digits, which another machine gives."""
    return one is not None and other is not None and math.isclose(one, other, rel_tol=SAME_SCORE)


def variants(entries: Sequence[Entry]) -> list[str]:
    """For each entry what tells it from the others of the same model's name: device, settings, code.

    What an entry has not is not said: of a net as it is and one with another rate, only the second has a variant.
    """
    by_name: dict[str, list[int]] = {}
    for place, entry in enumerate(entries):
        by_name.setdefault(entry.first.model.name, []).append(place)
    texts = [""] * len(entries)
    for places in by_name.values():
        if len(places) == 1:
            continue
        rivals, facts = [entries[place] for place in places], [_facts(entries[place]) for place in places]
        telling = [name for name in sorted({name for page in facts for name in page}) if _tells(name, facts)]
        for place, own in zip(places, facts, strict=True):
            parts = [f"{name}={own[name]}" for name in telling if name in own]
            texts[place] = ", ".join([*_device_words(entries[place], rivals), *parts])
    return texts


def _tells(name: str, facts: Sequence[Mapping[str, str]]) -> bool:
    """Whether a fact differs. A recipe is stated where nothing in it was changed, and differs from other such ones."""
    known = {page[name] for page in facts if name in page}
    return len(known) > 1 or (name != "recipe" and any(name not in page for page in facts))


def _device_words(entry: Entry, rivals: Sequence[Entry]) -> list[str]:
    """Nothing where all ran on one device, the type where that tells them apart, else the full name."""
    devices = {rival.device for rival in rivals}
    types = {rival.first.device.type for rival in rivals}
    if len(devices) == 1:
        return []
    return [entry.first.device.type if len(types) == len(devices) else entry.device]


def _facts(entry: Entry) -> dict[str, str]:
    first = entry.first
    facts = {"engine": str(first.engine)}
    facts |= {name: str(value) for name, value in first.model.settings.items()}
    changed = first.protocol.overrides.items()
    facts |= {name: str(value) for name, value in changed if name.removeprefix("model.") not in first.model.settings}
    if not first.protocol.overrides:
        facts["recipe"] = hashlib.sha256(canonical_json(first.protocol.recipe).encode()).hexdigest()[:6]
    if first.parent is not None:
        facts["extended"] = "yes"
    if first.model.source:
        facts["code"] = first.model.source.rpartition(":")[2][:8]
    return facts


def _rmse(done: Sequence[RunRecord], sums: SeedSums | None) -> tuple[float | None, tuple[float, float] | None]:
    """From the errors per image, else from the records: with equal counts, the root of the mean square over seeds."""
    if sums is not None:
        found = model_interval(sums)
        return rounded(found.estimate), (rounded(found.bounds[0]), rounded(found.bounds[1])) if found.bounds else None
    stated = [value for value in (record.metric("rmse") for record in done) if value is not None and value >= 0]
    if not stated:
        return None, None
    # Of several seeds each has an interval of its own, which is none of their row.
    interval = _stated_interval(done[0].metrics.get("rmse_ci")) if len(done) == 1 else None
    return finite(math.hypot(*stated) / math.sqrt(len(stated))), interval


def _stated_interval(ends: object) -> tuple[float, float] | None:
    known = [float(end) for end in ends if _is_number(end)] if isinstance(ends, list) and len(ends) == 2 else []
    return (known[0], known[1]) if len(known) == 2 else None


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    by_convention = metrics.get(BY_CONVENTION)
    single = {f"rmse@{name}": v for name, v in by_convention.items()} if isinstance(by_convention, Mapping) else {}
    return {name: float(value) for name, value in (*metrics.items(), *single.items()) if _is_number(value)}


def _is_number(value: object) -> TypeGuard[Number]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _means(pages: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means of the numbers that every seed has; rmse has its own way."""
    names = sorted(set.intersection(*(set(page) for page in pages)) - {"rmse"}) if pages else []
    means = {name: finite(math.fsum(page[name] / len(pages) for page in pages)) for name in names}
    return {name: value for name, value in means.items() if value is not None}


def _marks(entry: Entry, speed: Speed) -> tuple[str, ...]:
    flags = sorted({flag for record in entry.done for flag in record.flags})
    if entry.done and entry.deterministic and entry.first.model.role != "baseline":
        flags.append(NO_RANDOMNESS)
    if len({record.device.name for record in entry.done}) > 1:
        speeds = f"; all speeds are of {speed.device}" if speed.device else ""
        flags.append(f"seeds of several devices{speeds}")
    # Said, as a row must not look better by losing its worst trainings.
    lost = (f"seed {one.seed} on {device_class(one)} {ended(one)}; finished elsewhere" for one in entry.made_up_for)
    flags += dict.fromkeys(lost)
    if entry.spare:
        flags.append(f"{counted(entry.spare, 'more record')} of the same seeds set aside")
    return tuple(flags)
