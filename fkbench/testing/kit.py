"""Which checks a plugin gets. Heavy modules are imported for the kind that is checked, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fkbench.datasets.access import resolve_settings
from fkbench.errors import FkbenchError
from fkbench.specs import DatasetSpec, DetectorSpec, MetricSpec, ModelSpec, RuntimeSpec, Spec, resolve
from fkbench.testing.declared import CHECKS as DECLARED
from fkbench.testing.findings import Finding
from fkbench.testing.suite import Suite

if TYPE_CHECKING:
    from fkbench.datasets.store import Store

ALONE = frozenset({"declared"})


def suite_of(spec: Spec, *, store: Store | None = None, settings: Mapping[str, Any] | None = None) -> Suite:
    """The checks of a spec, not yet run.

    Args:
        spec: of any kind.
        store: the data folder for a dataset; None: an empty one, gone afterwards.
        settings: values that differ from the defaults; for a large net in place of its `reduced`.

    Raises:
        FkbenchError: an unknown setting, or no kind of plugin.
    """
    given = dict(settings or {})
    if isinstance(spec, ModelSpec):
        return _model(spec, given)
    if isinstance(spec, DatasetSpec):
        return _dataset(spec, store, given)
    if isinstance(spec, DetectorSpec):
        return _detector(spec, given)
    if isinstance(spec, MetricSpec):
        return _metric(spec, given)
    if isinstance(spec, RuntimeSpec):
        return _runtime(spec, given)
    raise FkbenchError(
        f"A {type(spec).__name__} is not a kind of plugin.", "Models, datasets, detectors … can be checked."
    )


def check_spec(spec: Spec, *, store: Store | None = None, settings: Mapping[str, Any] | None = None) -> list[Finding]:
    """Every finding about a spec of any kind, see `suite_of`."""
    return list(suite_of(spec, store=store, settings=settings))


def check_model(spec: ModelSpec, *, settings: Mapping[str, Any] | None = None) -> list[Finding]:
    """Every finding about a net or predictor."""
    return check_spec(spec, settings=settings)


def check_dataset(
    spec: DatasetSpec, store: Store | None = None, *, settings: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Every finding about a dataset; what must be imported first is looked for in `store`."""
    return check_spec(spec, store=store, settings=settings)


def check_detector(spec: DetectorSpec, *, settings: Mapping[str, Any] | None = None) -> list[Finding]:
    """Every finding about a detector."""
    return check_spec(spec, settings=settings)


def check_metric(spec: MetricSpec) -> list[Finding]:
    """Every finding about a metric."""
    return check_spec(spec)


def check_runtime(spec: RuntimeSpec) -> list[Finding]:
    """Every finding about a runtime."""
    return check_spec(spec)


def _lacking(spec: Spec) -> str:
    reason = spec.lacking()
    return f"not available here: {reason}" if reason else ""


def _model(spec: ModelSpec, given: Mapping[str, Any]) -> Suite:
    if spec.member is not None:
        return _family(spec, given)
    full = resolve_settings("model", spec.settings, given)
    if spec.kind == "predictor":
        return _predictor(spec, full)
    from fkbench.testing import net_checks, net_devices, net_learning
    from fkbench.testing.nets import NetSubject

    smaller = {name: value for name, value in spec.reduced.items() if name not in given}
    subject = NetSubject.of(spec, {**full, **smaller}, full)
    checks = (*DECLARED, *net_checks.CHECKS, *net_learning.CHECKS, *net_devices.CHECKS)
    lacking = _lacking(spec)
    alone = ALONE | {"parameters"} if spec.not_run and not lacking else ALONE
    return Suite(spec, "model", subject, checks, "builds", alone, lacking or _not_run(spec))


def _not_run(spec: ModelSpec) -> str:
    return f"not run: {spec.not_run}" if spec.not_run else ""


def _family(spec: ModelSpec, given: Mapping[str, Any]) -> Suite:
    """The checks of a family's first example, which stands for all of them."""
    if spec.examples and spec.member is not None and not spec.lacking():
        found: ModelSpec = resolve(spec.member)(spec, spec.examples[0])
        return _model(replace(found, plugin=spec.plugin), given)
    reason = _lacking(spec) or "a family of models that names no examples"
    family = replace(spec, member=None, not_run=reason)
    return replace(_model(family, given), alone=ALONE, skip=reason)


def _predictor(spec: ModelSpec, settings: Mapping[str, Any]) -> Suite:
    from fkbench.testing import predictors

    subject = predictors.PredictorSubject(spec, settings)
    return Suite(spec, "model", subject, (*DECLARED, *predictors.CHECKS), "builds", ALONE, _lacking(spec))


def _dataset(spec: DatasetSpec, store: Store | None, given: Mapping[str, Any]) -> Suite:
    from fkbench.testing import dataset_splits, datasets

    smaller = {name: value for name, value in spec.reduced.items() if name not in given}
    settings = resolve_settings("dataset", spec.settings, {**given, **smaller})
    # What is made for the check alone is not left in the user's data folder.
    subject = datasets.DatasetSubject(spec, None if smaller and not spec.requires else store, settings)
    checks = (*DECLARED, *datasets.CHECKS, *dataset_splits.CHECKS)
    return Suite(spec, "dataset", subject, checks, "loads", ALONE, _lacking(spec))


def _detector(spec: DetectorSpec, given: Mapping[str, Any]) -> Suite:
    from fkbench.detect.opening import detector_settings
    from fkbench.testing import detectors

    subject = detectors.DetectorSubject(spec, detector_settings(spec, given))
    oracle = "role oracle: its boxes come from the frame or the labels, not from a search for faces"
    asked = replace(spec, files={name: what for name, what in spec.files.items() if name not in given})
    reason = asked.unavailable()
    skip = oracle if spec.role == "oracle" else f"not available here: {reason}" if reason else ""
    return Suite(spec, "detector", subject, (*DECLARED, *detectors.CHECKS), "answers", ALONE, skip)


def _metric(spec: MetricSpec, given: Mapping[str, Any]) -> Suite:
    from fkbench.testing import metrics

    subject = metrics.MetricSubject(spec, resolve_settings("metric", spec.settings, given))
    return Suite(spec, "metric", subject, (*DECLARED, *metrics.CHECKS), "computes", ALONE, _lacking(spec))


def _runtime(spec: RuntimeSpec, given: Mapping[str, Any]) -> Suite:
    from fkbench.testing import runtimes

    subject = runtimes.RuntimeSubject(spec, resolve_settings("runtime", spec.settings, given))
    reason = spec.unavailable()
    skip = f"not available here: {reason}" if reason else ""
    return Suite(spec, "runtime", subject, (*DECLARED, *runtimes.CHECKS), "runs", ALONE, skip)
