"""`timing-<key>.json` beside a run's record: one file for each runtime and device on which the run was timed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fkbench.records import RunRecord, plan_key, rounded
from fkbench.records.files import MIB, read_bounded, write_atomic
from fkbench.records.models import utc_now
from fkbench.records.plain import plain
from fkbench.runtimes.subjects import Timed
from fkbench.runtimes.timing import OWN
from fkbench.timing import TIMING_VERSION
from fkbench.timing.conditions import device_name

SCHEMA = 1


def timing_key(weights: str, device: str, runtime: str, version: int = TIMING_VERSION) -> str:
    """16 hex digits: of the weights' digest, the device's full name, the runtime and the timing version."""
    return plan_key({"weights": weights, "device": device, "runtime": runtime, "timing_version": version})


def page_of(timed: Timed, timing: Mapping[str, Any], training: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the file says."""
    record = timed.record
    assert record is not None
    device, runtime = device_name(timed.device), str(timing.get("runtime", OWN))
    return {
        "schema": SCHEMA,
        "key": timing_key(timed.weights, device, runtime),
        "run": record.key,
        "model": record.model.name,
        "weights": timed.weights,
        "device": device,
        "runtime": runtime,
        "timing_version": TIMING_VERSION,
        "created": utc_now(),
        "timing": dict(timing),
        "training": dict(training) if training is not None else None,
    }


def write_page(record: RunRecord, page: Mapping[str, Any]) -> tuple[Path, bool]:
    """Write a page beside its record.

    A session that says less than the one that is there (void or quick, in place of one that is neither) does not
    replace it.

    Returns:
        The file, and whether it was written.

    Raises:
        FkbenchError: the folder cannot be written.
    """
    path = Path(record.path) / f"timing-{page['key']}.json"
    if not counts(page.get("timing")) and counts(read_page(path).get("timing")):
        return path, False
    text = json.dumps(rounded(plain(page)), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomic(path, (text + "\n").encode())
    return path, True


def read_page(path: Path) -> dict[str, Any]:
    """A page that was written; empty where there is none that can be read."""
    try:
        found = json.loads(read_bounded(path, MIB)) if path.is_file() else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def counts(timing: object) -> bool:
    """Whether the `timing` part of a page or record is of a session under the contract: neither void nor short."""
    return isinstance(timing, Mapping) and not timing.get("void", True) and not timing.get("quick", True)
