"""What every kind of plugin declares: a name, settings, needs, an origin; and references to heavy code.

Standard library only, see `fkbench.specs`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fkbench.errors import FkbenchError

Ref = str | Callable[..., Any]
"""A callable, or where to find one: `"package.module:attribute"`."""


def resolve(ref: Ref) -> Callable[..., Any]:
    """The callable behind a reference.

    Raises:
        FkbenchError: the module or attribute is not there.
    """
    if not isinstance(ref, str):
        return ref
    module_name, _, attribute = ref.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise FkbenchError(
            f"Plugin code '{ref}' cannot be loaded: {error}.", "Install what the plugin needs, see `fkbench plugins`."
        ) from error
    return found


@dataclass(frozen=True)
class Setting:
    """A value that `--set` can change.

    Attributes:
        default: where nothing is set; its type is the setting's type.
        help: what it is, one line.
        choices: the only values that may be given; empty: any.
        limits: of a number: the least and the greatest that may be given.
        fresh: of a model: it decides where fresh weights come from and nothing else. A net whose weights are loaded
            from a run is built with the default.
    """

    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    limits: tuple[float, float] | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Plugin:
    """Where a spec came from.

    Attributes:
        name: of the distribution or the local file.
        version: of the distribution.
        path: of the local file, or the entry point.
    """

    name: str
    version: str = ""
    path: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What all kinds of spec share.

    Attributes:
        name: as typed on the command line; unique within its kind.
        summary: one line for `fkbench list`.
        settings: what `--set` can change, by name.
        needs: importable packages without which it is listed as not available.
        install: what `pip install` is given to have them all, where that is not their names.
        probe: `probe() -> reason or None`: what else it lacks here; quick, without importing what it needs.
        reduced: settings under which the conformance kit runs what is too large for it: a net, whose parameters are
            counted at full size all the same, or a dataset that is made when it is used.
        plugin: filled in by the registry.
    """

    name: str
    summary: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    install: str = ""
    probe: Ref | None = None
    reduced: Mapping[str, Any] = field(default_factory=dict)
    plugin: Plugin = Plugin("unregistered")

    def lacking(self) -> str | None:
        """Which packages are not here, or None. Cheap: looks for them without importing them."""
        lacking = [package for package in self.needs if importlib.util.find_spec(package) is None]
        if not lacking:
            return None
        how = f": pip install '{self.install}'" if self.install else ""
        return f"needs the package {', '.join(lacking)}{how}"

    def unavailable(self) -> str | None:
        """Why this cannot be used here, or None."""
        return self.lacking() or (resolve(self.probe)() if self.probe is not None else None)


def from_plugin(spec: Spec, plugin: Plugin) -> Spec:
    """The same spec with its origin filled in."""
    return replace(spec, plugin=plugin)
