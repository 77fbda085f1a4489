"""The conformance kit: what a plugin must do, checked in plain words. `fkbench check` runs it; so do authors' tests.

    from fkbench.testing import conformance

    test_mynet = conformance("./mynet.py")

Each check is then a test of its own, `test_mynet[gradients]` for example.
"""

from __future__ import annotations

from fkbench.testing.authoring import conformance
from fkbench.testing.findings import Check, Finding
from fkbench.testing.kit import (
    check_dataset,
    check_detector,
    check_metric,
    check_model,
    check_runtime,
    check_spec,
    suite_of,
)
from fkbench.testing.suite import Suite

__all__ = [
    "Check",
    "Finding",
    "Suite",
    "check_dataset",
    "check_detector",
    "check_metric",
    "check_model",
    "check_runtime",
    "check_spec",
    "conformance",
    "suite_of",
]
