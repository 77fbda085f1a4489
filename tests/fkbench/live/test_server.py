"""The page in a browser, asked by a real HTTP client."""

from __future__ import annotations

import http.client
import json
import threading

import cv2
import numpy as np
import pytest
from live_drawings import face

from fkbench.errors import FkbenchError
from fkbench.live.server import Served


@pytest.fixture
def served():
    sink = Served("127.0.0.1", 0)
    yield sink
    sink.close()


def ask(served, path, **headers):
    port = int(served.address.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def part(answer):
    """The next JPEG of a multipart answer, decoded; None at its end."""
    line = answer.readline()
    assert line.startswith(b"--picture")
    if line.startswith(b"--picture--"):
        return None
    size = 0
    while (line := answer.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        size = int(value) if name.lower() == b"content-length" else size
    picture = cv2.imdecode(np.frombuffer(answer.read(size), np.uint8), cv2.IMREAD_COLOR)
    assert answer.readline() == b"\r\n"
    return picture


def test_a_reader_gets_one_picture_after_the_other_and_the_end(served):
    served.show(face(40, 60), 0.0)
    answer = ask(served, "/stream.mjpg")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
    one = part(answer)
    served.show(face(120, 60), 0.1)
    two = part(answer)
    for picture, x in ((one, 40), (two, 120)):
        assert picture.shape == (120, 160, 3)
        assert np.nonzero(picture[60, :, 0] > 128)[0].mean() == pytest.approx(x, abs=1)
    served.close()
    assert part(answer) is None


def test_a_slow_reader_gets_the_newest_and_holds_nobody_up(served):
    answer = ask(served, "/stream.mjpg")
    for x in range(20, 140, 10):
        served.show(face(x, 60), 0.0)
    seen = [np.nonzero(part(answer)[60, :, 0] > 128)[0].mean()]
    while seen[-1] < 129:
        seen.append(np.nonzero(part(answer)[60, :, 0] > 128)[0].mean())
    assert seen == sorted(seen)


def test_the_page_and_its_figures(served):
    page = ask(served, "/")
    text = page.read().decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'src="stream.mjpg"' in text
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("https://", "http").split("<body>")[1]  # nothing from elsewhere
    served.tell({"title": "<b>dfk", "fps": 31.25, "latency_ms": 12.0, "faces": 2, "frames": 7})
    state = ask(served, "/state.json")
    assert json.loads(state.read()) == {"title": "<b>dfk", "fps": 31.25, "latency_ms": 12.0, "faces": 2, "frames": 7}
    assert "default-src 'none'" in state.headers["Content-Security-Policy"]
    assert ask(served, "/secret").status == 404


def test_a_single_picture(served):
    waiting = threading.Timer(0.2, lambda: served.show(face(40, 60), 0.0))
    waiting.start()
    answer = ask(served, "/frame.jpg?x=1")
    waiting.join()
    assert cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR).shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
    ],
)
def test_other_names_that_were_pointed_here_are_refused(served, host, status):
    assert ask(served, "/", Host=host).status == status


def test_a_port_in_use_and_an_address_that_is_not_here_are_clear_lines(served):
    port = int(served.address.rstrip("/").rpartition(":")[2])
    for host, number in (("127.0.0.1", port), ("203.0.113.7", 0), ("127.0.0.1", 99_999)):
        with pytest.raises(FkbenchError, match="Cannot serve on"):
            Served(host, number)


def test_closing_twice_ends_every_reader_and_frees_the_port(served):
    served.show(face(40, 60), 0.0)
    answers = [ask(served, "/stream.mjpg") for _ in range(3)]
    served.close()
    served.close()
    for answer in answers:
        while part(answer) is not None:
            pass
        assert answer.read() == b""
    with pytest.raises(ConnectionRefusedError):
        ask(served, "/")


def test_a_reader_that_breaks_off_is_no_event_and_a_fault_is_shown(served, capsys):
    for kind in (BrokenPipeError, ConnectionResetError, TimeoutError):
        try:
            raise kind
        except kind:
            served._server.handle_error(None, ("127.0.0.1", 1))
    assert capsys.readouterr().err == ""
    try:
        raise KeyError("a fault")
    except KeyError:
        served._server.handle_error(None, ("127.0.0.1", 1))
    assert "KeyError: 'a fault'" in capsys.readouterr().err
