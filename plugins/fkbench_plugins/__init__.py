"""The built-in datasets, box sources and runtimes, registered through the same door as anybody's."""

from __future__ import annotations

from fkbench.discovery import register_folder
from fkbench.hookspecs import Register, hookimpl


@hookimpl
def fkbench_datasets(register: Register) -> None:
    register_folder(register, "fkbench_plugins.datasets", __name__, "datasets")


@hookimpl
def fkbench_detectors(register: Register) -> None:
    register_folder(register, "fkbench_plugins.detectors", __name__, "detectors")


@hookimpl
def fkbench_runtimes(register: Register) -> None:
    register_folder(register, "fkbench_plugins.runtimes", __name__, "runtimes")
