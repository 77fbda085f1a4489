"""Registers every plugin module of a package: adding one is adding a file or folder, and touches nothing else."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType

from fkbench.hookspecs import Register
from fkbench.specs import Spec


def register_folder(register: Register, package: str, owner: ModuleType | str, group: str) -> None:
    """Import each module directly inside `package` and register its `SPEC` or `SPECS`.

    A module that raises is noted on `owner` under `group` for the registry to report; the others are registered.

    Args:
        register: as given to the hook.
        package: dotted name of the package to walk.
        owner: the plugin module whose hook is running, or its name.
        group: the kind that is being registered, `models` for example.
    """
    owner_module = sys.modules[owner] if isinstance(owner, str) else owner
    failures: list[tuple[str, BaseException]] = []
    for info in sorted(pkgutil.iter_modules(importlib.import_module(package).__path__), key=lambda i: i.name):
        name = f"{package}.{info.name}"
        try:
            module = importlib.import_module(name)
            specs: list[Spec] = list(getattr(module, "SPECS", ())) or [module.SPEC]
        except Exception as error:
            failures.append((name, error))
            continue
        for spec in specs:
            register(spec)
    noted = vars(owner_module).setdefault("__fkbench_failures__", {})
    noted[group] = failures
