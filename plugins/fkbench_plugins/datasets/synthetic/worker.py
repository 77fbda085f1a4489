"""A rendering worker: jobs as JSON on standard input, packed pictures on standard output (see `pool.py`)."""

from __future__ import annotations

import json
import signal
import sys

import cv2
import numpy as np

from .pool import ANSWER
from .render import pack, render_batch


def main() -> None:
    """Renders every job of the one request on standard input."""
    cv2.setNumThreads(1)
    # Ctrl-C reaches the whole process group; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = json.load(sys.stdin)
    out = sys.stdout.buffer
    for number, indices in request["jobs"]:
        body = pack(render_batch(request["seed"], indices, request["size"]))
        out.write(np.array([(number, len(body))], ANSWER).tobytes())
        out.write(body)
        out.flush()
