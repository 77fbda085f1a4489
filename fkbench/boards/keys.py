"""What tells one board from another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from fkbench.records import RunRecord, canonical_json, safe_name


@dataclass(frozen=True)
class BoardKey:
    """What all rows of a board share; records that differ in any of it are never in one table."""

    dataset: str
    fingerprint: str
    split: str
    split_version: int
    protocol: str
    protocol_version: int
    box: str
    box_settings: str

    @classmethod
    def of(cls, record: RunRecord) -> BoardKey:
        return cls(
            record.dataset.name,
            record.dataset.fingerprint,
            record.dataset.split,
            record.dataset.split_version,
            record.protocol.name,
            record.protocol.version,
            record.box,
            canonical_json(record.box_settings),
        )

    @property
    def slug(self) -> str:
        """`dataset-split-protocol-vN-box-` and 8 digits of the fingerprint."""
        digits = self.fingerprint.rpartition(":")[2][:8]
        parts = (self.dataset, self.split, self.protocol, f"v{self.protocol_version}", self.box, digits)
        return safe_name("-".join(parts))

    @property
    def digest(self) -> str:
        """Tells apart boards whose slugs are equal."""
        return hashlib.sha256(repr(self).encode()).hexdigest()
