"""The model zoo: one folder per architecture, found by walking this package."""

from __future__ import annotations

from fkbench.discovery import register_folder
from fkbench.hookspecs import Register, hookimpl


@hookimpl
def fkbench_models(register: Register) -> None:
    register_folder(register, "fkbench_zoo", __name__, "models")
