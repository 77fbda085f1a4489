"""The demo itself: frames out of the pipeline, drawn, shown, counted, and the reason why it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.live.frames import Frame
from fkbench.live.meter import Meter
from fkbench.live.overlays import Overlay, status_line
from fkbench.live.pipeline import Pipeline
from fkbench.live.server import Served
from fkbench.live.sinks import Sink, Window
from fkbench.live.sources import About, clock
from fkbench.words import counted

LOST = 1
"""Exit code where a live source stopped by itself."""
LOOK_S = 0.05
"""How often a window is asked for keys while a picture stands."""
SHORT = 0.95
"""A video that gives less than this share of the frames that it states is said to be cut off."""


@dataclass
class Show:
    """A demo that is played once.

    Attributes:
        title: what is shown: model and detector.
        status: draw frame rate and latency into the pictures.
        most: stop after so many frames; 0: never.
        progress: told frames done and in all (0: unknown) after each.
        ended: why it ended: `end`, `quit`, `limit`, `lost` or `interrupted`.
    """

    pipeline: Pipeline
    overlay: Overlay
    sinks: Sequence[Sink]
    title: str = "fkbench demo"
    status: bool = True
    most: int = 0
    progress: Callable[[int, int], None] | None = None
    meter: Meter = field(default_factory=Meter)
    faces: int = 0
    with_faces: int = 0
    size: tuple[int, int] = (0, 0)
    ended: str = "interrupted"
    _began: float | None = field(default=None, init=False)

    @property
    def about(self) -> About:
        return self.pipeline.source.about

    def play(self) -> None:
        """Until the source ends, `most` frames were shown or the user quits.

        Raises:
            FkbenchError: the source gave no picture at all, or something failed on the way. The sinks are closed.
        """
        try:
            with closing(self.pipeline.frames()) as frames:
                for frame in islice(frames, self.most or None):
                    if not self._show(frame):
                        self.ended = "quit"
                        return
            self.ended = "limit" if self.most and self.meter.shown >= self.most else self._source_ended()
        finally:
            self._close()
        if not self.meter.shown:
            raise FkbenchError(f"'{self.about.name}' gave no picture.", "It may be empty, cut off or in use elsewhere.")

    def _show(self, frame: Frame) -> bool:
        self.size = (frame.picture.shape[1], frame.picture.shape[0])
        self.faces += len(frame.faces)
        self.with_faces += bool(frame.faces)
        self.overlay(frame.picture, frame.faces)
        if self.status and self.meter.rate:
            status_line(frame.picture, self._status(len(frame.faces)))
        going = [sink.show(frame.picture, frame.at) for sink in self.sinks]
        self.meter.tick(frame.taken, clock())
        self._tell(len(frame.faces))
        if self.progress is not None:
            self.progress(self.meter.shown, self.about.total)
        return all(going) and self._wait(frame)

    def _status(self, faces: int) -> str:
        return f"{self.meter.rate:.1f} frames/s   {self.meter.latency_ms:.0f} ms   {counted(faces, 'face')}"

    def _tell(self, faces: int) -> None:
        state = {
            "title": self.title,
            "fps": round(self.meter.rate, 2),
            "latency_ms": round(self.meter.latency_ms, 1),
            "faces": faces,
            "frames": self.meter.shown,
        }
        for sink in self.sinks:
            if isinstance(sink, Served):
                sink.tell(state)

    def _wait(self, frame: Frame) -> bool:
        """A file that somebody looks at is played at its own rate. False: the user quits meanwhile."""
        if self.about.live or not any(sink.paced for sink in self.sinks):
            return True
        if self._began is None:
            self._began = clock() - frame.at
        due = self._began + frame.at + 1 / self.about.rate
        windows = [sink for sink in self.sinks if isinstance(sink, Window)]
        while windows and due - clock() > LOOK_S:
            time.sleep(LOOK_S)
            if any(window.quit_asked() for window in windows):
                return False
        time.sleep(max(0.0, due - clock()))
        return True

    def _source_ended(self) -> str:
        return "lost" if self.about.live else "end"

    def _close(self) -> None:
        with ExitStack() as stack:  # one that fails keeps none of the others open
            for sink in reversed(self.sinks):
                stack.callback(sink.close)

    def summary(self) -> dict[str, Any]:
        """What happened, as JSON values."""
        counts = self.pipeline.counts
        return {
            "source": self.about.name,
            "kind": self.about.kind,
            "size": list(self.size),
            "ended": self.ended,
            "frames": self.meter.shown,
            "dropped": counts.dropped,
            "detections": counts.detections,
            "faces": self.faces,
            "frames_with_faces": self.with_faces,
            "seconds": round(self.meter.seconds, 3),
            "fps": round(self.meter.mean_rate, 3),
            "latency_ms": self.meter.latencies(),
        }

    def reason(self) -> str:
        """Why it ended, as a line."""
        name, shown = self.about.name, self.meter.shown
        if self.ended == "lost":
            return f"The {self.about.kind} '{name}' gives no more pictures: unplugged, taken over or out of reach."
        if self.ended == "quit":
            return "Quit."
        if self.ended == "limit":
            return f"Stopped after {shown} frames, as asked."
        if self.ended == "interrupted":
            return f"Stopped after {shown} frames."
        if self.about.kind == "video" and shown < SHORT * self.about.total:
            return f"The end of '{name}': {shown} of the {self.about.total} frames that it states could be read."
        return f"The end of '{name}'."
