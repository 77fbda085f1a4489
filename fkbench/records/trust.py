"""How far a result is trusted: not what its record says of itself, but what a check of it has left behind.

`fkbench verify` writes what it found into a file of its own, see `verification_file`. The file names the digest of the
record, the errors and the predictions that it is about: when any of them changes, it counts no more.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from fkbench.errors import FkbenchError
from fkbench.records.arrays import ERRORS_FILE, PREDICTIONS_FILE
from fkbench.records.beside import beside, verification_file
from fkbench.records.files import MIB, read_bounded, sha256_of, write_atomic
from fkbench.records.models import Part, RunRecord, Text

Level = Literal[
    "self-reported", "arithmetic checked (errors only)", "arithmetic checked", "predicted again", "reproduced"
]
LEVELS: tuple[Level, ...] = (
    "self-reported",
    "arithmetic checked (errors only)",
    "arithmetic checked",
    "predicted again",
    "reproduced",
)
"""From least to most. `errors only`: the errors per image give the metrics. `arithmetic checked`: the predictions and
the dataset's labels give the errors, too. `predicted again`: the weights give the predictions. `reproduced`: a
training from the start gives the score, within the spread of seeds."""
FAILED = "check failed"
MAX_BYTES = MIB


class Verification(Part):
    """What a check found.

    Attributes:
        key: of the record.
        subject: SHA-256 of what was checked, see `subject_of`.
        level: how far the result is trusted if there are no mismatches.
        mismatches: what did not fit, a line each; any of them makes the result a failed one.
        fkbench: version that checked.
    """

    verification: Literal[1] = 1
    key: Text
    subject: Text
    level: Level
    mismatches: Annotated[list[Text], Field(default_factory=list, max_length=200)]
    fkbench: Text = ""


def subject_of(record: RunRecord) -> str:
    """SHA-256 over the record's content and the files that its scores come from; a file that is not there counts too.

    Raises:
        FkbenchError: a file cannot be read.
    """
    parts = [record.canonical()]
    for name in (ERRORS_FILE, PREDICTIONS_FILE):
        path = beside(record, name)
        try:
            parts.append(sha256_of(path) if path.is_file() else "none")
        except OSError as error:
            raise FkbenchError(f"Cannot read '{path}': {error.strerror or error}.") from error
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_verification(record: RunRecord, found: Verification) -> Path:
    """Store what a check found, in place of what an earlier one did.

    An earlier one of the same content that went further and found nothing wrong stays if this one finds nothing wrong:
    computing scores again does not undo that they were reproduced.

    Raises:
        FkbenchError: it cannot be written, or the record lies in no folder that has a place for it.
    """
    path = verification_file(record)
    if path is None:
        raise FkbenchError(
            f"'{record.path}' lies in no published folder: there is no place for what was found.",
            "Results lie at DIR/results/<board>/<model>-<key>.json.",
        )
    before = verification_of(record)
    if before is not None and not found.mismatches and not before.mismatches and before.subject == found.subject:
        found = max(before, found, key=lambda one: LEVELS.index(one.level))
    write_atomic(path, (json.dumps(found.model_dump(), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
    return path


def verification_of(record: RunRecord) -> Verification | None:
    """What a check found, if there was one and it is about the result as it is now; a damaged file says nothing."""
    path = verification_file(record)
    if path is None or not path.is_file():
        return None
    try:
        found = Verification.model_validate(json.loads(read_bounded(path, MAX_BYTES)))
        return found if (found.key, found.subject) == (record.key, subject_of(record)) else None
    except (FkbenchError, ValidationError, ValueError, TypeError, RecursionError):
        return None
