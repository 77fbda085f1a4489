"""The checks of one plugin, run one at a time; a failing check stops no other."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.specs import Spec
from fkbench.testing.findings import Check, Finding, NotApplicable, Problem, in_words, raised_at
from fkbench.testing.limits import TooSlowError, kept_randomness, limited


@dataclass
class Suite:
    """What is checked of one spec.

    Attributes:
        spec: the plugin's spec.
        kind: `model`, `dataset`, `detector`, `metric` or `runtime`.
        subject: what the checks are given.
        checks: in the order in which they are reported.
        first: name of the check that all others build on; when it does not pass they are skipped. May be empty.
        alone: names of checks that need neither `first` nor the plugin's code.
        skip: why the plugin's code is not run here; empty: it is.
    """

    spec: Spec
    kind: str
    subject: Any
    checks: tuple[Check, ...]
    first: str = ""
    alone: frozenset[str] = frozenset()
    skip: str = ""
    _found: dict[str, Finding] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Finding]:
        """Findings one by one, as they are made."""
        for check in self.checks:
            yield self.run(check.name)

    def run(self, name: str) -> Finding:
        """The finding of the check of this name; it is made once."""
        if name not in self._found:
            check = next(check for check in self.checks if check.name == name)
            self._found[name] = self._blocked(check) or run_check(check, self.subject)
        return self._found[name]

    def _blocked(self, check: Check) -> Finding | None:
        if check.name in self.alone:
            return None
        if self.skip:
            return Finding(check.name, "skipped", self.skip)
        if not self.first or check.name == self.first:
            return None
        base = self.run(self.first)
        if base.status == "passed":
            return None
        why = base.message if base.status == "skipped" else f"the check '{self.first}' must pass first"
        return Finding(check.name, "skipped", why)


def run_check(check: Check, subject: Any) -> Finding:
    """One check, whatever the plugin's code does: raises, ends the process, or does not come back."""
    started = time.monotonic()
    try:
        with warnings.catch_warnings(), kept_randomness(), limited():
            warnings.simplefilter("ignore")
            found = Finding(check.name, "passed", check.run(subject))
    except NotApplicable as reason:
        found = Finding(check.name, "skipped", str(reason))
    except Problem as problem:
        found = Finding(check.name, "failed", problem.message, problem.remedy)
    except (Exception, SystemExit) as error:
        found = _raised(check.name, error)
    return replace(found, seconds=time.monotonic() - started)


def _raised(name: str, error: BaseException) -> Finding:
    if isinstance(error, FkbenchError):
        return Finding(name, "failed", error.message, error.remedy)
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, TooSlowError):
        where = raised_at(error)
        at = f"It was at {where}. " if where else ""
        remedy = f"{at}Look for an endless loop, or give the kit a smaller version with `reduced={{…}}`."
        return Finding(name, "failed", "It did not come to an end in reasonable time.", remedy, trace=trace)
    return Finding(name, "failed", f"It raises {in_words(error)}.", "Mend that line; --debug shows more.", trace=trace)
