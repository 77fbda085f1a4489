"""What the README and the pages of the documentation tell people to type works.

Every fenced block of every page is tried, in order, in a folder of its own: `sh` commands through the command line
itself, `python` as it stands. A block whose first line is a comment with a file name becomes that file. What is long is
short here (budgets, number of rendered faces) or done once for all runs (speed sessions, pictures); nothing else is
changed.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import fkbench_plugins.datasets.synthetic
import numpy as np
import pytest

from fkbench.cli.main import main
from fkbench.protocols import PROTOCOLS
from fkbench.records import RunStore
from fkbench.runner import single, timing
from fkbench.specs import Setting

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SCORES = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
BUDGET = {"smoke": 40, "uniform": 256}
FACES = 200
KNOWN: dict = {}
"""What `once` remembers."""

NOT_RUN = {
    "python3 -m venv .venv": "sets up an environment; CI's own script does it",
    ". .venv/bin/activate": "as above",
    "pip install -e .": "as above",
    "pip install -e '.[kaggle]'": "as above",
    "pip install tox": "CI's own script does it",
    "tox": "is what CI runs: this test is a part of it",
    "fkbench data get youtube68": "downloads 339 MB",
    "fkbench data get kaggle15": "needs a Kaggle account",
}
"""Commands that are not tried, with the reason."""

REFUSED = {
    "youtube68": "is not on this machine",
    "youtube15": "is not on this machine",
    "kaggle15": "is not on this machine",
    "--part unlabelled": "has no unlabelled part here",
}
"""What stands in a command that cannot succeed without the real data → the error that it must give instead: its
options are right, and it says what is missing."""

ALLOWED = {"fkbench show youtube68"}
"""Commands on real data that say what they can without it."""


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(*one) for one in found]


def commands(text: str) -> list[str]:
    """One command each, without comments; what `&&` joins is apart."""
    lines = [shlex.join(shlex.split(line, comments=True)) for line in text.replace("\\\n", " ").splitlines()]
    return [part.strip() for line in lines for part in line.replace("'&&'", "&&").split("&&") if part.strip()]


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    """The data folder of all pages of this process: faces are rendered once."""
    return tmp_path_factory.mktemp("faces")


@pytest.fixture
def small(monkeypatch):
    """Small budgets and few faces; one speed session and one set of pictures for each kind of model."""
    for name, images in BUDGET.items():
        protocol = PROTOCOLS[name]
        monkeypatch.setitem(PROTOCOLS, name, replace(protocol, recipe=replace(protocol.recipe, images_seen=images)))
    synthetic = fkbench_plugins.datasets.synthetic
    count = {"count": Setting(FACES, "number of faces")}
    specs = tuple(replace(spec, settings={**spec.settings, **count}) for spec in synthetic.SPECS)
    monkeypatch.setattr(synthetic, "SPECS", specs)
    monkeypatch.setattr(timing, "time_model", once(timing.time_model, lambda *_, **named: "net" in named, quick=True))
    monkeypatch.setattr(single, "draw_outcome", once(single.draw_outcome, lambda *given: bool(given[2])))


def once(function, kind, **always):
    """The function, called once in this process for each kind of arguments; later calls get what the first gave."""

    def remembered(*given, **named):
        which = (function.__name__, kind(*given, **named))
        if which not in KNOWN:
            KNOWN[which] = function(*given, **{**named, **always})
        return KNOWN[which]

    return remembered


@pytest.fixture
def folder(tmp_path, monkeypatch, faces):
    """An empty folder to work in, with what the pages take for granted: a picture, an album, points."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FKBENCH_DATA", str(faces))
    monkeypatch.delenv("FKBENCH_RUNS", raising=False)
    random = np.random.default_rng(0)
    cv2.imwrite("face.jpg", random.integers(0, 256, (120, 100, 3), dtype=np.uint8))
    Path("points.csv").write_text("id,x0,y0\n")
    album = tmp_path / "faces"
    album.mkdir()
    rows = []
    for number in range(40):
        cv2.imwrite(str(album / f"{number}.png"), random.integers(0, 256, (64, 64), dtype=np.uint8))
        places = ",".join(f"{place:.1f}" for place in random.uniform(0, 63, 30))
        rows.append(f"{number}.png,person{number // 2},{places}")
    (album / "points.csv").write_text("\n".join(rows))
    return tmp_path


def last_run(folder: Path) -> str:
    """The key of a finished run, that of a net where there is one."""
    records = [record for record in RunStore(folder / "runs").records() if record.status == "done"]
    assert records, "the page names a RUN before it makes one"
    return max(records, key=lambda record: (record.model.role != "baseline", record.created)).key


def run_command(command: str, folder: Path, capsys) -> None:
    words = shlex.split(command)
    assert words[0] == "fkbench", f"'{command}' is neither a command of fkbench nor listed in NOT_RUN"
    code = main([last_run(folder) if word == "RUN" else word for word in words[1:]])
    said = "".join(capsys.readouterr())
    refusals = [text for part, text in REFUSED.items() if part in command and command not in ALLOWED]
    if refusals:
        assert (code, refusals[0] in said) == (2, True), f"{command}\n{said}"
    else:
        assert code == 0, f"{command}\n{said}"


def run_python(text: str, names: dict) -> None:
    file = re.match(r"# (\S+\.py)\n", text)
    if file:
        Path(file[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(file[1]).write_text(text)
    exec(compile(text, file[1] if file else "<page>", "exec"), {} if file else names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_works(page, folder, small, capsys):
    names = {"images": [np.zeros((96, 96), np.uint8)]}
    for block in blocks(page):
        if block.language == "sh":
            for command in commands(block.text):
                if command not in NOT_RUN:
                    run_command(command, folder, capsys)
        elif block.language == "python":
            run_python(block.text, names)
        elif block.language == "toml":
            tomllib.loads(block.text)
            file = re.match(r"# (\S+\.toml)\n", block.text)
            if file:
                Path(file[1]).write_text(block.text, encoding="utf-8")
    for record in RunStore(folder / "runs").records():
        known = SCORES + page.read_text(encoding="utf-8").replace('"', "`")  # a page may make a score of its own
        unknown = [name for name in record.metrics if f"`{name}`" not in known]
        assert not unknown, f"docs/scores.md lacks {unknown} of {record.model.name}"


def test_every_command_that_is_not_run_stands_somewhere():
    typed = {command for page in PAGES for block in blocks(page) if block.language == "sh"
             for command in commands(block.text)}  # fmt: skip
    assert set(NOT_RUN) - {"pip install -e '.[kaggle]'"} <= typed | set(inline_commands())


def inline_commands() -> list[str]:
    """Commands within the README's text."""
    return re.findall(r"`([^`\n]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
