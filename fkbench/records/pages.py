"""`record.json`: text to record and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from fkbench.errors import FkbenchError
from fkbench.records.files import MIB, read_bounded
from fkbench.records.models import PLAIN, SCHEMA, RunRecord
from fkbench.records.plain import plain
from fkbench.records.upgrade import UPGRADES, Upgrade, upgraded

RECORD_FILE = "record.json"
MAX_RECORD_BYTES = 8 * MIB


def encode(record: RunRecord) -> bytes:
    """The record as the file has it: UTF-8, LF, numbers rounded."""
    return (json.dumps(record.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def decode(
    data: bytes, upgrades: Mapping[int, Upgrade] = UPGRADES, source: str = "record", current: int = SCHEMA
) -> RunRecord:
    """A record from the content of a file by anyone.

    Raises:
        FkbenchError: it is no JSON, of a newer schema, or not a record; the message names `source` and the first key
            that is wrong.
    """
    try:
        page = json.loads(data.decode(), parse_constant=_refuse_constant)
        if not isinstance(page, dict):
            raise ValueError("it is no JSON object")
    except (ValueError, RecursionError) as error:
        raise FkbenchError(
            f"'{source}' is damaged: {_brief(error)}.", "Restore that file, or remove it and run it again."
        ) from error
    try:
        return RunRecord.model_validate(plain(upgraded(page, upgrades, current)), context=PLAIN)
    except FkbenchError as error:
        raise FkbenchError(f"'{source}' cannot be read. {error.message}", error.remedy) from error
    except (ValidationError, ValueError, TypeError) as error:
        raise FkbenchError(f"'{source}' is no valid record: {_brief(error)}.", "Run it again, or remove it.") from error


def read_record(path: Path) -> RunRecord:
    """The record in a `record.json`, or in a folder that has one; its `path` is that folder.

    Raises:
        FkbenchError: there is none, or it cannot be read.
    """
    file = path / RECORD_FILE if path.is_dir() else path
    record = decode(read_bounded(file, MAX_RECORD_BYTES), source=str(file))
    return record.model_copy(update={"path": str(file.parent), "reused": False})


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _brief(error: Exception) -> str:
    """The first fault, in one line."""
    if isinstance(error, ValidationError):
        first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step)[:60] for step in first["loc"][:6])
        return f"{where}: {first['msg']}" if where else str(first["msg"])
    return " ".join(str(error).split())[:200] or type(error).__name__
