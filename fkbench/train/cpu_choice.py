"""With how many threads and in which layout a processor trains fastest: measured once per machine, and kept.

Small nets do not gain from all cores of a large machine, and threads that wait for each other cost more than they give.
What is measured is the training step of a small convolutional net; a choice other than the usual one (all cores,
channels last) must be faster by a tenth, so that noise does not decide; on a machine that is busy with other things
nothing is decided or kept, as threads that must wait for a core would be blamed. `OMP_NUM_THREADS` and
`MKL_NUM_THREADS` settle the threads; `FKBENCH_CALIBRATE=0` leaves all as PyTorch has it. On a GPU nothing is measured.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import nn

from fkbench.errors import FkbenchError
from fkbench.records.files import write_atomic
from fkbench.timing.conditions import Watch
from fkbench.train.threads import torch_threads

VERSION = 1
ENOUGH = 0.9
"""Share of the usual choice's time that another one must stay below."""
ROUNDS, STEPS = 3, 2
BATCH, SIDE = 32, 48
BUSY = 0.1
"""Share of the usual threads that other processes may keep busy before and meanwhile."""
GLANCE_S = 0.2
CALIBRATION = "calibration.json"
"""Name of the file in the folder of a run that is being trained."""
SWITCH = "FKBENCH_CALIBRATE"
THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Calibration:
    """What a machine trains with.

    Attributes:
        threads: within an operation.
        channels_last: layout of pictures and weights; else channels first.
        step_ms: of the measured net, by what was tried (`threads/layout`); empty where nothing was.
    """

    threads: int
    channels_last: bool = True
    step_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


@contextmanager
def calibrated(
    device: torch.device, say: Say = lambda text: None, kept_in: Path | None = None
) -> Iterator[Calibration]:
    """PyTorch with this machine's number of threads for as long as the context lasts.

    Args:
        say: told when something is measured.
        kept_in: file of a training that may be gone on with: the first call writes it, later ones take what it says, so
            that the whole of the training is done in one way, whatever the machine is busy with when it goes on.
    """
    found = Calibration(torch.get_num_threads())
    if device.type == "cpu":
        found = (_read(kept_in, 4096) if kept_in else None) or calibration_of(say)
        if kept_in is not None:
            _write(kept_in, found)
    with torch_threads(found.threads):
        yield found


def calibration_of(say: Say = lambda text: None, folder: Path | None = None) -> Calibration:
    """This machine's calibration: as it was measured before, or measured now.

    Args:
        folder: where it is kept; None: the user's cache.
    """
    usual = torch.get_num_threads()
    if os.environ.get(SWITCH, "1") == "0":
        return Calibration(usual)
    path = (folder or _cache()) / f"calibration-{_machine(usual)}.json"
    kept = _read(path, usual)
    if kept is None:
        watch = Watch()
        time.sleep(GLANCE_S)
        if watch.seen()["others_cores"] > BUSY * usual:
            return Calibration(usual)
        say("measuring once with how many threads this machine trains fastest")
        kept = measure(usual, threads_tried(usual))
        if watch.seen()["others_cores"] > BUSY * usual:
            return Calibration(usual)
        _write(path, kept)
    return kept


def threads_tried(usual: int) -> list[int]:
    """The usual number and each half of it, down to one; the usual one alone where the user has set it."""
    if any(os.environ.get(name) for name in THREAD_SETTINGS):
        return [usual]
    tried = [usual]
    while tried[-1] > 1:
        tried.append(tried[-1] // 2)
    return tried


def measure(usual: int, tried: list[int]) -> Calibration:
    """Time the layouts with the usual number of threads, then these numbers with the better one."""
    with torch_threads():
        layouts = {f"{usual}/{name}": partial(_step_of, usual, last) for name, last in _LAYOUTS.items()}
        by_layout = fastest_of(layouts)
        name = choose(by_layout, f"{usual}/last").partition("/")[2]
        last = _LAYOUTS[name]
        by_threads = fastest_of({f"{n}/{name}": partial(_step_of, n, last) for n in tried}) if len(tried) > 1 else {}
        chosen = choose(by_threads, f"{usual}/{name}") if by_threads else f"{usual}/{name}"
    seconds = {**by_layout, **by_threads}
    return Calibration(int(chosen.partition("/")[0]), last, {k: round(1000 * v, 3) for k, v in seconds.items()})


_LAYOUTS = {"last": True, "first": False}


def choose(seconds: Mapping[str, float], usual: str) -> str:
    """The fastest, where it is clearly faster than the usual one."""
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] < ENOUGH * seconds[usual] else usual


def fastest_of(ways: Mapping[str, Callable[[], Callable[[], None]]]) -> dict[str, float]:
    """Seconds of a call of each way, prepared once: the least of some rounds in turns, which other load only raises."""
    steps = {name: prepare() for name, prepare in ways.items()}
    found = dict.fromkeys(ways, float("inf"))
    for turn in range(ROUNDS + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            for _ in range(STEPS):
                step()
            if turn:  # the first one warms up
                found[name] = min(found[name], (time.perf_counter() - started) / STEPS)
    return found


def _step_of(threads: int, channels_last: bool) -> Callable[[], None]:
    """A training step of the measured net with so many threads."""
    layout = Calibration(threads, channels_last).memory_format
    images = torch.zeros(BATCH, 1, SIDE, SIDE)
    with torch.random.fork_rng(devices=[]):  # a run's own streams are not touched
        net = _measured_net().to(memory_format=layout)

    def step() -> None:
        torch.set_num_threads(threads)
        net.zero_grad(set_to_none=True)
        net(images.contiguous(memory_format=layout)).square().mean().backward()

    return step


def _measured_net() -> nn.Sequential:
    """Small enough to be quick, and of the kind that is trained here."""
    first = (nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*first, nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3200, 30))


def _machine(usual: int) -> str:
    """A name for this machine with this PyTorch and what the user has set."""
    import hashlib

    from fkbench.records.environment import cpu_name

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = [VERSION, cpu_name(), cores, usual, torch.__version__, len(threads_tried(usual))]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("fkbench", appauthor=False)


def _read(path: Path, usual: int) -> Calibration | None:
    """What was kept; None where there is nothing that makes sense."""
    with suppress(OSError, ValueError, TypeError):
        found = Calibration(**json.loads(path.read_text(encoding="utf-8")))
        if isinstance(found.threads, int) and 1 <= found.threads <= usual and isinstance(found.channels_last, bool):
            return found
    return None


def _write(path: Path, found: Calibration) -> None:
    """Keep it, whole or not at all; a cache that cannot be written costs a second each time, and no run."""
    with suppress(FkbenchError):
        write_atomic(path, json.dumps(asdict(found)).encode(), durable=False)
