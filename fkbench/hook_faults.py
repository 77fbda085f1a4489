"""What is wrong with a plugin's hooks, in words for its author; pluggy finds the same, or nothing, in its own words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from fkbench import hookspecs
from fkbench.errors import FkbenchError, UnknownNameError

PREFIX = f"{hookspecs.PROJECT}_"
HOOKS: dict[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(hook).parameters)
    for name, hook in vars(hookspecs).items()
    if name.startswith(PREFIX) and inspect.isfunction(hook)
}
"""Hook → its arguments."""


def hook_faults(module: ModuleType | Any) -> Iterator[tuple[str, FkbenchError]]:
    """(part, fault) of every function of a plugin that means to be a hook and cannot be one.

    A misspelt name, an argument that the hook does not have, or no `@fkbench.hookimpl`: such a function would never be
    called, without a word.
    """
    for name, value in vars(module).items():
        if not inspect.isroutine(value):
            continue
        options = getattr(value, f"{PREFIX}impl", None)
        if isinstance(options, dict):
            yield from _faults(options.get("specname") or name, value)
        elif name.startswith(PREFIX) and getattr(value, "__module__", "") == getattr(module, "__name__", None):
            yield "hooks", FkbenchError(f"{name} is not marked as a hook.", "Put @fkbench.hookimpl above it.")


def _faults(hook: str, function: Callable[..., Any]) -> Iterator[tuple[str, FkbenchError]]:
    if hook not in HOOKS:
        yield "unknown hook", UnknownNameError("hook", hook, HOOKS)
        return
    odd = [name for name in inspect.signature(function).parameters if name not in HOOKS[hook]]
    if odd:
        known = ", ".join(HOOKS[hook])
        yield (
            "hooks",
            FkbenchError(
                f"{hook} has an argument '{odd[0]}' that the hook does not give.", f"It gives, by name: {known}."
            ),
        )
