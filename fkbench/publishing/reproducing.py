"""Does a new training give what a record states? Drift of every metric against the spread of seeds.

The yardstick is how far trainings with other seeds lie apart, not the interval over test images: that one says how far
another test set would move the score, and two trainings are scored on the same images. Three rules, the first that
applies:

* `exact`: the same seed gives the same numbers, to the digits that are recorded.
* `trained here`: m ≥ 3 trainings of one's own (the same seed and further ones). The recorded value is within the
  prediction interval for one further draw: |x − mean| ≤ t(.975, m − 1) · s · √(1 + 1/m).
* `recorded seeds`: n ≥ 3 other seeds of the record's row. Two further draws lie no further apart than such draws do:
  |y − x| ≤ t(.975, n − 1) · s · √2. With two others that would be 18 · s, which lets nearly everything pass.

A limit beyond a tenth of the recorded rmse confirms nothing, as another model could be within it: what is within such a
limit is not decided. What is beyond it is still not reproduced.

All trainings are taken for draws from one normal distribution; on another machine the same seed is another draw, since
rounding differs and training amplifies that. A model without randomness has no spread: .1 % is let pass for rounding.
The prediction interval: any textbook, for example Hahn & Meeker, Statistical Intervals (1991), ch. 4.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from fkbench.boards import BoardKey
from fkbench.boards.entries import entries_of
from fkbench.errors import FkbenchError, RunFailedError
from fkbench.records import RunRecord, Verification, rounded, subject_of, verification_of
from fkbench.score.student import t_quantile
from fkbench.version import __version__

CERTAINTY = 0.95
ROUNDING = 1e-3
"""Share by which a model without randomness may differ between machines."""
FEWEST_TRAINED = 3
FEWEST_RECORDED = 3
GREATEST_LIMIT = 0.1
"""Share of the recorded rmse: a drift within a greater limit says nothing."""
DECIDES = "rmse"


@dataclass(frozen=True)
class Drift:
    """One metric, recorded and trained again.

    Attributes:
        again: of the same seed; own: of all trainings made here, that one first.
        spread: standard deviation among seeds; None where it is not known.
        limit: greatest drift that passes; None where there is no yardstick.
        drift: what is held against the limit: of `again`, or of the mean of one's own trainings, from the recorded.
        within: None where it cannot be said.
    """

    metric: str
    recorded: float
    again: float
    own: tuple[float, ...]
    rule: str
    drift: float
    spread: float | None = None
    limit: float | None = None

    @property
    def exact(self) -> bool:
        """Whether the same seed has given the same number, to the last digit that is recorded."""
        same: bool = rounded(self.recorded) == rounded(self.again)
        return same

    @property
    def blunt(self) -> bool:
        """Whether what decides has a limit that another model could be within."""
        return self.metric == DECIDES and self.limit is not None and self.limit > GREATEST_LIMIT * abs(self.recorded)

    @property
    def within(self) -> bool | None:
        """Whether the drift passes; a blunt limit can only say that it does not."""
        if self.exact:
            return True
        if self.limit is None or (self.blunt and abs(self.drift) <= self.limit):
            return None
        return abs(self.drift) <= self.limit


def siblings(record: RunRecord, records: Sequence[RunRecord]) -> list[RunRecord]:
    """The finished records of the other seeds of a record's row: same board, plan, code and type of device."""
    board = BoardKey.of(record)
    same = [one for one in records if BoardKey.of(one) == board]
    for entry in entries_of(same):
        if any(one.canonical() == record.canonical() for one in entry.records):
            return [one for one in entry.done if one.seed != record.seed]
    return []


def drifts(record: RunRecord, again: Sequence[RunRecord], others: Sequence[RunRecord]) -> list[Drift]:
    """Every metric that is one number, the one that decides first.

    Args:
        again: trainings made here, that of the record's seed first.
        others: other seeds of its row.

    Raises:
        FkbenchError: one of them has no rmse.
    """
    if record.metric(DECIDES) is None or any(one.metric(DECIDES) is None for one in again):
        raise FkbenchError(f"The run {record.key} has no {DECIDES} to compare.", "Name a finished run.")
    names = [DECIDES, *(name for name in record.metrics if name != DECIDES)]
    found = [_drift(name, record, again, others) for name in names]
    return [one for one in found if one is not None]


def _drift(name: str, record: RunRecord, again: Sequence[RunRecord], others: Sequence[RunRecord]) -> Drift | None:
    recorded = record.metric(name)
    own = tuple(value for one in again if (value := one.metric(name)) is not None)
    if recorded is None or len(own) != len(again):
        return None
    gap = own[0] - recorded
    if record.model.deterministic:
        return Drift(name, recorded, own[0], own, "no randomness", gap, 0.0, ROUNDING * abs(recorded))
    if len(own) >= FEWEST_TRAINED:
        spread = statistics.stdev(own)
        limit = _t(len(own) - 1) * spread * math.sqrt(1 + 1 / len(own))
        return Drift(name, recorded, own[0], own, "trained here", statistics.fmean(own) - recorded, spread, limit)
    values = [value for one in others if (value := one.metric(name)) is not None]
    if len(values) >= FEWEST_RECORDED:
        spread = statistics.stdev(values)
        limit = _t(len(values) - 1) * spread * math.sqrt(2)
        return Drift(name, recorded, own[0], own, "recorded seeds", gap, spread, limit)
    return Drift(name, recorded, own[0], own, "exact", gap)


def _t(df: int) -> float:
    return t_quantile((1 + CERTAINTY) / 2, df)


def differing(record: RunRecord, again: RunRecord) -> list[tuple[str, str, str]]:
    """What was not the same in the two trainings: (what, recorded, here). Without any the numbers should be equal."""
    pairs: list[tuple[str, object, object]] = [
        ("device", record.device.type, again.device.type),
        ("device's name", record.device.name, again.device.name),
        ("threads", record.device.threads, again.device.threads),
        ("layout", record.device.layout, again.device.layout),
        ("engine", record.engine, again.engine),
        ("python", record.environment.python, again.environment.python),
        ("platform", record.environment.platform, again.environment.platform),
        ("processor", record.environment.cpu, again.environment.cpu),
        ("plan", record.key, again.key),
    ]
    versions = (record.environment.versions, again.environment.versions)
    pairs += [(name, versions[0].get(name), versions[1].get(name)) for name in sorted({*versions[0], *versions[1]})]
    found = [(what, _text(a), _text(b)) for what, a, b in pairs if a != b]
    if record.model.source != again.model.source:
        same = record.probe is not None and record.probe == again.probe
        what = "model's code (it computes the same)" if same else "model's code"
        found.append((what, _text(record.model.source), _text(again.model.source)))
    return found


def _text(value: object) -> str:
    return "none" if value is None or value == "" else str(value)


def refuse_failed(record: RunRecord) -> None:
    """A result that a check has found wrong is not trained again: the numbers that it states are not its own.

    Raises:
        RunFailedError: there is such a check.
    """
    found = verification_of(record)
    if found is not None and found.mismatches:
        raise RunFailedError(f"A check of {record.key} has failed: {found.mismatches[0]}", "See fkbench verify.")


def reproduced(record: RunRecord) -> Verification:
    """What is kept of a result that was reproduced."""
    return Verification(
        key=record.key, subject=subject_of(record), level="reproduced", mismatches=[], fkbench=__version__
    )  # fmt: skip
