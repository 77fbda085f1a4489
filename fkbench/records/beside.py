"""Files that belong to a record: in the folder of a run, or beside a published record.

A run's record is `record.json` in a folder of its own, and its path is that folder. A published one is
`results/<board>/<model>-<key>.json`, its path is that file, and what belongs to it has its name with another ending:
`<model>-<key>.errors.safetensors`.
"""

from __future__ import annotations

import re
from pathlib import Path

from fkbench.records.models import RunRecord

RESULTS = "results"
VERIFIED = "verified"
VERIFICATION_FILE = "verification.json"
PUBLISHED_NAME = re.compile(r".+-[0-9a-f]{8,64}(-[0-9a-f]{6})?\.json")


def is_published(record: RunRecord) -> bool:
    """Whether this record was read from a published results folder."""
    return record.path.endswith(".json")


def beside(record: RunRecord, name: str) -> Path:
    """Where the file `name` (`errors.safetensors`) of a record lies, whether it is there or not."""
    path = Path(record.path)
    return path.with_name(f"{path.name.removesuffix('.json')}.{name}") if is_published(record) else path / name


def verification_file(record: RunRecord) -> Path | None:
    """Where the result of `fkbench verify` is kept; None for a published record that lies in no `results` folder.

    Published results have it in a tree of its own, `verified/<board>/<model>-<key>.json`: who contributes results
    writes to `results` alone, and who has checked them to the other.
    """
    path = Path(record.path)
    if not is_published(record):
        return path / VERIFICATION_FILE
    if path.parent.parent.name != RESULTS:
        return None
    return path.parent.parent.parent / VERIFIED / path.parent.name / path.name
