"""Reference of what authors write against: hooks, specs and settings, the Python interface, records."""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType
from typing import Any

import fkbench
from fkbench import hookspecs, specs
from fkbench.records import models as records
from fkbench_docs.docstrings import class_block, described, function_block, text_of
from fkbench_docs.markup import NOTE, code, page, prose, table


def hooks() -> dict[str, Any]:
    """Every hook by name, in the order of the module."""
    marked = f"{hookspecs.PROJECT}_spec"
    return {name: value for name, value in vars(hookspecs).items() if hasattr(value, marked)}


def hooks_page() -> str:
    """Every hook with what it gets."""
    return page(
        "# Hooks", NOTE, text_of(hookspecs), *(page(f"## {n}", function_block(h, n)) for n, h in hooks().items())
    )


def spec_classes() -> list[type]:
    """The public dataclasses of plugins: specs, recipes and what they are made of."""
    return [owner for owner in map(specs.__dict__.get, specs.__all__) if inspect.isclass(owner)]


def specs_page() -> str:
    """Every spec and recipe, field by field."""
    return page(
        "# Specs and settings",
        NOTE,
        text_of(specs),
        'A `Ref` is a callable, or where to find one: `"package.module:attribute"`. Fields of `Spec` are part of every '
        "spec.",
        *(page(f"## {owner.__name__}", class_block(owner)) for owner in spec_classes()),
    )


def python_page() -> str:
    """Every public name of `fkbench`, and of `fkbench.testing`."""
    public = {name: getattr(fkbench, name) for name in fkbench.__all__}
    functions = {name: value for name, value in public.items() if inspect.isfunction(value)}
    others = [
        f"`fkbench.{name}`" for name, value in public.items() if name not in functions and not name.startswith("_")
    ]
    return page(
        "# Python interface",
        NOTE,
        *(page(f"## fkbench.{name}", function_block(value, f"fkbench.{name}")) for name, value in functions.items()),
        "## Classes",
        f"{', '.join(others)}: see [specs and settings](specs.md). `fkbench.hookimpl` marks the implementation of a "
        "[hook](hooks.md).",
        _loaded_run(),
        _arrays(),
        _testing(),
    )


def _loaded_run() -> str:
    from fkbench.runner.loading import LoadedRun

    methods = {name: value for name, value in vars(LoadedRun).items() if inspect.isfunction(value) and name[0] != "_"}
    return page(
        "## What `fkbench.load` gives",
        text_of(LoadedRun),
        *(page(f"### {name}", function_block(value, name)) for name, value in methods.items()),
    )


def _arrays() -> str:
    """The arrays that plugins give and get."""
    from fkbench.datasets.samples import Frames, Samples, Split
    from fkbench.score import ImageErrors

    return page(
        "## Samples of a dataset",
        class_block(Samples),
        *(page(f"### {owner.__name__}", class_block(owner)) for owner in (Frames, Split)),
        "## Errors per image",
        class_block(ImageErrors),
    )


def _testing() -> str:
    """The conformance kit for authors' own tests."""
    if importlib.util.find_spec("fkbench.testing") is None:
        return ""
    kit = importlib.import_module("fkbench.testing")
    functions = {name: value for name, value in _public(kit).items() if inspect.isfunction(value)}
    return page(
        "## fkbench.testing",
        text_of(kit),
        *(page(f"### {name}", function_block(value, f"fkbench.testing.{name}")) for name, value in functions.items()),
    )


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in getattr(module, "__all__", ()) if not name.startswith("_")}


def record_page() -> str:
    """The record, part by part."""
    kinds = [owner for owner in vars(records).values() if inspect.isclass(owner) and issubclass(owner, records.Part)]
    chosen = [owner for owner in kinds if owner not in (records.Part, records.OpenPart) and owner.__doc__]
    chosen.sort(key=lambda owner: owner is not records.RunRecord)
    return page(
        "# Fields of a record",
        NOTE,
        "The [JSON Schema](../record.schema.json) of `record.json` is made from the same classes.",
        *(page(f"## {owner.__name__}", text_of(owner), _record_fields(owner)) for owner in chosen),
    )


def _record_fields(owner: type[records.Part]) -> str:
    texts = described(owner)
    rows = []
    for name, field in owner.model_fields.items():
        hint = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", str(inspect.get_annotations(owner).get(name, "")))
        rows.append((code(field.alias or name), code(hint), prose(texts.get(name, ""))))
    return table(("field", "type", "meaning"), rows)
