"""Capture, detection and keypoints, each in a thread, with short queues between them.

From a live source old pictures are left out before any work is done on them, so that what is shown is never far behind;
from a file none is, and what is found does not depend on the speed of the machine.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fkbench.detect.found import BoxArray, Found
from fkbench.live.frames import Frame
from fkbench.live.sources import Source, clock
from fkbench.live.tracking import Tracker

DEPTH = 2  # pictures that may wait before a stage; 1 before the first one of a live source
MOST_WAITING = 16  # more of them at 4K are half a gigabyte
POLL_S = 0.1  # how soon a waiting thread sees that all is over

Detect = Callable[[Any], tuple[Found, BoxArray]]
"""A picture (H, W, 3) RGB → what is found in it, and its squares (M, 4)."""


@dataclass
class Counts:
    """What happened on the way.

    Attributes:
        read: pictures that the source gave.
        dropped: of these, left out because newer ones were there.
        detections: how often the detector was asked.
        ended: the source gave no more pictures.
    """

    read: int = 0
    dropped: int = 0
    detections: int = 0
    ended: bool = False


class Belt:
    """A short queue between two threads; waiting ends when `stop` is set."""

    END = object()

    def __init__(self, depth: int, stop: threading.Event) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(depth)
        self._stop = stop

    def put(self, item: Any) -> None:
        """Wait for room."""
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=POLL_S)
            except queue.Full:
                continue
        return None

    def push(self, item: Any) -> int:
        """Make room by throwing out the oldest. Returns how many were thrown out."""
        thrown = 0
        while True:
            try:
                self._queue.put_nowait(item)
                return thrown
            except queue.Full:
                try:
                    self._queue.get_nowait()
                    thrown += 1
                except queue.Empty:
                    continue

    def items(self) -> Iterator[Any]:
        """What was put on it, up to `END`; an exception that was put on it is raised."""
        while not self._stop.is_set():
            try:
                item = self._queue.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if item is self.END:
                return
            if isinstance(item, BaseException):
                raise item
            yield item


class Pipeline:
    """The frames of a source with the faces in them, in order.

    Args:
        detect: called with every `every`-th picture, from a thread of its own.
        tracker: called with every picture, from another one.
        every: 1 or more.
    """

    def __init__(self, source: Source, detect: Detect, tracker: Tracker, *, every: int = 1) -> None:
        self.source, self.detect, self.tracker, self.every = source, detect, tracker, max(1, every)
        self.counts = Counts()
        self._stop = threading.Event()
        self._belts = [Belt(depth, self._stop) for depth in self._depths()]
        self._threads: list[threading.Thread] = []

    def _depths(self) -> tuple[int, int, int]:
        """Pictures that may wait before detection, before following and before being shown.

        Of a recorded source as many as the detector leaves out wait to be followed, so that both always have work: the
        detector is busy with one picture for as long as the others need together. Live, they would only be old.
        """
        return (1, DEPTH, DEPTH) if self.source.about.live else (DEPTH, DEPTH + min(self.every, MOST_WAITING), DEPTH)

    def frames(self) -> Generator[Frame, None, None]:
        """Run until the source ends or the iterator is closed; an error in a thread is raised here."""
        stages = (self._capture, self._search, self._follow)
        self._threads = [threading.Thread(target=self._guarded, args=(i, s), daemon=True) for i, s in enumerate(stages)]
        for thread in self._threads:
            thread.start()
        try:
            yield from self._belts[2].items()
        finally:
            self.stop()

    def stop(self) -> None:
        """End the threads and let go of the source."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2.0)
        self.source.close()

    def _guarded(self, number: int, stage: Callable[[], None]) -> None:
        try:
            stage()
        except BaseException as error:  # goes the way of the frames to the thread that can tell the user
            self._belts[number].put(error)
        else:
            self._belts[number].put(Belt.END)

    def _capture(self) -> None:
        about, began = self.source.about, None
        while not self._stop.is_set():
            picture = self.source.read()
            if picture is None:
                self.counts.ended = True
                return
            index, taken = self.counts.read, clock()
            began = taken if began is None else began  # a camera may take seconds to its first picture
            self.counts.read += 1
            frame = Frame(index, picture, taken - began if about.live else index / about.rate, taken)
            if about.live:
                self.counts.dropped += self._belts[0].push(frame)
            else:
                self._belts[0].put(frame)

    def _search(self) -> None:
        for passed, frame in enumerate(self._belts[0].items()):
            if passed % self.every == 0:
                seen = np.asarray(cv2.cvtColor(frame.picture, cv2.COLOR_BGR2RGB), np.uint8)
                frame.found, frame.squares = self.detect(seen)
                self.counts.detections += 1
            self._belts[1].put(frame)

    def _follow(self) -> None:
        for frame in self._belts[1].items():
            if not self.source.about.moving:
                self.tracker.forget()
            scores = None if frame.found is None else frame.found.scores.tolist()
            frame.faces = self.tracker.update(frame.picture, frame.at, frame.squares, scores)
            self._belts[2].put(frame)
