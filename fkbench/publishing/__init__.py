"""Results that people publish, check, merge and argue with. Imports no torch."""

from __future__ import annotations

from fkbench.publishing.arithmetic import Line, check_metrics
from fkbench.publishing.detections import Sides, publish_boxed, publish_detectors
from fkbench.publishing.differences import Difference, differences, kind_of
from fkbench.publishing.folder import Added, Clash, check_apart, publish, rebuild
from fkbench.publishing.form import Form, RefusedError, published_form
from fkbench.publishing.merging import Merged, merge
from fkbench.publishing.scrubbing import Scrubber

__all__ = [
    "Added",
    "Clash",
    "Difference",
    "Form",
    "Line",
    "Merged",
    "RefusedError",
    "Scrubber",
    "Sides",
    "check_apart",
    "check_metrics",
    "differences",
    "kind_of",
    "merge",
    "publish",
    "publish_boxed",
    "publish_detectors",
    "published_form",
    "rebuild",
]
