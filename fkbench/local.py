"""Local plugin files: the decorators that mark an object, and the loader that collects what a file marked.

A decorator only sets an attribute and returns its object, so that importing a plugin file has no effect on any global
state; whoever loads the file looks for the marks.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from fkbench.errors import FkbenchError
from fkbench.schemes import Scheme
from fkbench.specs import DatasetSpec, DetectorSpec, ModelSpec, Spec

MARK = "__fkbench_spec__"
SOURCE = "__fkbench_source__"
"""Of a module from a local file: its bytes as they were executed; the file may have changed since."""
CallableT = TypeVar("CallableT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Marked:
    """An object that a decorator marked, with its spec."""

    target: Any
    spec: Spec


def model(name: str, *, input: tuple[int, int] = (1, 96), **fields: Any) -> Callable[[CallableT], CallableT]:
    """Mark `build(channels, size, outputs) -> nn.Module` as a model.

    Args:
        name: name in lists, records and tables.
        input: (channels, size) of the pictures that it sees.
        fields: further fields of `fkbench.ModelSpec`.
    """

    def mark(build: CallableT) -> CallableT:
        summary = fields.pop("summary", _summary(name, build))
        setattr(build, MARK, ModelSpec(name=name, build=build, input=input, summary=summary, **fields))
        return build

    return mark


def dataset(name: str, *, scheme: str | Scheme, **fields: Any) -> Callable[[CallableT], CallableT]:
    """Mark `load(store, settings) -> Samples` as a dataset. `fields`: further fields of `fkbench.DatasetSpec`."""

    def mark(load: CallableT) -> CallableT:
        summary = fields.pop("summary", _summary(name, load))
        setattr(load, MARK, DatasetSpec(name=name, scheme=scheme, load=load, summary=summary, **fields))
        return load

    return mark


def detector(name: str, **fields: Any) -> Callable[[CallableT], CallableT]:
    """Mark `find(**settings) -> finder` as a detector, where `finder(image) -> (M, 4)` or `(M, 5)` boxes.

    With `role="oracle"` it is `boxes(samples, settings) -> (N, 4)` that is marked. `fields`: further fields of
    `fkbench.DetectorSpec`.
    """

    def mark(source: CallableT) -> CallableT:
        summary = fields.pop("summary", _summary(name, source))
        place = "boxes" if fields.get("role") == "oracle" else "find"
        code: dict[str, Any] = {place: source}
        setattr(source, MARK, DetectorSpec(name=name, summary=summary, **code, **fields))
        return source

    return mark


def _summary(name: str, target: Any) -> str:
    """The first line of the docstring; the shortest files have none."""
    return (target.__doc__ or "").strip().partition("\n")[0] or f"{name}, of which its author says no more"


def check_there(path: Path) -> None:
    """Raises FkbenchError where no file is at a path that somebody typed."""
    if not path.expanduser().is_file():
        raise FkbenchError(f"There is no file '{path}'.", "Check the path.")


def execute_file(path: Path) -> ModuleType:
    """Run a plugin file as a module whose name is the hash of its content, so that two files never collide.

    Raises:
        FkbenchError: the file is not there or is no Python file.
    """
    import hashlib  # loads OpenSSL, which `fkbench list` without local files need not wait for

    if path.suffix != ".py":
        raise FkbenchError(f"'{path}' is not a Python file.", "A local plugin is a file that ends in .py.")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise FkbenchError(f"Plugin file '{path}' cannot be read: {error.strerror}.", "Check the path.") from error
    name = f"fkbench_local_{hashlib.sha256(source).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    setattr(module, SOURCE, source)
    sys.modules[name] = module
    try:
        # These bytes: Python's own loader would take older bytecode for a file of the same second and size.
        exec(compile(source, str(path), "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def marked_specs(module: ModuleType) -> list[Marked]:
    """What the decorators marked in a module, in order of definition, each object once."""
    found: dict[int, Marked] = {}
    for target in vars(module).values():
        spec = getattr(target, MARK, None)
        if isinstance(spec, Spec) and getattr(target, "__module__", None) == module.__name__:
            found[id(target)] = Marked(target, spec)
    return list(found.values())
