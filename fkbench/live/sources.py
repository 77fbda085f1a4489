"""Where pictures come from: a camera, a video file, an address, or a folder of pictures."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from fkbench.datasets.samples import ByteArray
from fkbench.detect.pictures import shrunk
from fkbench.errors import FkbenchError
from fkbench.runner.pictures import SUFFIXES, Failures, find_pictures, read_picture

ADDRESSES = ("http://", "https://", "rtsp://", "rtmp://", "udp://", "tcp://")
LONGEST = 1920
"""px: larger pictures of a folder are shrunk to this longer side; videos are taken as they are."""
MEASURED = 50
"""Pictures of a folder that are read beforehand, to know the size of the video."""
USUAL_RATE = 25.0
WAIT_MS = 10_000
CLOSE_S = 0.5
"""How long a source that is being read is waited for."""


@dataclass(frozen=True)
class About:
    """What is known of a source before it is read.

    Attributes:
        name: as the user gave it.
        kind: `camera`, `address`, `video` or `folder`.
        live: pictures come by the clock and old ones may be left out; otherwise none is.
        rate: pictures a second, nominal.
        total: how many there are, 0 where nobody knows.
        moving: one picture follows from the other, so that faces can be followed.
        size: width and height that all pictures fit into, where they differ; (0, 0): as the first one.
    """

    name: str
    kind: str
    live: bool
    rate: float
    total: int = 0
    moving: bool = True
    size: tuple[int, int] = (0, 0)


class Source(Protocol):
    """Pictures one after the other, (H, W, 3) BGR; None when there are no more."""

    about: About

    def read(self) -> ByteArray | None: ...

    def close(self) -> None: ...


class Folder:
    """The pictures of a folder, or a single one, by name; large ones are shrunk.

    One that cannot be read is said and passed over.

    Args:
        say: told a line for each of these.

    Raises:
        FkbenchError: there are no pictures, or the first `MEASURED` cannot be read.
    """

    def __init__(self, path: Path, rate: float, say: Callable[[str], None] = lambda line: None) -> None:
        self.failures = Failures(find_pictures([path]), say)
        self._next = 0
        looked = [self._load(each) for each in self.failures.files[:MEASURED]]
        sizes = [picture.shape[:2] for picture in looked if picture is not None]
        if not sizes:
            self.failures.check_any()
            raise FkbenchError(
                f"The first {len(looked)} pictures of '{path}' cannot be read: see above.", "Move them elsewhere."
            )
        high, wide = (int(side) for side in np.array(sizes).max(axis=0))
        total = len(self.failures.files)
        self.about = About(str(path), "folder", False, rate, total, moving=False, size=(wide, high))

    def read(self) -> ByteArray | None:
        while self._next < len(self.failures.files):
            path = self.failures.files[self._next]
            self._next += 1
            picture = None if str(path) in self.failures.reasons else self._load(path)
            if picture is not None:
                return np.ascontiguousarray(picture[:, :, ::-1])
        return None

    def _load(self, path: Path) -> ByteArray | None:
        try:
            return shrunk(read_picture(path), LONGEST)[0]
        except FkbenchError as error:
            self.failures.add(path, error)
            return None

    def close(self) -> None:
        """Nothing is held open."""


class Capture:
    """A camera, a video file or an address, read by OpenCV.

    OpenCV must not let go of a capture while another thread reads from it: one that hangs in a read is left to the end
    of the process.
    """

    def __init__(self, about: About, capture: Any) -> None:
        self.about = about
        self._capture = capture
        self._reading = threading.Lock()

    def read(self) -> ByteArray | None:
        with self._reading:
            done, picture = self._capture.read()
        return _three_channels(picture) if done and picture is not None and picture.size else None

    def close(self) -> None:
        if self._reading.acquire(timeout=CLOSE_S):
            try:
                self._capture.release()
            finally:
                self._reading.release()


def _three_channels(picture: Any) -> ByteArray:
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(picture[:, :, :3], np.uint8)


def open_source(
    text: str, *, rate: float = 0.0, offline: bool = False, say: Callable[[str], None] = lambda line: None
) -> Source:
    """Open what `--source` names.

    Args:
        text: a camera's number, a file, a folder of pictures, or an address.
        rate: pictures a second that the user wants it played at; 0: its own (for a folder: 1).
        offline: addresses are refused.
        say: told a line for each picture of a folder that is passed over.

    Raises:
        FkbenchError: there is no such source, or it cannot be read.
    """
    _quiet()
    if text.strip().isdecimal():
        return _camera(int(text))
    if text.lower().startswith(ADDRESSES):
        if offline:
            raise FkbenchError(f"'{text}' needs the network, and --offline forbids it.", "Give a file or a camera.")
        return _address(text, rate)
    path = Path(text).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix.lower() in SUFFIXES):
        return Folder(path, rate or 1.0, say)
    if path.is_file():
        return _video(path, rate)
    if "://" in text:
        raise FkbenchError(f"'{text}' is no address that can be read.", f"Known beginnings: {', '.join(ADDRESSES)}.")
    raise FkbenchError(
        f"There is no source '{text}'.", "Give a camera's number (0), a video file, a folder of pictures or an address."
    )


def _quiet() -> None:
    """OpenCV and FFmpeg print warnings of their own about what is then said in one line."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging is not None:
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)


def _opened(*arguments: Any) -> Any:
    try:
        capture = cv2.VideoCapture(*arguments)
    except (cv2.error, SystemError):
        return None
    return capture if capture.isOpened() else None


def _camera(number: int) -> Source:
    capture = _opened(number)
    if capture is None:
        raise FkbenchError(
            f"Camera {number} cannot be opened: there is none of this number, or another program has it.",
            "Try another number, or give a video file or a folder of pictures.",
        )
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return Capture(About(str(number), "camera", True, _rate_of(capture)), capture)


def _address(text: str, rate: float) -> Source:
    waits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, WAIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, WAIT_MS]
    capture = _opened(text, cv2.CAP_FFMPEG, waits)
    if capture is None:
        raise FkbenchError(
            f"'{text}' cannot be opened as a video stream.",
            f"Check the address and the network; {WAIT_MS // 1000} s were given.",
        )
    total = _total_of(capture)
    return Capture(About(text, "address", not total, rate or _rate_of(capture), total), capture)


def _video(path: Path, rate: float) -> Source:
    capture = _opened(str(path))
    if capture is None:
        raise FkbenchError(
            f"'{path}' cannot be read as a video.",
            "It may be cut off, of another kind, or of a codec that this OpenCV lacks: `ffmpeg -i FILE out.mp4` helps.",
        )
    return Capture(About(str(path), "video", False, rate or _rate_of(capture), _total_of(capture)), capture)


def _rate_of(capture: Any) -> float:
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if 1.0 <= rate <= 240.0 else USUAL_RATE


def _total_of(capture: Any) -> int:
    total = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return int(total) if 0 < total < 1e9 else 0


def clock() -> float:
    """Seconds on the clock that frames are dated by."""
    return time.perf_counter()
