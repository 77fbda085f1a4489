"""The speed of a row: medians over its seeds on one device, of those timing sessions that say most.

A session is `full` (under the contract of docs/timing.md), `quick` (a short one, whose numbers are no more than a hint)
or `void` (the machine was not quiet: its numbers are not shown at all). Training is timed outside the session, so its
speed stands whatever the session is.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from fkbench.boards.numbers import finite
from fkbench.records import RunRecord, Timing

TRAINING = ("train_s", "train_images_per_s")
SESSION = ("infer_images_per_s", "latency_ms_p50", "latency_ms_p99", "peak_memory_mib")
AT_ONCE = "trained_at_once"
"""Where a record and the tables for programs say it: how many seeds shared the device; absent where there was one."""
AGAIN = "again"
"""Where a record says that its session was carried out once more, see `fkbench.runtimes.again`."""
PROCESSOR = "cpu"
LATENCY_CALLS = 1000
"""Of a session under the contract; it may have fewer where a model is slow."""

Kind = Literal["full", "quick", "void"]
KINDS: tuple[Kind, ...] = ("full", "quick", "void")


@dataclass(frozen=True)
class Speed:
    """The speed of a row.

    Attributes:
        numbers: those of `TRAINING` and `SESSION` that are known.
        version: of the timing contract; None: not timed.
        session: the best kind among its seeds; None: there was no session.
        calls: least number of latency calls among the sessions that count, where it is known.
        why_void: the reason, where the session is void.
        threads: numbers of threads of a processor that its seeds were timed with, sorted, 0: not stated; empty for
            other devices, where the host's threads decide little.
        device: the one that the numbers are of, `type` or `type: name`; empty: not timed.
        at_once: how many seeds shared the device while they were trained, at most: the seconds of training are shares.
        disturbed: whether some run's own session was void, so that it was trained beside other work: without that the
            seconds would be fewer.
    """

    numbers: dict[str, float] = field(default_factory=dict)
    version: int | None = None
    session: Kind | None = None
    calls: int | None = None
    why_void: str = ""
    threads: tuple[int, ...] = ()
    device: str = ""
    at_once: int = 1
    disturbed: bool = False

    @property
    def conditions(self) -> tuple[tuple[int, ...], int | None]:
        """What must be equal, besides the device, where speeds are compared: threads and timing version."""
        return self.threads, self.version


def speed_of(records: Sequence[RunRecord]) -> Speed:
    """The speed under the newest timing version among the records, on the device that says most (`_telling`).

    Seeds on other devices do not count, nor those with a lesser session.
    """
    versions = [record.timing.version for record in records if record.timing is not None]
    if not versions:
        return Speed()
    version = max(versions)
    device, parts, threads = _telling([(r, r.timing) for r in records if r.timing and r.timing.version == version])
    session = min((kind for kind in map(_kind, parts) if kind), key=KINDS.index, default=None)
    counting = [part for part in parts if _kind(part) == session]
    at_once = max(found if type(found := _extra(part, AT_ONCE)) is int else 1 for part in parts)
    pages = [_training(part) for part in parts]
    disturbed = any(_disturbed(part) for part in parts if part.train_s is not None)
    found = Speed({}, version, session, threads=threads, device=device, at_once=at_once, disturbed=disturbed)
    if session == "void":
        reasons = sorted({str(_extra(part, "void_reason") or "no reason given") for part in counting})
        return replace(found, numbers=_medians(pages), why_void="; ".join(reasons))
    calls = [n for n in (_extra(part, "latency_calls") for part in counting) if type(n) is int]
    pages += [_session(part) for part in counting]
    return replace(found, numbers=_medians(pages), calls=min(calls, default=None))


def device_class(record: RunRecord) -> str:
    """`type`, or `type: name` where the device has a name: speeds are compared within one."""
    device = record.device
    return f"{device.type}: {device.name}" if device.name else device.type


def _telling(timed: Sequence[tuple[RunRecord, Timing]]) -> tuple[str, list[Timing], tuple[int, ...]]:
    """The device class with the best session, of as good the one with more such; its timings and threads."""
    by_device: dict[str, list[tuple[RunRecord, Timing]]] = {}
    for record, timing in timed:
        by_device.setdefault(device_class(record), []).append((record, timing))

    def rank(device: str) -> tuple[int, int, str]:
        kinds = [KINDS.index(kind) if (kind := _kind(timing)) else len(KINDS) for _, timing in by_device[device]]
        return min(kinds), -kinds.count(min(kinds)), device

    device = min(by_device, key=rank)
    chosen = by_device[device]
    return device, [timing for _, timing in chosen], _threads(record for record, _ in chosen)


def _threads(records: Iterable[RunRecord]) -> tuple[int, ...]:
    return tuple(sorted({record.device.threads or 0 for record in records if record.device.type == PROCESSOR}))


def threads_text(threads: Sequence[int]) -> str:
    """`2 threads`, `1 and 2 threads`; empty where none are stated."""
    known = [str(number) for number in threads if number]
    return f"{' and '.join(known)} thread{'' if known == ['1'] else 's'}" if known else ""


def _kind(part: Timing) -> Kind | None:
    if _extra(part, "void"):
        return "void"
    if all(value is None for value in _session(part).values()):
        return None
    return "quick" if _extra(part, "quick") else "full"


def _disturbed(part: Timing) -> bool:
    """Whether the session right after training was void; one that was repeated later says what it took the place of."""
    again = _extra(part, AGAIN)
    return bool(again.get("instead_of_void")) if isinstance(again, Mapping) else bool(_extra(part, "void"))


def _extra(part: Timing, name: str) -> object:
    return (part.model_extra or {}).get(name)


def _training(part: Timing) -> dict[str, float | None]:
    return {"train_s": part.train_s, "train_images_per_s": part.train_images_per_s}


def _session(part: Timing) -> dict[str, float | None]:
    return {
        "infer_images_per_s": part.infer_images_per_s,
        "latency_ms_p50": part.latency_ms.p50 if part.latency_ms else None,
        "latency_ms_p99": part.latency_ms.p99 if part.latency_ms else None,
        "peak_memory_mib": part.peak_memory_mib,
    }


def _medians(pages: Sequence[dict[str, float | None]]) -> dict[str, float]:
    names = dict.fromkeys(name for page in pages for name in page)
    known = {name: [value for page in pages if (value := page.get(name)) is not None] for name in names}
    medians = {name: finite(statistics.median(values)) for name, values in known.items() if values}
    return {name: value for name, value in medians.items() if value is not None}
