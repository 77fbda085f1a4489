"""Where own data lies in the data folder, and which files described it: standard library only.

Packs are called `own/NAME-` and eight digits of where the TOML file lies: two files of one name do not share one. The
pack keeps the file's path, so that a finished run finds its dataset again; records, which may be published, do not.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from fkbench.datasets.layout import PACK_FILE

if TYPE_CHECKING:
    from fkbench.owndata.description import Description

FOLDER = "own"
LAYOUT = 1
"""Of the packs; raised whenever they hold something else."""


def pack_name(description: Description) -> str:
    """Name of the pack of a description."""
    digits = hashlib.sha256(str(description.path.resolve()).encode()).hexdigest()[:8]
    return f"{FOLDER}/{description.name}-{digits}"


def described_before(root: Path, dataset: str) -> list[Path]:
    """The TOML files from which own data of this name has been packed in a data folder, there or gone by now."""
    found = []
    for page in sorted((root / FOLDER).glob(f"*/{PACK_FILE}")):
        if not page.parent.name.startswith(f"{dataset}-"):
            continue
        try:
            meta = json.loads(page.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(meta, dict) and meta.get("dataset") == dataset and isinstance(meta.get("toml"), str):
            found.append(Path(meta["toml"]))
    return found
