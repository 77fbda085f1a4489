"""What shall be checked: from a file, a name or an object to specs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.local import MARK, check_there
from fkbench.registry import KINDS, Registry, load_file, load_registry
from fkbench.specs import Spec

FILES = (".py", ".toml")
NOT_FOUND = ModuleNotFoundError.__name__


def specs_of(target: Any, folder: Path, kind: str = "") -> list[Spec]:
    """What a target of `conformance` means.

    Raises:
        FkbenchError: a file that cannot be loaded, or a name that nothing or more than one thing has.
    """
    marked = getattr(target, MARK, None)
    if isinstance(marked, Spec):
        return [marked]
    if isinstance(target, Spec):
        return [target]
    if isinstance(target, Path) or str(target).endswith(FILES):
        return specs_of_file(load_registry(), folder / target)
    if not isinstance(target, str):
        raise FkbenchError(f"{target!r} is no plugin.", "Give a file, a name, a spec or a marked function.")
    return specs_of_name(load_registry(), target, kind)


def specs_of_file(registry: Registry, path: Path) -> list[Spec]:
    """Every spec of a plugin file: marked by a decorator, registered by a hook, or described in TOML.

    Raises:
        FkbenchError: the file is not there, cannot be loaded, or holds none.
    """
    check_there(path)
    before = len(registry.failures)
    marked = load_file(registry, path)
    if len(registry.failures) > before:
        reason = registry.failures[-1].reason
        remedy = "Install that package, or mend the file." if NOT_FOUND in reason else "Mend the file."
        raise FkbenchError(f"'{path.name}' cannot be loaded: {reason}", remedy)
    hooked = [spec for kind in KINDS.values() for spec in registry.all(kind) if spec.plugin.path == str(path)]
    found = marked + [spec for spec in hooked if spec not in marked]
    if not found:
        raise FkbenchError(
            f"'{path.name}' marks no plugin.", "Mark a function with @fkbench.model(…), dataset(…) or detector(…)."
        )
    return found


def specs_of_name(registry: Registry, name: str, kind: str = "") -> list[Spec]:
    """The registered spec of a name, or a member of a family of models.

    Args:
        kind: where several kinds have this name.

    Raises:
        UnknownNameError: nothing has it; near names are offered.
        FkbenchError: several kinds have it, and `kind` does not say which.
    """
    groups = [f"{kind.removesuffix('s')}s"] if kind else list(KINDS)
    if set(groups) - set(KINDS):
        raise UnknownNameError("kind", kind, [group.removesuffix("s") for group in KINDS])
    hits = [group for group in groups if name in registry.specs[group]]
    if not hits and ":" in name and "models" in groups:
        hits = ["models"]
    if not hits:
        known = [known for group in groups for known in registry.specs[group]]
        raise UnknownNameError(kind or "plugin", name, known, "`fkbench plugins` shows what is loaded.")
    if len(hits) > 1:
        kinds = " and a ".join(group.removesuffix("s") for group in hits)
        raise FkbenchError(f"'{name}' is a {kinds}.", "Say which: kind is one of these.")
    return [registry.get(KINDS[hits[0]], name)]
