"""Records of runs: their model, their folder, and the arrays beside them. Imports no torch."""

from __future__ import annotations

from fkbench.records.arrays import (
    ERRORS_FILE,
    PREDICTIONS_FILE,
    encode_errors,
    encode_predictions,
    pack_strings,
    read_arrays,
    read_errors,
    read_points,
    read_predictions,
    unpack_strings,
    write_arrays,
    write_errors,
    write_predictions,
)
from fkbench.records.beside import beside, is_published
from fkbench.records.environment import environment
from fkbench.records.history import HISTORY_FILE, encode_history, read_history, write_history
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
from fkbench.records.results import ResultStore, read_result
from fkbench.records.store import Leftover, RunStore, safe_name
from fkbench.records.trust import LEVELS, Verification, subject_of, verification_of, write_verification

__all__ = [
    "ERRORS_FILE",
    "HISTORY_FILE",
    "LEVELS",
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
    "ResultStore",
    "RunRecord",
    "RunStore",
    "Status",
    "Timing",
    "Verification",
    "beside",
    "canonical_json",
    "decode",
    "encode",
    "encode_errors",
    "encode_history",
    "encode_predictions",
    "environment",
    "is_published",
    "label",
    "pack_strings",
    "plan_key",
    "read_arrays",
    "read_errors",
    "read_history",
    "read_points",
    "read_predictions",
    "read_record",
    "read_result",
    "rounded",
    "safe_name",
    "subject_of",
    "unpack_strings",
    "utc_now",
    "verification_of",
    "write_arrays",
    "write_errors",
    "write_history",
    "write_predictions",
    "write_verification",
]
