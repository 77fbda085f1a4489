"""What tells of a person or a machine leaves texts; what a reader needs stays."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fkbench.publishing.scrubbing import Scrubber, private_part

SCRUBBER = Scrubber(("jane",), ("janes-laptop",), ("/srv/my home/jane",))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("No such file: '/home/jane/nets/x.py', line 3", "No such file: '(path)', line 3"),
        ("/Users/Jane Doe/x.py: bad", "(path): bad"),
        ("open C:\\Users\\Jane Doe\\x\\net.py failed", "open (path) failed"),
        ("\\\\server\\share\\dir a\\x.txt gone", "(path) gone"),
        ("file:///home/x/y", "(path)"),
        ("in /srv/my home/jane/a.py", "in (path)"),
        ("path=/home/jane/w.pth", "path=(path)"),
        ("'/home/jane'", "'(path)'"),
        ("~/secrets/x and ~bob/y", "(path) and (path)"),
        ("mail jane@x.org now", "mail (address) now"),
        ("Jane on janes-laptop", "(user) on (host)"),
        ("Linux 6.1 x86_64, images/s, and/or, 1/2/3", "Linux 6.1 x86_64, images/s, and/or, 1/2/3"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("<script>bad()</script> in /opt", "<script>bad()</script> in (path)"),
        ("</home/jane/net.py>", "<(path)>"),
        ("net@faces/honest/fair, janet, sha256:ab/cd", "net@faces/honest/fair, janet, sha256:ab/cd"),
    ],
)
def test_texts(text, clean):
    assert SCRUBBER.text(text) == clean
    assert SCRUBBER.text(clean) == clean


HOSTILE = {
    "/a" * 200_000: "(path)",
    "\\" * 400_000: "\\" * 400_000,
    "C:\\" + "a" * 400_000: "(path)",
    "/home/" + "x " * 200_000: "(path) " + "x " * 199_999,
    "\\\\a\\b " * 60_000: "(path) " * 30_000,
}
"""Long texts that a backtracking pattern would be at for hours, were it of second order or more in their length."""


def test_long_hostile_texts_are_scrubbed_without_backtracking():
    code = (
        "import json, sys; from fkbench.publishing.scrubbing import Scrubber; "
        "print(json.dumps([Scrubber().text(text) for text in json.load(sys.stdin)]))"
    )
    done = subprocess.run(  # a pattern at work cannot be stopped but with its process
        [sys.executable, "-c", code], input=json.dumps(list(HOSTILE)), capture_output=True, text=True, timeout=600,
        check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == list(HOSTILE.values())


def test_this_machine_scrubs_its_user_and_home(monkeypatch):
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("HOME", "/data/people/somebody")
    monkeypatch.setenv("HOSTNAME", "workbench7")
    text = Scrubber.of_this_machine().text("somebody at workbench7 in /data/people/somebody/x")
    assert text == "(user) at (host) in (path)"


def test_account_names_of_nobody_are_left_in_sentences(monkeypatch):
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "root")
    assert Scrubber.of_this_machine().text("root mean square") == "root mean square"


def test_records_are_scrubbed_all_over_but_for_public_names(put):
    record = put(
        "jane", status="failed", reason="in /home/jane/x.py", metrics={}, model__settings={"w": "/home/jane/w.pth"},
        environment={"platform": "Linux janes-laptop", "hostname": "janes-laptop", "cpu": "CPU"},
        protocol__overrides={"model.weights": "/home/jane/w.pth"},
    )  # fmt: skip
    clean = SCRUBBER.record(record)
    assert clean.model.name == "jane"
    assert clean.key == record.key
    assert clean.reason == "in (path)"
    assert clean.environment.platform == "Linux (host)"
    text = clean.model_copy(update={"model": clean.model.model_copy(update={"name": "", "source": ""})}).canonical()
    assert "jane" not in text
    assert "hostname" not in text


def test_names_of_images_with_paths_are_found():
    assert private_part(("a/b.jpg", "/home/x/b.jpg")) == "/home/x/b.jpg"
    assert private_part(("a/b.jpg", "person 3", "")) == ""
