"""The command that makes a row again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from fkbench.records import RunRecord


def run_command(records: Sequence[RunRecord], defaults: Mapping[str, Any]) -> str:
    """`fkbench run …` with all that decides numbers, quoted for a shell.

    Args:
        records: of one row, one per seed.
        defaults: settings of the dataset that need not be said.
    """
    first = records[0]
    words = [
        "fkbench", "run", "--model", first.model.name, "--dataset", first.dataset.name, "--split", first.dataset.split,
        "--box", first.box, "--protocol", first.protocol.name, "--seeds", ",".join(str(r.seed) for r in records),
    ]  # fmt: skip
    settings = {
        f"dataset.{name}": value for name, value in first.dataset.settings.items() if defaults.get(name) != value
    }
    changed = {name if "." in name else f"protocol.{name}": v for name, v in first.protocol.overrides.items()}
    for name, value in sorted((settings | changed).items()):
        words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join(words)
