"""The timing session of a finished run once more, for one whose machine was not quiet when it ended.

A session that counts stays: who could repeat it until it pleases would publish the luckiest one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fkbench.boards.speed import AGAIN
from fkbench.errors import FkbenchError
from fkbench.records import RECORD_FILE, RunRecord, encode, environment, read_record, utc_now
from fkbench.records.files import sha256_of, write_atomic
from fkbench.records.locks import held
from fkbench.runner.loading import weights_file
from fkbench.runner.provenance import source_digest
from fkbench.runner.standing import stands
from fkbench.runner.timing import time_run, with_session
from fkbench.runtimes.pages import counts
from fkbench.runtimes.subjects import Timed
from fkbench.timing.conditions import device_name
from fkbench.train.predictors import NetPredictor
from fkbench.train.threads import torch_threads
from fkbench.words import counted

CHANNELS_FIRST = str(torch.contiguous_format).removeprefix("torch.")


@dataclass(frozen=True)
class Again:
    """A session that was carried out once more.

    Attributes:
        record: of the run, as it stands now.
        timing: the session, the `timing` part of a record.
        kept: whether it stands in the record; one that is void does not.
    """

    record: RunRecord
    timing: dict[str, Any]
    kept: bool


def check_again(record: RunRecord) -> None:
    """Whether a run's session may be carried out once more.

    Raises:
        FkbenchError: it did not finish, or its session counts.
    """
    if record.status != "done":
        raise FkbenchError(f"The run {record.key} has no speed: {record.status}, {record.reason}.", "Run it again.")
    if record.timing is not None and counts(record.timing.model_dump()):
        raise FkbenchError(
            f"The timing session of run {record.key} counts, and stays: nobody may choose the luckiest of several.",
            f"`fkbench time {record.key}` writes another one into a file of its own.",
        )


def time_again(timed: Timed) -> Again:
    """Time a run once more as at its end, but never shortly, and keep the session in its record if it counts.

    Args:
        timed: a finished run, opened on the kind of device of its record.

    Raises:
        FkbenchError: as `check_again`; this machine, the run's files or the model's code are not those of the record;
            another process works on the run; the folder cannot be written.
    """
    assert timed.record is not None
    folder = Path(timed.record.path)
    with held(folder, "it was not timed"):
        record = read_record(folder)
        check_again(record)
        _check_place(record, timed)
        _check_content(record, timed)
        if timed.net is not None and record.device.layout == CHANNELS_FIRST:
            timed.net.to(memory_format=torch.contiguous_format)
        with torch_threads(record.device.threads):
            session = time_run(timed.predictor, timed.model, timed.inputs, timed.geometry, quick=False)
        if not counts(session):
            return Again(record, session, kept=False)
        return Again(_keep(record, session, folder), session, kept=True)


def _keep(record: RunRecord, session: dict[str, Any], folder: Path) -> RunRecord:
    """Put the session into the record, of which nothing else changes."""
    before = record.timing.model_dump() if record.timing is not None else {}
    place = environment(record.device.threads).model_dump(mode="json")
    again = {AGAIN: {"created": utc_now(), "environment": place, "instead_of_void": bool(before.get("void"))}}
    page = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    page |= {"timing": with_session(before, session) | again}
    write_atomic(folder / RECORD_FILE, encode(RunRecord.model_validate(page)))
    return read_record(folder)


def _check_place(record: RunRecord, timed: Timed) -> None:
    """Raises FkbenchError where the machine is another one, or has other threads."""
    here = device_name(timed.device)
    if here != record.device.name:
        raise FkbenchError(
            f"The run {record.key} was timed on '{record.device.name}', and this is '{here}'.",
            f"`fkbench time {record.key}` writes a session on this device into a file of its own.",
        )
    then, now = record.device.threads, torch.get_num_threads()
    if not isinstance(timed.predictor, NetPredictor) and then not in (None, now):
        raise FkbenchError(
            f"The run {record.key} had {counted(then or 0, 'thread')}, and this process has {now}.",
            f"Set OMP_NUM_THREADS={then}: what is no net has its threads from there.",
        )


def _check_content(record: RunRecord, timed: Timed) -> None:
    """Raises FkbenchError where files of the run or the model's code are not those that it was scored with."""
    folder = Path(record.path)
    for name in {weights_file(record).name, *record.files}:
        file, stated = folder / name, record.files.get(name)
        if stated is None or not file.is_file() or sha256_of(file) != stated.sha256:
            raise FkbenchError(
                f"'{name}' of run {record.key} is not the file of its record.", "Run it again with --force."
            )
    if not stands(record, timed.model, source_digest(timed.model), lambda: 2 * len(timed.inputs.scheme.points)):
        raise FkbenchError(
            f"The code of {record.model.name} has changed since run {record.key}: it would be another model's session.",
            "Run it again with --force.",
        )
