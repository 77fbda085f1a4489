"""The conditions of a timing session, recorded beside its numbers."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy
import psutil
import torch


def conditions(device: torch.device) -> dict[str, Any]:
    """Device, threads, flags, clocks and versions, as JSON values; null where the machine does not tell."""
    return {
        "device": {"type": device.type, "name": device_name(device)},
        "threads": {"intra_op": torch.get_num_threads(), "inter_op": torch.get_num_interop_threads(),
                    "cores": os.cpu_count(), "load_1min": _load()},
        "clocks_mhz": {"cpu": _cpu_mhz(), "device": _device_mhz(device)},
        "flags": _flags(device),
        "versions": _versions(device),
    }  # fmt: skip


def device_name(device: torch.device) -> str:
    """The device's full name as its maker gives it."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


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
