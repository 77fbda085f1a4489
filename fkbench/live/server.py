"""The stream in a browser: a page and a motion-JPEG answer, by the standard library's HTTP server.

Works over SSH (`ssh -L 8000:127.0.0.1:8000 machine`) and with a headless OpenCV. Each reader gets the newest picture
when it has taken the last one: a slow one sees fewer, and holds nobody up. A picture is encoded once, when it is asked
for.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from fkbench.datasets.samples import ByteArray
from fkbench.errors import FkbenchError
from fkbench.live.page import PAGE

BOUNDARY = "picture"
QUALITY = 85
WAIT_S = 0.5
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
POLICY = "default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class Stage:
    """The newest picture, for any number of readers."""

    def __init__(self) -> None:
        self.closed = False
        self.state: Mapping[str, Any] = {}
        self._changed = threading.Condition()
        self._picture: ByteArray | None = None
        self._jpeg: bytes | None = None
        self._number = 0

    def put(self, canvas: ByteArray) -> None:
        """A new picture; the caller must not change it afterwards."""
        with self._changed:
            self._picture, self._jpeg = canvas, None
            self._number += 1
            self._changed.notify_all()

    def close(self) -> None:
        """No more pictures come: the readers' answers end."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def newest(self, after: int) -> tuple[int, bytes] | None:
        """Number and JPEG of the newest picture, once there is a newer one than `after`; None when it has ended."""
        with self._changed:
            while self._number <= after or self._picture is None:
                if self.closed:
                    return None
                self._changed.wait(WAIT_S)
            if self._jpeg is None:
                _, encoded = cv2.imencode(".jpg", self._picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
                self._jpeg = encoded.tobytes()
            return self._number, self._jpeg


class Handler(BaseHTTPRequestHandler):
    """Answers `/`, `/state.json`, `/frame.jpg` and `/stream.mjpg`."""

    server: Server
    timeout = 30

    def do_GET(self) -> None:
        stage, path = self.server.stage, self.path.partition("?")[0]
        if not self._expected_host():
            self.send_error(HTTPStatus.FORBIDDEN, "Unknown host")
        elif path == "/":
            self._answer(PAGE.encode(), "text/html; charset=utf-8")
        elif path == "/state.json":
            self._answer(json.dumps(stage.state).encode(), "application/json")
        elif path == "/frame.jpg":
            newest = stage.newest(0)
            if newest is None:
                self.send_error(HTTPStatus.GONE, "The stream has ended")
            else:
                self._answer(newest[1], "image/jpeg")
        elif path == "/stream.mjpg":
            self._stream(stage)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _expected_host(self) -> bool:
        """On loopback only names of this machine are answered: another site's name that was pointed here could
        otherwise read the camera from a visitor's browser (DNS rebinding)."""
        if self.server.server_address[0] not in LOOPBACK:
            return True
        host = self.headers.get("Host", "")
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return name.lower() in LOOPBACK

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self._common_headers()
        self.wfile.write(content)

    def _common_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def _stream(self, stage: Stage) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self._common_headers()
        number = 0
        try:
            while (newest := stage.newest(number)) is not None:
                number, jpeg = newest
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            self.wfile.write(f"--{BOUNDARY}--\r\n".encode())
        except OSError:
            return  # the reader has gone

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the terminal belongs to the demo."""


class Server(ThreadingHTTPServer):
    """Carries the stage to its handlers."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], stage: Stage) -> None:
        self.stage = stage
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that breaks off is no event; anything else is printed with its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Served:
    """A sink that shows pictures at an address.

    Args:
        host: what to listen on; 127.0.0.1 is seen from this machine only.
        port: 0: any free one.

    Raises:
        FkbenchError: the address or port cannot be used.
    """

    paced = True

    def __init__(self, host: str, port: int) -> None:
        self.stage = Stage()
        try:
            self._server = Server((host, port), self.stage)
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise FkbenchError(
                f"Cannot serve on {host}, port {port}: {said}.", "Choose another --port (0: any free one) or --host."
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """What to open in a browser."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def show(self, canvas: ByteArray, at: float) -> bool:
        self.stage.put(canvas)
        return True

    def tell(self, state: Mapping[str, Any]) -> None:
        """Facts for the page: `title`, `fps`, `latency_ms`, `faces`, `frames`."""
        self.stage.state = state

    def close(self) -> None:
        self.stage.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2.0)
