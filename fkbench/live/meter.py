"""How fast a stream goes: pictures a second of late, and how old a picture is when it is shown."""

from __future__ import annotations

from collections import deque

import numpy as np

RECENT = 30
KEPT = 10_000


class Meter:
    """Fed with every picture that is shown.

    Attributes:
        shown: pictures so far.
    """

    def __init__(self) -> None:
        self.shown = 0
        self._first = self._last = 0.0
        self._times: deque[float] = deque(maxlen=RECENT + 1)
        self._latencies: deque[float] = deque(maxlen=KEPT)

    def tick(self, taken: float, now: float) -> None:
        """A picture that was taken at `taken` is ready at `now`; seconds on one clock."""
        if not self.shown:
            self._first = taken
        self.shown += 1
        self._last = now
        self._times.append(now)
        self._latencies.append(now - taken)

    @property
    def rate(self) -> float:
        """Pictures a second over the last ones; 0 before the second."""
        span = self._times[-1] - self._times[0] if len(self._times) > 1 else 0.0
        return (len(self._times) - 1) / span if span > 0 else 0.0

    @property
    def seconds(self) -> float:
        """From taking the first picture to showing the last."""
        return self._last - self._first

    @property
    def mean_rate(self) -> float:
        """Pictures a second over all of it."""
        return self.shown / self.seconds if self.seconds > 0 else 0.0

    @property
    def latency_ms(self) -> float:
        """Median over the last pictures, from taken to ready."""
        return 1000 * float(np.median(list(self._latencies)[-RECENT:])) if self._latencies else 0.0

    def latencies(self) -> dict[str, float]:
        """Milliseconds from taken to ready, over the last 10 000 pictures: p50 and p90."""
        if not self._latencies:
            return {"p50": 0.0, "p90": 0.0}
        p50, p90 = np.percentile(np.array(self._latencies) * 1000, [50, 90])
        return {"p50": round(float(p50), 3), "p90": round(float(p90), 3)}
