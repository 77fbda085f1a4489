"""Numbers from names: membership of splits and jitter of boxes depend on ids alone, on every machine alike."""

from __future__ import annotations

import hashlib


def unit_hash(*parts: str) -> float:
    """A number in [0, 1), uniform over names: the first 8 bytes of the SHA-256 of the parts, joined by NUL."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
