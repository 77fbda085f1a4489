"""The page of a protocol: every setting of its recipe."""

from __future__ import annotations

import inspect
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

from fkbench.cli.session import Session
from fkbench.cli.show_page import Page, print_facts, print_settings
from fkbench.errors import FkbenchError
from fkbench.specs import Augmentation, CodecSpec, Geometry, ModelSpec, Protocol, Recipe

# Settings that are keys of a mapping have no field that could say what they are.
HELP = {
    "precision.cpu": "fp32 or bf16 (autocast), on a CPU",
    "precision.cuda": "fp32 or bf16 (autocast), on a CUDA device",
}


def protocol_page(session: Session, protocol: Protocol, model: str, settings_only: bool = False) -> Page:
    """A protocol with every setting; one whose recipes are the models' own shows that of `model`."""
    owners = [spec.name for spec in session.registry.all(ModelSpec) if protocol.name in spec.recipes]
    recipe = _recipe(session, protocol, model, owners)
    rows = protocol_rows(recipe or Recipe())
    if recipe is None:
        rows = [{**row, "default": None} for row in rows]
    data: dict[str, Any] = {
        "name": protocol.name, "kind": "protocol", "version": protocol.version, "summary": protocol.summary,
        "frozen": protocol.frozen, "ranked": protocol.ranked, "model": model or None, "settings": rows,
    }  # fmt: skip
    if protocol.recipe is None:
        data["models"] = owners

    def write() -> None:
        facts = {"frozen": "yes" if protocol.frozen else "no", "ranked": "yes" if protocol.ranked else "no"}
        if protocol.recipe is None:
            facts["models that have it"] = ", ".join(owners) or "none"
            facts["defaults"] = f"those of {model}" if model else "the model's own: --model NAME shows them"
        if not settings_only:
            print_facts(f"protocol {protocol.name} v{protocol.version}", protocol.summary, facts)
        print_settings([{**row, "default": _shown(row["default"])} for row in rows], "protocol")

    return Page(data, write)


def _shown(value: Any) -> str:
    return "model's own" if value is None else str(value)


def _recipe(session: Session, protocol: Protocol, model: str, owners: list[str]) -> Recipe | None:
    if protocol.recipe is not None or not model:
        return protocol.recipe
    recipes = session.registry.get(ModelSpec, model).recipes
    if protocol.name not in recipes:
        raise FkbenchError(f"The model '{model}' has no recipe '{protocol.name}'.", f"These have: {', '.join(owners)}.")
    return recipes[protocol.name]


def protocol_rows(recipe: Recipe) -> list[dict[str, Any]]:
    """Every setting of a recipe by dotted name: default, help, choices."""
    from fkbench.runner.overrides import recipe_settings

    hints = {name: _hint(name) for name in recipe_settings(recipe)}
    texts = {
        **documented(Recipe),
        **documented(Augmentation, "augmentation."),
        **documented(CodecSpec, "codec."),
        **documented(Geometry, "geometry."),
        **HELP,
    }
    return [
        {"name": name, "default": value, "help": texts.get(name, ""), "choices": list(_choices(name, hints[name]))}
        for name, value in recipe_settings(recipe).items()
    ]


def _hint(name: str) -> Any:
    outer, _, inner = name.partition(".")
    hint = get_type_hints(Recipe)[outer]
    return get_type_hints(hint).get(inner) if inner and inspect.isclass(hint) else hint


def _choices(name: str, hint: Any) -> tuple[Any, ...]:
    if name.startswith("precision."):
        return ("fp32", "bf16")
    return get_args(hint) if get_origin(hint) is Literal else ()


def documented(owner: type, prefix: str = "") -> dict[str, str]:
    """The `Attributes:` of a docstring, by (prefixed) name, without their backticks."""
    section = inspect.cleandoc(owner.__doc__ or "").partition("Attributes:")[2]
    found: dict[str, str] = {}
    for entry in re.split(r"\n {4}(?=\w)", section):
        name, colon, words = entry.partition(":")
        if colon:
            found[f"{prefix}{name.strip()}"] = " ".join(words.replace("`", "").split()).rstrip(".")
    return found
