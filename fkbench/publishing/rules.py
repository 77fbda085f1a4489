"""Rules of a gate: `rmse>+2%` breaks where B's rmse is more than 2 % above A's.

What decides. The estimate is held against the limit, and a test (rmse and every NME have one: B against A, 5 %,
two-sided) keeps chance from deciding for the side that has to be shown:

* A limit that allows a change (`rmse>+2%`: no change at all would pass) is broken where the estimate is beyond it *and*
  the difference is significant: worse by more than the limit as far as one can tell, and not by chance.
* A limit that demands a change (`rmse>-5%`: no change at all would break it) is broken *unless* the estimate is within
  it and the difference is significant: the improvement has to be there, and not by chance.

So whatever breaks a rule breaks each stricter one. The estimate alone would make a gate fail by chance: of two
trainings of the same code one is the worse, often by a per cent or two. The interval alone (the whole of it beyond a
limit that allows, or not the whole of it within one that demands) would let pass most of what is worse by up to twice
the limit with the 3 to 5 seeds that people have. `estimate` and `interval` can be chosen instead. A metric without a
test (speed, AUC, failure rates) is decided by its estimate, and the answer says so. A rule that cannot be judged, such
as one about speeds of two devices, counts as broken: a gate must not open because nobody looked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from fkbench.boards.speed import SESSION, TRAINING
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.publishing.caveats import speed_fault, training_fault
from fkbench.publishing.comparison import Compared, Delta

Decide = Literal["significant", "estimate", "interval"]
DECIDE = get_args(Decide)
_RULE = re.compile(r"\s*([A-Za-z][\w@.-]*?)\s*([<>])\s*([+-]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*")
GRAMMAR = (
    "A rule is METRIC, > or <, and a change from A to B, with % relative to A: 'rmse>+2%' fails if rmse rises by more "
    "than 2 %, 'nme@inter_ocular>+0.5' by more than half a percentage point, 'infer_images_per_s<-10%' if it falls by "
    "more than 10 %, 'rmse>-5%' unless it falls by 5 %."
)
SHARES = ("nme@", "auc@", "fr@")


@dataclass(frozen=True)
class Rule:
    """A parsed rule.

    Attributes:
        above: it breaks where the change is greater than the limit; else where it is less.
        limit: change from A to B: per cent of A, or in the metric's unit (shares: percentage points).
    """

    text: str
    metric: str
    above: bool
    limit: float
    relative: bool

    @property
    def demands(self) -> bool:
        """Whether no change at all would break it: `rmse>-5%` asks for an improvement."""
        return _beyond(self, 0.0)

    @classmethod
    def parse(cls, text: str) -> Rule:
        """From text such as `rmse>+2%`.

        Raises:
            FkbenchError: it is no rule; the remedy has the grammar.
        """
        found = _RULE.fullmatch(text)
        if found is None:
            raise FkbenchError(f"--fail-on '{text[:80]}' is no rule{_why(text)}.", GRAMMAR)
        metric, sign, minus, number, percent = found.groups()
        value = float(number) * (-1 if minus == "-" else 1)
        return cls(text.strip(), metric, sign == ">", value, bool(percent))


@dataclass(frozen=True)
class Judged:
    """What became of a rule.

    Attributes:
        change: from A to B in the rule's unit; None where there is none.
        why: in words.
    """

    rule: Rule
    broken: bool
    change: float | None
    why: str


def judge(rule: Rule, found: Compared, decide: Decide = "significant") -> Judged:
    """Whether a rule is broken.

    Raises:
        UnknownNameError: neither result has the metric.
    """
    of = speed_fault if rule.metric in SESSION else training_fault if rule.metric in TRAINING else None
    fault = of(found.a, found.b) if of is not None else ""
    delta = found.metrics.get(rule.metric)
    if delta is None and rule.metric not in {*found.a.metrics, *found.b.metrics, *SESSION, *TRAINING}:
        raise UnknownNameError("metric in --fail-on", rule.metric, found.metrics)
    if fault or delta is None:
        return Judged(rule, True, None, f"cannot be judged: {fault or 'one of the two has no such number'}")
    change = _change(rule, delta, delta.difference)
    if change is None:
        return Judged(rule, True, None, "cannot be judged: a share of zero is asked for")
    beyond = _beyond(rule, change)
    words = f"{change:+.3g}{_unit(rule)}, limit {rule.limit:+g}{_unit(rule)}"
    if decide == "estimate" or delta.p is None:
        how = "" if delta.p is not None else "; no test for this metric, the estimate decides"
        return Judged(rule, beyond, change, words + how)
    if decide == "interval":
        return _by_interval(rule, delta, change, words)
    words += f"; p = {delta.p:.2g}"
    if beyond is rule.demands or delta.significant:
        return Judged(rule, beyond, change, words)
    held = "reached" if rule.demands else "beyond it"
    return Judged(rule, rule.demands, change, f"{words}: {held}, but not significant")


def _by_interval(rule: Rule, delta: Delta, change: float, words: str) -> Judged:
    """A limit that demands has to hold the whole interval, one that allows the nearest end of it."""
    end = delta.low if rule.above is not rule.demands else delta.high
    value = change if end is None else _change(rule, delta, end)
    assert value is not None  # as there is a change of the estimate
    name = "far" if rule.demands else "near"
    return Judged(rule, _beyond(rule, value), change, f"{words}; {name} end of the interval {value:+.3g}")


def _change(rule: Rule, delta: Delta, difference: float) -> float | None:
    if rule.relative:
        return 100 * difference / delta.a if delta.a else None
    return 100 * difference if rule.metric.startswith(SHARES) else difference


def _beyond(rule: Rule, change: float) -> bool:
    return change > rule.limit if rule.above else change < rule.limit


def _unit(rule: Rule) -> str:
    return " %" if rule.relative else " points" if rule.metric.startswith(SHARES) else ""


def _why(text: str) -> str:
    if ">=" in text or "<=" in text or "=" in text:
        return ": there is no = in a rule"
    if not re.search(r"[<>]", text):
        return ": it has neither > nor <"
    return "" if re.search(r"\d", text) else ": it has no number"
