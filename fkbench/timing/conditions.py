"""The conditions of a timing session, recorded beside its numbers."""

from __future__ import annotations

import os
import platform
import time
from typing import Any

import numpy
import psutil
import torch

from fkbench.records.environment import cpu_name


class Watch:
    """What else the machine did meanwhile. From its making on."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._start = self._now()

    def seen(self) -> dict[str, float]:
        """Seconds so far, and how many cores other processes kept busy on average (of the whole machine)."""
        wall, busy, own = (after - before for after, before in zip(self._now(), self._start, strict=True))
        return {"seconds": wall, "others_cores": max(0.0, busy - own) / max(wall, 1e-9)}

    def _now(self) -> tuple[float, float, float]:
        spent, own = psutil.cpu_times(), self._process.cpu_times()
        idle = spent.idle + getattr(spent, "iowait", 0.0)
        # On Linux the time of guests is counted within user time already.
        counted = sum(spent) - getattr(spent, "guest", 0.0) - getattr(spent, "guest_nice", 0.0)
        return time.perf_counter(), counted - idle, own.user + own.system


def conditions(device: torch.device) -> dict[str, Any]:
    """Device, threads, flags, clocks and versions, as JSON values; null where the machine does not tell."""
    return {
        "device": {"type": device.type, "name": device_name(device)},
        "threads": {"intra_op": torch.get_num_threads(), "inter_op": torch.get_num_interop_threads(),
                    "cores": os.cpu_count()},
        "clocks_mhz": {"cpu": _cpu_mhz(), "device": _device_mhz(device)},
        "flags": _flags(device),
        "versions": _versions(device),
    }  # fmt: skip


def device_name(device: torch.device) -> str:
    """The device's full name as its maker gives it."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return cpu_name()


def _cpu_mhz() -> float | None:
    try:
        found = psutil.cpu_freq()
    except (OSError, NotImplementedError, RuntimeError):
        return None
    return float(found.current) if found else None


def _device_mhz(device: torch.device) -> float | None:
    """Needs NVIDIA's management library, which torch looks for only now."""
    if device.type != "cuda":
        return None
    try:
        return float(torch.cuda.clock_rate(device))
    except (RuntimeError, ModuleNotFoundError, AttributeError):
        return None


def _flags(device: torch.device) -> dict[str, Any]:
    found: dict[str, Any] = {
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "mkldnn": torch.backends.mkldnn.is_available(),
    }
    if device.type == "cuda":
        cudnn = torch.backends.cudnn
        found |= {"cudnn_benchmark": cudnn.benchmark, "cudnn_deterministic": cudnn.deterministic,
                  "cudnn_allow_tf32": cudnn.allow_tf32}  # fmt: skip
    return found


def _versions(device: torch.device) -> dict[str, str | None]:
    found: dict[str, str | None] = {
        "python": platform.python_version(), "torch": str(torch.__version__), "numpy": numpy.__version__,
    }  # fmt: skip
    if device.type == "cuda":
        found |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    return found
