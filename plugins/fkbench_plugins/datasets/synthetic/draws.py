"""Random numbers that belong to one picture: a counter-based hash of (seed, picture index, version, name).

Picture i draws the same numbers whichever other pictures are rendered with it, on every machine: only 64-bit integer
arithmetic, one exact conversion to float64, and elementwise sums are used. The mixing function is the finaliser of
SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MASK = 0xFFFFFFFFFFFFFFFF


def mix(x: U64) -> U64:
    """SplitMix64's finaliser, elementwise: a bijection of 64-bit words whose output bits look independent."""
    x = x ^ (x >> np.uint64(30))
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


class Draws:
    """Named random numbers for a batch of pictures; a name always yields the same numbers for a picture."""

    def __init__(self, seed: int, indices: Sequence[int], version: int) -> None:
        index = np.array([int(i) & _MASK for i in indices], dtype=np.uint64)
        start = np.array([seed & _MASK], dtype=np.uint64)
        keyed = mix(start + np.uint64(version * int(_GOLDEN) & _MASK))
        self._keys: U64 = mix(keyed ^ mix(index + _GOLDEN))

    def __len__(self) -> int:
        return len(self._keys)

    def bits(self, name: str, count: int = 1) -> U64:
        """(N, count) words of 64 random bits."""
        state = mix(self._keys ^ np.uint64(zlib.crc32(name.encode()) * int(_GOLDEN) & _MASK))
        steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
        return mix(state[:, None] + steps[None, :])

    def uniforms(self, name: str, count: int, low: float = 0.0, high: float = 1.0) -> F64:
        """(N, count) numbers uniform in [low, high)."""
        unit = (self.bits(name, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + unit * (high - low)

    def uniform(self, name: str, low: float = 0.0, high: float = 1.0) -> F64:
        """(N,) numbers uniform in [low, high)."""
        return self.uniforms(name, 1, low, high)[:, 0]

    def bells(self, name: str, count: int) -> F64:
        """(N, count) bell-shaped numbers, mean 0, variance 1, within ±3.47: a sum of four 16-bit uniforms.

        No normal deviates: those need log and exp, whose last bits differ between machines.
        """
        words = self.bits(name, count)
        low = np.uint64(0xFFFF)
        total = (
            (words & low) + (words >> np.uint64(16) & low) + (words >> np.uint64(32) & low) + (words >> np.uint64(48))
        )
        centred = total.astype(np.float64) - 131070.0
        return np.asarray(centred * (1.7320508075688772 / 65536.0))

    def bell(self, name: str, sd: float = 1.0, limit: float = 3.5) -> F64:
        """(N,) bell-shaped numbers of standard deviation `sd`, clipped to ±`limit` (in the same unit)."""
        return np.clip(self.bells(name, 1)[:, 0] * sd, -limit, limit)

    def chance(self, name: str, p: float) -> NDArray[np.bool_]:
        """(N,) true with probability p."""
        return self.uniform(name) < p

    def pick(self, name: str, weights: Sequence[float]) -> NDArray[np.int64]:
        """(N,) codes 0 … len(weights) − 1 with the given weights."""
        u = self.uniform(name) * sum(weights)
        code = np.zeros(len(self), dtype=np.int64)
        edge = 0.0
        for weight in weights[:-1]:
            edge += weight
            code += u >= edge
        return code
