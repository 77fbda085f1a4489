"""Finds plugins and keeps what they register. A plugin that fails is reported and stops nothing.

Three doors: installed packages (entry points of group `fkbench`), the built-in plugins through that same door, and
local files (`--plugin FILE`, or a file in place of a name): Python, or a TOML file that describes a dataset. pluggy by
itself aborts a whole hook call when one implementation raises, so every implementation is called on its own here, into
a stage that is kept only on success.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from fkbench import hookspecs
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.hook_faults import hook_faults
from fkbench.local import Marked, execute_file, marked_specs
from fkbench.specs import (
    DatasetSpec,
    DetectorSpec,
    MetricSpec,
    ModelSpec,
    Plugin,
    RuntimeSpec,
    Spec,
    from_plugin,
    resolve,
)

KINDS: dict[str, type[Spec]] = {
    "datasets": DatasetSpec,
    "models": ModelSpec,
    "detectors": DetectorSpec,
    "metrics": MetricSpec,
    "runtimes": RuntimeSpec,
}
SpecT = TypeVar("SpecT", bound=Spec)


@dataclass(frozen=True)
class Failure:
    """A plugin, or a part of one, that could not be used.

    Attributes:
        plugin: distribution and version, or file name.
        part: what of it: the import, a hook, a module.
        reason: why, in one line.
        trace: the traceback.
        origin: its file, or its entry point.
    """

    plugin: str
    part: str
    reason: str
    trace: str = ""
    origin: str = ""


@dataclass
class Registry:
    """All specs by kind and name, the plugins they came from, and what failed.

    Attributes:
        specs: kind (`datasets`, `models`, …) → name → spec.
        plugins: what was loaded, in order.
        failures: what was not, with reasons.
        hooks: the pluggy manager, for observers.
        files: local files that were loaded, with what each marked.
    """

    specs: dict[str, dict[str, Spec]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    plugins: list[Plugin] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    hooks: pluggy.PluginManager = field(default_factory=lambda: _manager())
    files: dict[Path, list[Spec]] = field(default_factory=dict)

    def get(self, kind: type[SpecT], name: str) -> SpecT:
        """The spec of this kind and name, or the member of a family of models (`family:rest`).

        Raises:
            UnknownNameError: none is registered; the message names the nearest ones.
        """
        group = _group_of(kind)
        found = self.specs[group].get(name) or self._member(group, name)
        if isinstance(found, kind):
            return found
        hint = "`fkbench plugins` shows what failed to load." if self.failures else ""
        known = [*self.specs[group], *(self._examples() if group == "models" and ":" in name else ())]
        raise UnknownNameError(group.removesuffix("s"), name, known, hint, none="None is registered.")

    def _member(self, group: str, name: str) -> Spec | None:
        head, colon, rest = name.partition(":")
        family = self.specs[group].get(head)
        if not colon or not isinstance(family, ModelSpec) or family.member is None:
            return None
        lacking = family.lacking()
        if lacking:
            raise FkbenchError(f"The model '{name}' cannot be used here: {lacking}.", "Install it with pip.")
        found: Spec = resolve(family.member)(family, rest)
        return from_plugin(found, family.plugin)

    def _examples(self) -> list[str]:
        return [f"{spec.name}:{rest}" for spec in self.all(ModelSpec) for rest in spec.examples]

    def buildable(self) -> list[ModelSpec]:
        """All models, with a family's examples in its place; a family that lacks packages stands for itself."""
        found: list[ModelSpec] = []
        for spec in self.all(ModelSpec):
            whole = spec.member is None or spec.lacking()
            found += [spec] if whole else [self.get(ModelSpec, f"{spec.name}:{rest}") for rest in spec.examples]
        return found

    def all(self, kind: type[SpecT]) -> list[SpecT]:
        """All specs of a kind, by name."""
        found = self.specs[_group_of(kind)]
        return [spec for name in sorted(found) if isinstance(spec := found[name], kind)]

    def fail(self, plugin: str | Plugin, part: str, error: BaseException) -> None:
        """Keep what went wrong with a plugin, or a part of it."""
        import traceback  # with errors alone; a list without any need not wait for it

        words = " ".join(str(error).split())
        reason = words if isinstance(error, FkbenchError) else f"{type(error).__name__}: {words}".removesuffix(": ")
        trace = "".join(traceback.format_exception(error))
        origin = plugin.path if isinstance(plugin, Plugin) else ""
        self.failures.append(Failure(str(plugin), part, reason, trace, origin))

    def add(self, staged: Iterable[Spec], plugin: Plugin) -> None:
        """Commit specs of one implementation, all or none.

        Raises:
            FkbenchError: a name is taken; the message names both plugins.
        """
        specs = [from_plugin(spec, plugin) for spec in staged]
        seen: set[tuple[str, str]] = set()
        for spec in specs:
            group = _group_of(type(spec))
            taken = self.specs[group].get(spec.name)
            if taken is not None or (group, spec.name) in seen:
                owner = taken.plugin if taken is not None else plugin
                raise FkbenchError(
                    f"Two plugins register the {group.removesuffix('s')} '{spec.name}': {owner} and {plugin}.",
                    "Rename one of them, or uninstall one.",
                )
            seen.add((group, spec.name))
        for spec in specs:
            self.specs[_group_of(type(spec))][spec.name] = spec


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def _group_of(kind: type[Spec]) -> str:
    for group, spec_type in KINDS.items():
        if issubclass(kind, spec_type):
            return group
    raise FkbenchError(f"{kind.__name__} is not a kind of plugin.", f"Register one of: {', '.join(KINDS)}.")


