"""What a device can do at most, measured: operations of a large matrix product, bytes of buffers beyond the cache.

They are measured and not looked up, so that they hold for the threads in use and the clock rate of the day. What else
is at work on the machine lowers them, as it does everything that is timed. Processor time would not do for several
threads: of a thread at work on another core it is brought up to date at its ticks alone, milliseconds too late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import psutil
import torch

from fkbench.timing.clock import Clock, clock_for
from fkbench.timing.inputs import last_level_cache

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
SIDES = (256, 512, 1024, 2048, 4096, 8192)
"""Of the square matrices that are multiplied, rising until a product takes too long."""
SLOWEST_S = 0.05
"""A product that would take longer, by the one before, is not made."""
TAKE_S = 0.002
"""At least so long is timed at once, so that a launch and a sync weigh little."""
PRODUCT_S, MEMORY_S = 0.05, 0.05
"""For products of one size, and for each of the two measurements of memory, once they have their fewest takes."""
FEWEST, MOST = 1, 50
TIMES_CACHE = 4
LEAST_BUFFER = 64 * 2**20
MEMORY_SHARE = 0.05
"""Of the free memory, for each buffer and each matrix."""


@dataclass(frozen=True)
class Peak:
    """The highest rates that were seen.

    Attributes:
        precision: `fp32`, `bf16` or `fp16`.
        threads: of the host, within operations.
        operations_per_s: multiplications and additions in a matrix product.
        read_per_s: bytes, where they are read alone (a sum).
        moved_per_s: bytes read and written together (a ← a + b: two reads, one write); never below `read_per_s`.
    """

    precision: str
    threads: int
    operations_per_s: float
    read_per_s: float
    moved_per_s: float


@dataclass
class Peaks:
    """The peaks of one device in one session, each measured when it is first asked for.

    Attributes:
        device: where.
        clock: by which; default: the device's own, of a processor the host's: what others take of it counts.
    """

    device: torch.device
    clock: Clock | None = None
    _operations: dict[tuple[str, int], float] = field(default_factory=dict)
    _bytes: dict[int, tuple[float, float]] = field(default_factory=dict)

    def at(self, precision: str) -> Peak:
        """Peaks at a precision with the threads in use now.

        Half precision is never slower than float32: what has no instructions for it may compute in float32.
        """
        threads = torch.get_num_threads()
        clock = self.clock or clock_for(self.device)
        for each in ("fp32", precision):
            if (each, threads) not in self._operations:
                self._operations[each, threads] = product_rate(self.device, DTYPES[each], clock)
        if threads not in self._bytes:
            self._bytes[threads] = memory_rates(self.device, clock)
        operations = max(self._operations["fp32", threads], self._operations[precision, threads])
        return Peak(precision, threads, operations, *self._bytes[threads])


def product_rate(device: torch.device, dtype: torch.dtype, clock: Clock) -> float:
    """Operations per second of the fastest square matrix product, 2·n³ each.

    Float32 is multiplied as the switches of the process say (`torch.set_float32_matmul_precision`).
    """
    fastest = rate = 0.0
    for side in SIDES:
        operations = 2 * side**3
        if rate and (operations / rate > SLOWEST_S or 4 * side**2 > affordable(device)):
            break
        a, b = (torch.rand((side, side), device=device).to(dtype) for _ in range(2))
        work = partial(torch.mm, a, b, out=torch.empty_like(a))
        rate = operations / least_seconds(work, clock, PRODUCT_S)
        fastest = max(fastest, rate)
    return fastest


def memory_rates(device: torch.device, clock: Clock) -> tuple[float, float]:
    """Bytes per second of memory, read alone, and read and written together; the latter never below the former."""
    count = buffer_bytes(device) // 4
    a, b = torch.zeros(count, device=device), torch.ones(count, device=device)
    read = a.nbytes / least_seconds(a.sum, clock, MEMORY_S)
    moved = 3 * a.nbytes / least_seconds(partial(a.add_, b), clock, MEMORY_S)
    return read, max(read, moved)


def buffer_bytes(device: torch.device) -> int:
    """Size of a buffer far larger than the last-level cache, as far as the free memory allows."""
    wanted = max(LEAST_BUFFER, TIMES_CACHE * last_level_cache(device))
    return max(2**20, min(wanted, affordable(device)))


def affordable(device: torch.device) -> int:
    """Bytes that one buffer, or one matrix, may take of the device's free memory."""
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    return int(MEMORY_SHARE * free)


def least_seconds(work: Callable[[], object], clock: Clock, budget_s: float) -> float:
    """Seconds of the fastest of several takes; the first call, which sets up, is not timed."""
    work()
    clock.sync()
    least = _take(work, clock, 1)
    calls = min(1000, max(1, round(TAKE_S / least)))
    began = clock.now()
    for take in range(MOST):
        if take >= FEWEST and clock.now() - began > budget_s:
            break
        least = min(least, _take(work, clock, calls))
    return least


def _take(work: Callable[[], object], clock: Clock, calls: int) -> float:
    mark = clock.start()
    for _ in range(calls):
        work()
    return max(clock.seconds(mark) / calls, 1e-9)
