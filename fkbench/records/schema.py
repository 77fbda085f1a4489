"""The published JSON Schema: `python -m fkbench.records.schema > docs/record.schema.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

from fkbench.records.models import SCHEMA, RunRecord


def json_schema() -> dict[str, Any]:
    """JSON Schema of `record.json` at the current schema version."""
    schema = RunRecord.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": f"fkbench record {SCHEMA}"}


def schema_text() -> str:
    """The content of `docs/record.schema.json`."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
