"""Downloads, from a server that the test starts."""

from __future__ import annotations

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fkbench.datasets.download import discard, fetch
from fkbench.datasets.progress import listening
from fkbench.errors import FkbenchError

BODY = bytes(range(256)) * 1000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY if self.path == "/whole" else BODY[:1000])

    def log_message(self, *args):
        pass


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def get(store, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return partial(fetch, store, name="set.zip", manually="Get it by hand.", offline=False)


def test_a_file_arrives_whole_with_progress(get, url, store):
    seen = []
    with listening(lambda *report: seen.append(report)):
        path = get(url=f"{url}/whole")
    assert path.read_bytes() == BODY
    assert seen[-1] == ("Downloading set.zip", len(BODY), len(BODY))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert list(path.parent.iterdir()) == [path]


def test_a_file_left_from_before_is_not_trusted(get, url, store):
    path = store.root / "downloads" / "set.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert get(url=f"{url}/whole").read_bytes() == BODY


@pytest.mark.parametrize("page", ["missing", "short"])
def test_a_failed_download_says_what_to_do_and_leaves_nothing(get, url, store, page):
    with pytest.raises(FkbenchError, match="Downloading http") as caught:
        get(url=f"{url}/{page}")
    assert caught.value.remedy == "Get it by hand."
    assert list((store.root / "downloads").iterdir()) == []


def test_a_server_that_is_not_there(get):
    with pytest.raises(FkbenchError, match="failed"):
        get(url="http://127.0.0.1:9/set.zip")


def test_offline_asks_nobody(get, url):
    with pytest.raises(FkbenchError, match="--offline forbids it"):
        get(url=f"{url}/whole", offline=True)


def test_only_own_files_are_discarded(get, url, store, tmp_path):
    own, other = get(url=f"{url}/whole"), tmp_path / "set.zip"
    other.write_bytes(b"x")
    discard(store, own)
    discard(store, other)
    assert not own.exists()
    assert other.exists()
