"""A record to start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fkbench.records import RunRecord


def record_page(**changes: Any) -> dict[str, Any]:
    page: dict[str, Any] = {
        "schema": 1,
        "key": "0123456789abcdef",
        "status": "done",
        "model": {"name": "net", "parameters": 10},
        "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:01"},
        "protocol": {"name": "fair", "version": 1},
        "seed": 0,
        "box": "whole",
        "device": {"type": "cpu"},
        "metrics": {"rmse": 2.0},
    }
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            page[part] = {**page[part], key: value}
        else:
            page[part] = value
    return page


@pytest.fixture
def page() -> Callable[..., dict[str, Any]]:
    """The JSON page of a record, with `part__key=value` replaced."""
    return record_page


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    """A record, with `part__key=value` replaced."""
    return lambda **changes: RunRecord.model_validate(record_page(**changes))
