"""The key of a run: a hash of what determines its result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fkbench.records.plain import canonical_json

KEY_DIGITS = 16


def plan_key(plan: Mapping[str, Any]) -> str:
    """16 hex digits of the SHA-256 of the plan's canonical JSON (sorted keys, no spaces, floats by `repr`).

    The plan holds all that determines a run: model, settings and recipe as resolved, device type, precision, dataset
    fingerprint, split version, engine version, seed. Dataclasses and numpy values in it count by their content.

    Raises:
        TypeError: something in it has no JSON form.
    """
    return hashlib.sha256(canonical_json(plan).encode()).hexdigest()[:KEY_DIGITS]
