"""What a record states, read back: its model and its recipe. Records may come from others, so values are checked.

No torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.records import RunRecord
from fkbench.records.plain import plain
from fkbench.registry import Registry
from fkbench.specs import ModelSpec, Recipe

REMEDY = "Update fkbench; if it is the newest, the record is damaged."


def recorded_model(record: RunRecord, registry: Registry) -> ModelSpec:
    """The model that a record names.

    Raises:
        FkbenchError: it is not registered here; the remedy says where it came from.
    """
    try:
        return registry.get(ModelSpec, record.model.name)
    except UnknownNameError as error:
        raise FkbenchError(
            f"The run's model '{record.model.name}' is not registered here.",
            f"It came from {record.model.plugin or 'a local file'}: give that file with --plugin FILE, or install it.",
        ) from error


def recorded_recipe(page: Mapping[str, Any]) -> Recipe:
    """The recipe that a record states. What was added to recipes since has its default, but not the codec.

    Raises:
        FkbenchError: an unknown setting, a value of a wrong type, or no codec, without which a head's numbers mean
            nothing.
    """
    if "codec" not in page:
        raise FkbenchError("The record's recipe has no codec.", REMEDY)
    try:
        recipe = _reader().validate_python(dict(page))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FkbenchError(f"The record's recipe cannot be used: {where}: {first['msg']}.", REMEDY) from None
    unknown = _unknown(dict(page), plain(recipe))
    if unknown:
        raise FkbenchError(f"The record's recipe has the unknown setting '{unknown[0][:80]}'.", REMEDY)
    return recipe


def _unknown(stated: Any, read: Any, place: str = "") -> list[str]:
    """Names that stand in what is stated and not in what was read: pydantic passes over them without a word."""
    if isinstance(stated, Mapping):
        strange = [f"{place}{name}" for name in stated if name not in read]
        parts = [(stated[name], read[name], f"{place}{name}.") for name in stated if name in read]
    elif isinstance(stated, list | tuple):
        strange, parts = [], [(one, two, f"{place}{i}.") for i, (one, two) in enumerate(zip(stated, read, strict=True))]
    else:
        return []
    return strange + [name for part in parts for name in _unknown(*part)]


@cache
def _reader() -> TypeAdapter[Recipe]:
    return TypeAdapter(Recipe)
