"""Random streams: each named and counted, and dependent on nothing else, so that a cut-off run goes on exactly.

A stream's seed is a hash of (seed, name, counters). Shuffling and the parameters of augmentation are drawn on the
CPU for a whole epoch at once and are the same on every device type; dropout and pixel noise are drawn on the device.
"""

from __future__ import annotations

import hashlib

import torch


def stream_seed(seed: int, name: str, *counters: int) -> int:
    """A 63-bit seed for the stream `name` of a run."""
    text = "/".join(str(part) for part in (seed, name, *counters))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, name: str, *counters: int, device: str = "cpu") -> torch.Generator:
    """A generator for the stream `name` of a run."""
    return torch.Generator(device=device).manual_seed(stream_seed(seed, name, *counters))
