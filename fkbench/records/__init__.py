"""Records of runs: their model, their folder, and the arrays beside them. Imports no torch."""

from __future__ import annotations

from fkbench.records.arrays import (
    ERRORS_FILE,
    PREDICTIONS_FILE,
    pack_strings,
    read_arrays,
    read_errors,
    read_predictions,
    unpack_strings,
    write_arrays,
    write_errors,
    write_predictions,
)
from fkbench.records.environment import environment
from fkbench.records.history import HISTORY_FILE, read_history, write_history
from fkbench.records.keys import plan_key
from fkbench.records.lookup import label
from fkbench.records.models import (
    SCHEMA,
    DatasetInfo,
    DeviceInfo,
    Environment,
    FileInfo,
    HistorySummary,
    Latency,
    ModelInfo,
    OfficialInfo,
    ProtocolInfo,
    RunRecord,
    Status,
    Timing,
    utc_now,
)
from fkbench.records.pages import RECORD_FILE, decode, encode, read_record
from fkbench.records.plain import canonical_json, rounded
from fkbench.records.store import Leftover, RunStore, safe_name

__all__ = [
    "ERRORS_FILE",
    "HISTORY_FILE",
    "PREDICTIONS_FILE",
    "RECORD_FILE",
    "SCHEMA",
    "DatasetInfo",
    "DeviceInfo",
    "Environment",
    "FileInfo",
    "HistorySummary",
    "Latency",
    "Leftover",
    "ModelInfo",
    "OfficialInfo",
    "ProtocolInfo",
    "RunRecord",
    "RunStore",
    "Status",
    "Timing",
    "canonical_json",
    "decode",
    "encode",
    "environment",
    "label",
    "pack_strings",
    "plan_key",
    "read_arrays",
    "read_errors",
    "read_history",
    "read_predictions",
    "read_record",
    "rounded",
    "safe_name",
    "unpack_strings",
    "utc_now",
    "write_arrays",
    "write_errors",
    "write_history",
    "write_predictions",
]
