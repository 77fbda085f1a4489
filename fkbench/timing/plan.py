"""How long a timing session takes: the contract's, and a short one whose numbers are marked."""

from __future__ import annotations

from dataclasses import dataclass

CONTRACT_CALLS = 1000


@dataclass(frozen=True)
class Plan:
    """How long a session takes. Seconds are upper bounds; what was done is recorded.

    Attributes:
        rounds: each measures control, latency and throughput once.
        calls: latency calls of the whole session.
        latency_s: for them all.
        repetitions: of throughput, in the whole session.
        repetition_s: length of one.
        control_s: length of a control block.
        warm_up_s: at least so long before anything is timed.
        slowest_batch_s: batches that take longer are made smaller.
        slowest_sweep_s: batches of a sweep that take longer are left out.
        attempts: sessions, while the one before is void; all but the last are given up as soon as they are.
    """

    rounds: int = 5
    calls: int = CONTRACT_CALLS
    latency_s: float = 5.0
    repetitions: int = 10
    repetition_s: float = 0.12
    control_s: float = 0.08
    warm_up_s: float = 0.3
    slowest_batch_s: float = 0.25
    slowest_sweep_s: float = 2.0
    attempts: int = 2


FULL = Plan()
QUICK = Plan(rounds=3, calls=150, latency_s=0.6, repetitions=3, repetition_s=0.05, control_s=0.03, warm_up_s=0.1,
             slowest_batch_s=0.1, slowest_sweep_s=0.5, attempts=1)  # fmt: skip
