"""Values as JSON knows them: numpy's numbers unpacked, no NaN, six significant digits where a number was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

SIGNIFICANT_DIGITS = 6
MAX_DEPTH = 32


def plain(value: Any, depth: int = 0) -> Any:
    """The value in JSON's own types: numpy scalars and arrays, tuples, paths, mappings and dataclasses unpacked.

    Numbers that are not finite become None, as JSON has none. Pydantic models are left as they are.

    Raises:
        ValueError: nested deeper than 32 levels, a whole number beyond 64 bits, or text that is no Unicode.
        TypeError: a key is no string or number, or a value has no JSON form.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    kind = type(value)
    # What JSON's reader gives, by exact type: thousands of records are read for a leaderboard.
    if kind is str and value.isascii():
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int:
        return _bounded(value)
    if value is None or kind is bool:
        return value
    if kind is dict:
        return {
            key if type(key) is str and key.isascii() else _key(key): item
            # Half of all values are short texts: calling this function for each would take most of the time.
            if type(item) is str and item.isascii() and depth < MAX_DEPTH
            else plain(item, depth + 1)
            for key, item in value.items()
        }
    if kind is list:
        return [plain(item, depth + 1) for item in value]
    return _plain_other(value, depth)


def _plain_other(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _writable(value)
    if value is None or isinstance(value, bool | BaseModel):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), depth + 1)
    if isinstance(value, int):
        return _bounded(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return value.as_posix()
    return _plain_container(value, depth)


def _writable(text: str) -> str:
    # JSON can spell half of a surrogate pair, which no file in UTF-8 can hold.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text is no valid Unicode") from error
    return str(text)


def _bounded(value: int) -> int:
    # Greater ones have no float, and other readers of JSON lose their digits.
    if abs(value) >= 2**63:
        raise ValueError("a whole number is out of range (64 bits)")
    return value


def _plain_container(value: Any, depth: int) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def _key(key: Any) -> str:
    if isinstance(key, str | int | np.integer) and not isinstance(key, bool):
        return _writable(str(key))
    raise TypeError(f"a key of type {type(key).__name__} has no JSON form")


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, floats by `repr`. 1 and 1.0 are two values."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def rounded(value: Any) -> Any:
    """JSON value with every float at six significant digits. Doing it twice changes nothing."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value
