"""The timing session of a finished run once more, for one whose machine was not quiet when it ended.

A session that counts stays: who could repeat it until it pleases would publish the luckiest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fkbench.boards.speed import AGAIN
from fkbench.errors import FkbenchError
from fkbench.records import RunRecord, RunStore, environment, utc_now
from fkbench.runner.loading import weights_file
from fkbench.runner.timing import time_run, with_session
from fkbench.runtimes.pages import counts
from fkbench.runtimes.subjects import Timed
from fkbench.timing.conditions import device_name
from fkbench.train.predictors import NetPredictor
from fkbench.train.threads import torch_threads

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
        FkbenchError: as `check_again`; this machine or these weights are not those of the record; the folder cannot be
            written.
    """
    record = timed.record
    assert record is not None
    check_again(record)
    _check_place(record, timed)
    if timed.net is not None and record.device.layout == CHANNELS_FIRST:
        timed.net.to(memory_format=torch.contiguous_format)
    with torch_threads(record.device.threads):
        session = time_run(timed.predictor, timed.model, timed.inputs, timed.geometry, quick=False)
    if not counts(session):
        return Again(record, session, kept=False)
    before = record.timing.model_dump() if record.timing is not None else {}
    place = environment(record.device.threads).model_dump(mode="json")
    again = {AGAIN: {"created": utc_now(), "environment": place, "instead_of_void": bool(before.get("void"))}}
    page = record.to_json() | {"timing": with_session(before, session) | again}
    folder = Path(record.path)
    return Again(RunStore(folder.parents[2]).write(RunRecord.model_validate(page), folder), session, kept=True)


def _check_place(record: RunRecord, timed: Timed) -> None:
    """Raises FkbenchError where a session would be one of something else than the record's."""
    here = device_name(timed.device)
    if here != record.device.name:
        raise FkbenchError(
            f"The run {record.key} was timed on '{record.device.name}', and this is '{here}'.",
            f"`fkbench time {record.key}` writes a session on this device into a file of its own.",
        )
    file = weights_file(record).name
    if file not in record.files or record.files[file].sha256 != timed.weights:
        raise FkbenchError(f"'{file}' of run {record.key} is not the file of its record.", "Run it again with --force.")
    then, now = record.device.threads, torch.get_num_threads()
    if not isinstance(timed.predictor, NetPredictor) and then not in (None, now):
        raise FkbenchError(
            f"The run {record.key} had {then} thread{'s'[: then != 1]}, and this process has {now}.",
            f"Set OMP_NUM_THREADS={then}: what is no net has its threads from there.",
        )