def load_registry(files: Sequence[Path] = (), *, entry_points: bool = True, strict: bool = False) -> Registry:
    """Load every installed plugin and the given local files.

    Args:
        files: local plugin files (`--plugin FILE`).
        entry_points: load installed plugins (tests switch it off).
        strict: raise on the first failure (`--strict-plugins`) instead of keeping it as data.

    Raises:
        FkbenchError: with `strict`, when anything failed to load.
    """
    registry = Registry()
    if entry_points:
        for point in sorted(importlib.metadata.entry_points(group=hookspecs.PROJECT), key=_order):
            _load_entry_point(registry, point)
    for path in files:
        if not path.is_file():
            raise FkbenchError(f"There is no plugin file '{path}'.", "Check the path given to --plugin.")
        load_file(registry, path)
    if strict and registry.failures:
        first = registry.failures[0]
        raise FkbenchError(f"Plugin {first.plugin} failed ({first.part}): {first.reason}", "See `fkbench plugins`.")
    return registry


def _order(point: importlib.metadata.EntryPoint) -> tuple[bool, str]:
    """The built-in plugins first, then by name: a stranger's plugin of a name that is taken fails, and no built-in."""
    return getattr(point.dist, "name", None) != hookspecs.PROJECT, point.name


def _load_entry_point(registry: Registry, point: importlib.metadata.EntryPoint) -> None:
    dist = point.dist
    plugin = Plugin(getattr(dist, "name", None) or point.name, getattr(dist, "version", None) or "", point.value)
    try:
        with redirect_stdout(sys.stderr):  # stdout is the command's answer, which may be JSON
            module = point.load()
    except (Exception, SystemExit) as error:
        registry.fail(plugin, "import", error)
        return
    load_module(registry, module, plugin)


def load_module(registry: Registry, module: ModuleType | Any, plugin: Plugin) -> None:
    """Register one plugin module (or object) with its hooks, each implementation in a transaction of its own."""
    faults = list(hook_faults(module))
    for part, fault in faults:
        registry.fail(plugin, part, fault)
    if faults:
        return
    try:
        registry.hooks.register(module)
        registry.hooks.check_pending()
    except Exception as error:
        if registry.hooks.is_registered(module):
            registry.hooks.unregister(plugin=module)
        registry.fail(plugin, "hooks", error)
        return
    registry.plugins.append(plugin)
    for group in KINDS:
        _call_register(registry, group, module, plugin)


def _call_register(registry: Registry, group: str, module: Any, plugin: Plugin) -> None:
    caller = getattr(registry.hooks.hook, f"fkbench_{group}")
    for implementation in caller.get_hookimpls():
        if implementation.plugin is not module:
            continue
        staged: list[Spec] = []
        try:
            accepts_register = "register" in implementation.argnames
            arguments = (partial(_stage, staged, group),) if accepts_register else ()
            with redirect_stdout(sys.stderr):
                implementation.function(*arguments)
            registry.add(staged, plugin)
        except (Exception, SystemExit) as error:
            registry.fail(plugin, f"fkbench_{group}", error)
    for part, cause in getattr(module, "__fkbench_failures__", {}).pop(group, []):
        registry.fail(plugin, part, cause)


def _stage(staged: list[Spec], group: str, spec: Spec) -> None:
    if not isinstance(spec, KINDS[group]):
        raise FkbenchError(
            f"fkbench_{group} registers {KINDS[group].__name__}s, but got {type(spec).__name__}.",
            "Register it in the hook of its own kind.",
        )
    staged.append(spec)


def load_file(registry: Registry, path: Path) -> list[Spec]:
    """Load a local plugin file: what its decorators marked, and its hooks; of a `.toml` file the dataset that it
    describes. Returns the marked specs.

    Failures are kept in the registry and give an empty list. A file that was loaded before is not loaded again.
    """
    where = path.resolve()
    if where not in registry.files:
        registry.files[where] = _load_new_file(registry, path)
    return registry.files[where]


def _load_new_file(registry: Registry, path: Path) -> list[Spec]:
    plugin = Plugin(path.name, path=str(path))
    if path.suffix == ".toml":
        return _load_description(registry, path, plugin)
    try:
        with redirect_stdout(sys.stderr):
            module = execute_file(path)
        found: list[Marked] = marked_specs(module)
        registry.add([mark.spec for mark in found], plugin)
    except (Exception, SystemExit) as error:  # a script that ends itself is no plugin, and no reason to end
        registry.fail(plugin, "file", error)
        return []
    load_module(registry, module, plugin)
    return [from_plugin(mark.spec, plugin) for mark in found]


def _load_description(registry: Registry, path: Path, plugin: Plugin) -> list[Spec]:
    from fkbench.owndata import read_dataset

    try:
        spec = read_dataset(path, registry.all(DetectorSpec))
        registry.add([spec], plugin)
    except Exception as error:
        registry.fail(plugin, "file", error)
        return []
    registry.plugins.append(plugin)
    return [from_plugin(spec, plugin)]
