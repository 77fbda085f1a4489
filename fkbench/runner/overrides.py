"""`--set protocol.…`: changes to a recipe by dotted names, checked against its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.specs import Recipe

POSITIVE = {"lr", "batch", "plateau_factor"}
BELOW_ONE = {"plateau_factor", "pool_split"}
SHARES = {"warmup", "pool_split", "plateau_factor", "flip", "blur", "sharpness_p", "contrast", "brightness", "shift"}


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """Every field that `--set` can change, by dotted name, with its present value."""
    found: dict[str, Any] = {}
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        if is_dataclass(value):
            found |= {f"{field.name}.{inner.name}": getattr(value, inner.name) for inner in fields(value)}
        elif isinstance(value, Mapping):
            found |= {f"{field.name}.{key}": item for key, item in value.items()}
        else:
            found[field.name] = value
    return found


def apply_overrides(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields changed.

    Args:
        changes: dotted field name → value, texts where they come from the command line.

    Raises:
        UnknownNameError: no such field.
        FkbenchError: a value of the wrong type, out of range, or not one of the choices.
    """
    known = recipe_settings(recipe)
    _check_together(changes)
    for name, value in changes.items():
        if name not in known:
            raise UnknownNameError("protocol setting", name, known, "`fkbench show PROTOCOL --settings` lists them.")
        if isinstance(known[name], tuple):
            raise FkbenchError(
                f"protocol.{name} is a list of parts, which --set cannot change.", "A recipe of your own can state it."
            )
        outer, _, inner = name.partition(".")
        if not inner:
            recipe = replace(recipe, **{outer: _parse(name, value, _hint(Recipe, outer))})
            continue
        part = getattr(recipe, outer)
        if isinstance(part, Mapping):
            changed: Any = {**part, inner: _precision(name, value)}
        else:
            changed = replace(part, **{inner: _parse(name, value, _hint(type(part), inner))})
        recipe = replace(recipe, **{outer: changed})
    if "epochs" in changes and "images_seen" not in changes:
        recipe = replace(recipe, images_seen=0)
    if not recipe.images_seen and not recipe.epochs:
        raise FkbenchError(
            "The budget is zero: neither epochs nor images_seen is set.", "Set protocol.epochs, for example 10."
        )
    return recipe


def _check_together(changes: Mapping[str, Any]) -> None:
    """A budget is stated once: one of two would be ignored without a word."""
    if changes.get("epochs") and str(changes.get("images_seen", "0")) != "0":
        raise FkbenchError(
            "The budget is stated twice: in epochs and in images seen.", "Leave --epochs or protocol.images_seen out."
        )


def _hint(owner: type, name: str) -> Any:
    return get_type_hints(owner)[name]


def _precision(name: str, value: Any) -> str:
    if value not in ("fp32", "bf16"):
        raise FkbenchError(f"--set protocol.{name}: '{value}' is not a precision.", "Use fp32 or bf16.")
    return str(value)


def _parse(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise UnknownNameError(f"value of {name}", str(value), map(str, get_args(hint)))
        return value
    try:
        parsed = _number(value, hint)
    except (ValueError, TypeError, OverflowError):
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}[hint]
        raise FkbenchError(f"--set protocol.{name}: '{value}' is not {wanted}.", "Give a value of that kind.") from None
    if isinstance(parsed, int | float) and not isinstance(parsed, bool):
        _check_range(name, parsed)
    return parsed


def _number(value: Any, hint: type) -> Any:
    if hint is bool:
        text = str(value).lower()
        if text not in {"true", "false", "1", "0", "yes", "no"}:
            raise ValueError
        return text in {"true", "1", "yes"}
    return int(str(value)) if hint is int else float(value)


def _check_range(name: str, value: float) -> None:
    last = name.rpartition(".")[2]
    if not abs(value) < float("inf"):
        raise FkbenchError(f"--set protocol.{name}: {value} is not a finite number.", "Give a finite number.")
    if last in POSITIVE and value <= 0:
        raise FkbenchError(f"{last} is {value}, but must be above 0.", f"For example --set protocol.{name}=32.")
    if last in SHARES and value > 1:
        raise FkbenchError(f"{last} is {value}, but is a share and at most 1.", "Give a number from 0 to 1.")
    if last in BELOW_ONE and value >= 1:
        raise FkbenchError(f"{last} is {value}, but must be below 1.", f"For example --set protocol.{name}=0.1.")
    if name == "codec.scale" and value == 0:
        raise FkbenchError("codec.scale is 0, and targets are divided by it.", "Give another number.")
    free = name.startswith("codec.")
    if not free and value < 0:
        raise FkbenchError(f"{last} is {value}, but must not be negative.", "Give 0 or more.")
