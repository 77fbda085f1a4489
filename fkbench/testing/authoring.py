"""The kit in an author's own tests: each check is a test, its message is what pytest shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.specs import DatasetSpec, Spec
from fkbench.testing.findings import Finding
from fkbench.testing.kit import suite_of
from fkbench.testing.suite import Suite
from fkbench.testing.targets import specs_of

Case = Callable[[], Finding]


def conformance(
    *targets: Any, kind: str = "", settings: Mapping[str, Any] | None = None, data: Path | str | None = None
) -> Callable[[Case], None]:
    """A test function with one test for each check of the targets, for pytest to collect under a name `test_…`.

        test_mynet = conformance("./mynet.py")

    Args:
        targets: plugin files (paths from the test's own folder), names of registered plugins, specs, or objects that a
            decorator of fkbench has marked.
        kind: `model`, `dataset`, `detector`, `metric` or `runtime`, where two kinds share a name.
        settings: the plugin's settings for these checks, where they are not the defaults.
        data: the data folder for datasets that have to be imported; default: the user's, as for `fkbench run`.
    """
    import pytest

    folder = Path(sys._getframe(1).f_globals.get("__file__", ".")).resolve().parent
    cases: list[tuple[str, Case]] = []
    for target in targets:
        cases += _cases(target, folder, kind, settings, data, named=len(targets) > 1)

    @pytest.mark.parametrize("case", [case for _, case in cases], ids=[name for name, _ in cases])
    def test(case: Case) -> None:
        finding = case()
        if finding.status == "skipped":
            pytest.skip(finding.message)
        if finding.status == "failed":
            pytest.fail(in_full(finding), pytrace=False)

    return test


def in_full(finding: Finding) -> str:
    """A finding with its remedy, and the trace of what the plugin's code raised."""
    lines = [f"{finding.check}: {finding.message}"]
    if finding.remedy:
        lines.append(f"What to do: {finding.remedy}")
    return "\n".join([*lines, finding.trace]).rstrip()


def _cases(
    target: Any, folder: Path, kind: str, settings: Mapping[str, Any] | None, data: Path | str | None, *, named: bool
) -> list[tuple[str, Case]]:
    try:
        suites = [_suite(spec, settings, data) for spec in specs_of(target, folder, kind)]
    except FkbenchError as error:
        broken = Finding("file", "failed", error.message, error.remedy)
        return [(f"{target}-file" if named else "file", lambda: broken)]
    named = named or len(suites) > 1
    return [
        (f"{suite.spec.name}-{check.name}" if named else check.name, partial(suite.run, check.name))
        for suite in suites
        for check in suite.checks
    ]


def _suite(spec: Spec, settings: Mapping[str, Any] | None, data: Path | str | None) -> Suite:
    store = None
    if isinstance(spec, DatasetSpec) and (data is not None or spec.requires):
        from fkbench.cli.session import data_root
        from fkbench.datasets.store import Store

        store = Store(data_root(None if data is None else Path(data)))
    return suite_of(spec, store=store, settings=settings)
