"""The record of a run: what was run, on what, with which result. `docs/record.schema.json` is generated from here.

Values are frozen; `record.model_copy(update={...})` gives a changed one. Numpy numbers, tuples and dataclasses (a
`Recipe`) may be passed wherever JSON values are asked for; numbers that are not finite become null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fkbench.records.plain import canonical_json, plain, rounded

SCHEMA = 1

Status = Literal["done", "failed", "timeout", "oom", "skipped"]
Text = Annotated[str, StringConstraints(max_length=4000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
Open = dict[str, Any]
"""JSON values: `plain` has made them such, in `Part` or before. To validate each once more takes longer than that."""
Count = Annotated[int, Field(ge=0)]

MEASURED = ("metrics", "baseline", "timing", "history")
"""Parts whose numbers are rounded on writing. Settings are not: the key must be computable from them."""


PLAIN = "plain"
"""Context of a validation whose values have gone through `plain` as a whole: its parts need not do it again."""


class Part(BaseModel):
    """Base of all parts: strict types, unknown keys refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _as_json(cls, data: Any, info: ValidationInfo) -> Any:
        if info.context == PLAIN or not isinstance(data, Mapping):
            return data
        return {key: plain(item) for key, item in data.items()}


class OpenPart(Part):
    """A part that may hold further keys with JSON values."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)


class ModelInfo(Part):
    """The model.

    Attributes:
        parameters: trainable and fixed numbers of the net; None for predictors that are no nets.
        macs: multiply-accumulates of one forward pass of one image.
        plugin: distribution and version that the model came from, or `file`.
        source: `sha256:…` of the plugin's files (provenance, not part of the key).
        role: `baseline` rows stand in every table.
        deterministic: fitting has no randomness, one run is enough for a rank.
        settings: as resolved, all of them.
    """

    name: Name
    parameters: Count | None = None
    macs: Count | None = None
    plugin: Text = ""
    source: Text | None = None
    role: Literal["entry", "baseline"] = "entry"
    deterministic: bool = False
    settings: Open = Field(default_factory=dict)


class OfficialInfo(Part):
    """Whether labels and pixels are the published ones; None: cannot be known."""

    labels: bool | None = None
    pixels: bool | None = None


class DatasetInfo(Part):
    """The data.

    Attributes:
        split: as asked for (`complete/2`).
        fingerprint: of what was used.
        leaks: what a leaky split has on both sides, in numbers, as `fkbench show DATASET` has it with names; None: not
            leaky, or not stated.
    """

    name: Name
    split: Name
    split_version: Count = 1
    fingerprint: Name
    official: OfficialInfo = OfficialInfo()
    counts: dict[str, Count] = Field(default_factory=dict)
    leaks: Open | None = None
    settings: Open = Field(default_factory=dict)


class ProtocolInfo(Part):
    """The protocol.

    Attributes:
        recipe: as resolved: what was really done.
        overrides: what `--set` and `--epochs` changed, as given; a row with any is not ranked.
        frozen: the protocol's settings will not change any more under this version.
        ranked: the protocol says that its rows may be ranked.
    """

    name: Name
    version: Count
    recipe: Open = Field(default_factory=dict)
    overrides: Open = Field(default_factory=dict)
    frozen: bool = False
    ranked: bool = False


class DeviceInfo(Part):
    """Where it ran: `cpu` or `cuda`, the full name, threads used, layout of a net in memory (`channels_last`, …)."""

    type: Name
    name: Text = ""
    threads: Count | None = None
    layout: Text = ""


class Latency(OpenPart):
    """Milliseconds of one picture at batch 1."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


class Timing(OpenPart):
    """Speed under timing contract `version`; further numbers may stand beside these."""

    version: Count
    train_images_per_s: float | None = None
    train_s: float | None = None
    infer_images_per_s: float | None = None
    latency_ms: Latency | None = None
    peak_memory_mib: float | None = None


class HistorySummary(OpenPart):
    """Summary of `history.csv`."""

    epochs: Count | None = None
    best_epoch: Count | None = None


class Environment(OpenPart):
    """Provenance: versions of packages, interpreter, platform, processor, commit and dirty flag of the checkout."""

    versions: dict[str, Text] = Field(default_factory=dict)
    python: Text = ""
    platform: Text = ""
    cpu: Text = ""
    cores: Count | None = None
    commit: Text | None = None
    dirty: bool | None = None
    threads: Count | None = None


class FileInfo(Part):
    """A file beside the record."""

    bytes: Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


BOX_PARTS = frozenset({"jitter", "correction"})
"""What `box_settings` of a record have beside the settings of the box."""


class RunRecord(Part):
    """One run: one model, one dataset, one protocol, one seed.

    Attributes:
        schema_version: `schema` in JSON.
        key: hash of the resolved plan, see `plan_key`.
        reason: why, where the status is not `done`.
        reused: this call found the run finished (never stored as true).
        path: the run's folder; in the file relative, beginning with the name of the runs folder.
        flags: marks such as `collapsed`, `stale`, `leaky`, `untrained`.
        box_settings: settings of the box or detector, as resolved; beside them `jitter` and `correction` of its boxes.
        engine: version of the training engine.
        metrics: name → number, null, list (per point) or dict.
        baseline: baseline's name → its metrics on the same test part.
        parent: key of the run that this one extends.
        probe: cheap behaviour of the freshly built net, to tell whether changed source still means the same model.
        created: UTC, `YYYY-MM-DDTHH:MM:SSZ`; provenance only, nothing is sorted or chosen by it.
        files: files beside the record, filled in on writing.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    key: Key
    status: Status
    reason: Text = ""
    reused: bool = False
    path: Text = ""
    flags: list[Name] = Field(default_factory=list)
    model: ModelInfo
    dataset: DatasetInfo
    protocol: ProtocolInfo
    seed: Count
    box: Name
    box_settings: Open = Field(default_factory=dict)
    device: DeviceInfo
    engine: Count | None = None
    metrics: Open = Field(default_factory=dict)
    baseline: dict[str, Open] = Field(default_factory=dict)
    timing: Timing | None = None
    environment: Environment = Environment()
    history: HistorySummary | None = None
    parent: Key | None = None
    probe: Open | None = None
    created: Text = ""
    files: dict[str, FileInfo] = Field(default_factory=dict)

    @field_validator("files")
    @classmethod
    def _plain_file_names(cls, files: dict[str, FileInfo]) -> dict[str, FileInfo]:
        for name in files:
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", name):
                raise ValueError(f"{name[:80]!r} is no plain file name")
        return files

    def metric(self, name: str) -> float | None:
        """A metric that is one number; None where it is absent, null, a list or a dict."""
        value = self.metrics.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def detector_settings(self) -> dict[str, Any]:
        """`box_settings` without `BOX_PARTS`: what the box or detector itself was asked with."""
        return {name: value for name, value in self.box_settings.items() if name not in BOX_PARTS}

    def to_json(self) -> dict[str, Any]:
        """The record with the keys of `record.json`; measured numbers at six significant digits."""
        page = self.model_dump(mode="json", by_alias=True)
        return page | {name: rounded(page[name]) for name in MEASURED}

    def canonical(self) -> str:
        """Canonical JSON, for choosing between two records without looking at a clock."""
        return canonical_json(self.to_json() | {"created": "", "path": "", "reused": False})


def utc_now() -> str:
    """The time for `created`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
