"""The hooks that a plugin can implement. Each is called once for each implementation, apart from the others.

Register: a plugin's hook gets `register`, and calls it with one spec at a time.

    import fkbench

    @fkbench.hookimpl
    def fkbench_models(register):
        register(fkbench.ModelSpec(name="mynet", build="mypackage.net:build"))

Observe: what happens in a run, as it happens. An observer that raises is reported and not called again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pluggy

from fkbench.specs import Spec

PROJECT = "fkbench"
Register = Callable[[Spec], None]

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def fkbench_datasets(register: Register) -> None:
    """Register `DatasetSpec`s."""


@hookspec
def fkbench_models(register: Register) -> None:
    """Register `ModelSpec`s."""


@hookspec
def fkbench_detectors(register: Register) -> None:
    """Register `DetectorSpec`s."""


@hookspec
def fkbench_metrics(register: Register) -> None:
    """Register `MetricSpec`s."""


@hookspec
def fkbench_runtimes(register: Register) -> None:
    """Register `RuntimeSpec`s."""


@hookspec
def fkbench_run_started(plan: Mapping[str, Any]) -> None:
    """A run begins. `plan` is the resolved plan, with `key`.

    The baselines that a net is compared with begin and end before it ends: tell runs by their keys.
    """


@hookspec
def fkbench_epoch_done(plan: Mapping[str, Any], row: Mapping[str, float]) -> None:
    """An epoch is done. `row` is its line of `history.csv`."""


@hookspec
def fkbench_run_finished(plan: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """A run has ended, well or badly. `record` is its record as JSON."""
