"""Where drawn pictures go: a video file or a window (the page in a browser is in `fkbench.live.server`)."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from fkbench.datasets.samples import ByteArray
from fkbench.errors import FkbenchError
from fkbench.live.sources import About

CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".avi": "MJPG"}
LARGEST = 4096
QUIT_KEYS = (ord("q"), ord("Q"), 27)
PROBE = "import cv2; cv2.namedWindow('fkbench'); cv2.waitKey(1)"
PROBE_S = 30


class Sink(Protocol):
    """Takes pictures (H, W, 3) BGR. `paced`: they are to come at the source's own rate, as somebody looks on."""

    paced: bool

    def show(self, canvas: ByteArray, at: float) -> bool: ...

    def close(self) -> None: ...


class VideoFile:
    """A video file, there only when it is whole: also one that was cut short by Ctrl-C.

    All its pictures have one size, that of the first or what the source says; others are fitted into it. Pictures of a
    live source stay as long as they stood, so that the film runs at the speed of life.
    """

    paced = False

    def __init__(self, path: Path, about: About) -> None:
        self.path, self.about = path, about
        self._scratch = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
        self._writer: Any = None
        self._size = (0, 0)
        self._written = 0
        check_video_target(path)

    def show(self, canvas: ByteArray, at: float) -> bool:
        if self._writer is None:
            self._open(canvas)
        picture = fitted(canvas, *self._size)
        times = 1
        if self.about.live:
            times = min(max(round(at * self.about.rate) + 1 - self._written, 0), round(10 * self.about.rate))
        for _ in range(times):
            self._writer.write(picture)
        self._written += times
        return True

    def close(self) -> None:
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        try:
            os.replace(self._scratch, self.path)
        except OSError as error:
            self._scratch.unlink(missing_ok=True)
            raise FkbenchError(f"Cannot write '{self.path}': {error.strerror}.", "Choose another --out.") from error

    def _open(self, canvas: ByteArray) -> None:
        wanted = self.about.size if any(self.about.size) else (canvas.shape[1], canvas.shape[0])
        share = min(1.0, LARGEST / max(wanted))
        # MPEG-4 wants even sides.
        wide, high = (max(2, int(side * share) // 2 * 2) for side in wanted)
        codec = CODECS[self.path.suffix.lower()]
        writer = cv2.VideoWriter(str(self._scratch), cv2.VideoWriter.fourcc(*codec), self.about.rate, (wide, high))
        if not writer.isOpened():
            self._try_to_write()
            other = "an .avi file" if codec == "mp4v" else "an .mp4 file"
            raise FkbenchError(
                f"This OpenCV ({cv2.__version__}) has no codec '{codec}' to write '{self.path}'.",
                f"Try {other}, or install opencv-python from PyPI, which brings FFmpeg.",
            )
        self._writer, self._size = writer, (wide, high)

    def _try_to_write(self) -> None:
        """OpenCV does not say why it cannot write: where it is the place, this does."""
        try:
            self._scratch.touch()
            self._scratch.unlink()
        except OSError as error:
            raise FkbenchError(f"Cannot write '{self.path}': {error.strerror}.", "Choose another --out.") from error


def check_video_target(path: Path) -> None:
    """Raise before any work is done for a file that could not be written; the folder is made.

    Raises:
        FkbenchError: its ending is none of a video, it is a folder, or the folder cannot be written.
    """
    if path.suffix.lower() not in CODECS:
        raise FkbenchError(f"'{path}' does not end like a video.", f"Use one of {', '.join(CODECS)}.")
    if path.is_dir():
        raise FkbenchError(f"'{path}' is a folder.", "Give a file name.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FkbenchError(f"Cannot make the folder of '{path}': {error.strerror}.", "Choose another --out.") from error
    if not os.access(path.parent, os.W_OK):
        raise FkbenchError(f"The folder of '{path}' cannot be written.", "Choose another --out.")


def fitted(canvas: ByteArray, wide: int, high: int) -> ByteArray:
    """A picture in another size: scaled to fit, in the middle of a dark ground; by a pixel or two it is only cut."""
    height, width = canvas.shape[:2]
    if 0 <= height - high <= 1 and 0 <= width - wide <= 1:
        return np.ascontiguousarray(canvas[:high, :wide])
    share = min(high / height, wide / width)
    size = (max(1, min(wide, round(width * share))), max(1, min(high, round(height * share))))
    small = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    out = np.full((high, wide, 3), 28, np.uint8)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    out[top : top + size[1], left : left + size[0]] = small
    return out


class Window:
    """A window on this machine's screen; q, Q, Esc or closing it ends the demo."""

    paced = True

    def __init__(self, title: str) -> None:
        check_window()
        self.title = title
        self._open = False

    def show(self, canvas: ByteArray, at: float) -> bool:
        if not self._open:
            cv2.namedWindow(self.title, cv2.WINDOW_AUTOSIZE)
            self._open = True
        cv2.imshow(self.title, canvas)
        return not self.quit_asked()

    def quit_asked(self) -> bool:
        """Whether a key that quits was pressed, or the window closed."""
        if cv2.waitKey(1) & 0xFF in QUIT_KEYS:
            return True
        return bool(cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1)

    def close(self) -> None:
        if self._open:
            cv2.destroyAllWindows()
            cv2.waitKey(1)


def check_window() -> None:
    """Raise where no window can be opened. Tried in a process of its own: without a display, Qt ends the process.

    Raises:
        FkbenchError: a headless OpenCV, no display, or a display that cannot be used.
    """
    remedy = "Use --serve, which shows it in a browser, or --out FILE.mp4."
    if not framework():
        raise FkbenchError("This OpenCV is headless: it cannot open windows.", remedy)
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "QT_QPA_PLATFORM"))):
        raise FkbenchError("There is no display here to open a window on.", remedy)
    try:
        tried = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, timeout=PROBE_S, check=False)
        works = tried.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    if not works:
        raise FkbenchError("OpenCV cannot open a window on this display.", remedy)


def framework() -> str:
    """What this OpenCV opens windows with; empty for a headless build."""
    for line in cv2.getBuildInformation().splitlines():
        name, _, value = line.strip().partition(":")
        if name == "GUI":
            return "" if value.strip() in {"", "NONE", "NO"} else value.strip()
    return ""
