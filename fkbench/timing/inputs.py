"""What is fed while timing: real pixels, more of them than the last cache holds, so that no call finds its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import torch

ByteViews = torch.Tensor | npt.NDArray[np.uint8]
"""Views (N, C, R, R) uint8: a tensor for nets, an array for predictors that are none."""

DEFAULT_CACHE = 64 * 2**20  # where the machine does not tell
TIMES_CACHE = 2.0
MEMORY_SHARE = 0.1  # of what is free


@dataclass(frozen=True)
class InputPool:
    """Copies of the views in different orders, one after the other.

    Attributes:
        views: (M, C, R, R) uint8, tensor or array.
        cache_bytes: of the device's last-level cache.
    """

    views: ByteViews
    cache_bytes: int

    @property
    def nbytes(self) -> int:
        return int(self.views.nbytes)

    @property
    def exceeds_cache(self) -> bool:
        return self.nbytes > self.cache_bytes

    def batch(self, index: int, size: int) -> ByteViews:
        """Batch number `index`, (size, C, R, R), walking round and round through the pool; no copy is made."""
        batches = max(1, len(self.views) // size)
        start = index % batches * size
        return self.views[start : start + size]


def input_pool(views: ByteViews, batch: int, device: torch.device, *, on: torch.device | None = None) -> InputPool:
    """A pool larger than the last-level cache where memory permits, and of at least one batch.

    Args:
        views: (N, C, R, R) uint8 real views, tensor or array.
        batch: size of a batch.
        device: whose cache must be exceeded.
        on: where a pool of tensors lies; default: the host.
    """
    cache = last_level_cache(device)
    each = max(1, int(views.nbytes) // len(views))
    wanted = max(batch, -(-int(TIMES_CACHE * cache) // each))
    affordable = max(batch, int(MEMORY_SHARE * psutil.virtual_memory().available) // each)
    order = _order(len(views), min(wanted, affordable))
    if isinstance(views, torch.Tensor):
        tensor = views[torch.from_numpy(order).to(views.device)].contiguous()
        return InputPool(tensor.to(on) if on is not None else tensor.cpu(), cache)
    return InputPool(np.ascontiguousarray(views[order]), cache)


def _order(count: int, wanted: int) -> npt.NDArray[np.int64]:
    """`wanted` indices below `count`: whole rounds, each shuffled by its own number."""
    rounds = -(-wanted // count)
    return np.concatenate([np.random.default_rng(i).permutation(count) for i in range(rounds)])[:wanted]


def noise_like(views: ByteViews, size: int) -> ByteViews:
    """(size, C, R, R) of seeded noise for warming up: nothing about the timed pictures can be learnt from it."""
    noise = np.random.default_rng(0).integers(0, 256, (size, *views.shape[1:]), np.uint8)
    return torch.from_numpy(noise).to(views.device) if isinstance(views, torch.Tensor) else noise


def last_level_cache(device: torch.device) -> int:
    """Size of the device's last-level cache in bytes; 64 MiB where it is not told."""
    if device.type == "cuda":
        return int(getattr(torch.cuda.get_device_properties(device), "L2_cache_size", DEFAULT_CACHE)) or DEFAULT_CACHE
    sizes = [_cache_size(path) for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    return max(sizes, default=0) or DEFAULT_CACHE


def _cache_size(path: Path) -> int:
    try:
        words = path.read_text(encoding="ascii").strip()
        return int(words.rstrip("KMG")) * {"K": 2**10, "M": 2**20, "G": 2**30}.get(words[-1:], 1)
    except (OSError, ValueError):
        return 0
