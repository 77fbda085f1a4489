"""Own data on the command line: everything that takes a dataset takes the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from fkbench.cli.main import build_app, command_of
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.finding import find_dataset
from fkbench.registry import load_file, load_registry
from fkbench.specs import DatasetSpec
from fkbench.testing import check_dataset

TEXT = """name = "mine"
summary = "drawn"
format = "csv"
labels = "labels.csv"
pictures = "images"
group = {column = "person"}
terms = {licence = "CC0", public = true}
"""


@pytest.fixture
def call(tmp_path):
    def _call(*words: str):
        front = ["--data", str(tmp_path / "data")]
        return CliRunner().invoke(build_app(command_of(words)), [*front, *words])

    return _call


@pytest.fixture
def file(own) -> Path:
    own.csv()
    return own.describe(TEXT)


def test_show_gives_scheme_counts_and_leaks(call, file):
    page = json.loads(call("show", str(file), "--json").stdout)
    assert (page["name"], page["scheme"], page["points"]) == ("mine", "mine-5", 5)
    assert page["counts"]["groups"] == 24
    assert page["splits"][0]["leaks"]["leaky"] is False
    assert page["terms"]["licence"] == "CC0"
    text = call("show", str(file)).stdout
    assert "mine-5, 5 points" in text
    assert "nothing on both sides" in text
    assert text.count("as 'faces.toml' has them") == 2
    assert "origin unknown" not in text


def test_show_draws_a_scheme_without_a_layout_on_the_mean_shape(call, file, tmp_path):
    picture = tmp_path / "scheme.png"
    page = json.loads(call("show", str(file), "--kind", "scheme", "--picture", str(picture), "--json").stdout)
    assert page["kind"] == "scheme"
    x, y = zip(*page["layout"], strict=True)
    assert x[0] > x[2] > x[1]  # the subject's left is on the right
    assert y[0] < y[2] < y[3]
    assert cv2.imread(str(picture)) is not None
    by_name = json.loads(call("--plugin", str(file), "show", "mine-5", "--json").stdout)
    assert by_name["layout"] == page["layout"]
    assert {row["name"] for row in json.loads(call("--plugin", str(file), "list", "schemes", "--json").stdout)} == {
        "face15", "face68", "mine-5"
    }  # fmt: skip


def test_preview_and_verify_and_get(call, file, tmp_path):
    out = tmp_path / "grid.png"
    result = call("data", "preview", str(file), "--part", "test", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert cv2.imread(str(out)) is not None
    found = json.loads(call("data", "verify", str(file), "--json").stdout)
    assert (found["dataset"], found["problems"], found["counts"]["labelled"]) == ("mine", [], 48)
    assert "mine is here: 48 labelled pictures" in call("data", "get", "mine").stdout
    refused = call("data", "import", str(file), "--from", str(tmp_path)).exception
    assert isinstance(refused, FkbenchError)
    assert "It is read from the files that 'faces.toml' names" in refused.remedy


def test_plugins_name_it_and_what_is_wrong_with_it(call, file, own):
    found = json.loads(call("--plugin", str(file), "plugins", "--json").stdout)
    assert found["plugins"][-1]["registers"]["datasets"] == ["mine"]
    bad = own.describe("formt = 'csv'\n", name="bad.toml")
    found = json.loads(call("--plugin", str(bad), "--plugin", str(file), "plugins", "--json").stdout)
    assert [failure["plugin"] for failure in found["failures"]] == ["bad.toml"]
    assert "Did you mean format" in found["failures"][0]["reason"]
    assert found["plugins"][-1]["registers"]["datasets"] == ["mine"]  # the bad one stops nothing else
    strict = call("--plugin", str(bad), "--strict-plugins", "list", "datasets").exception
    assert isinstance(strict, FkbenchError)


def test_two_files_of_one_name_are_both_named(own, file):
    registry = load_registry([file])
    assert load_file(registry, own.describe(TEXT, name="again.toml")) == []
    assert "faces.toml and again.toml" in registry.failures[-1].reason
    assert registry.get(DatasetSpec, "mine").plugin.name == "faces.toml"


def test_finding_by_name_file_and_neither(tmp_path, own, file):
    registry = load_registry()
    assert find_dataset(registry, "kaggle15").name == "kaggle15"
    assert find_dataset(registry, str(file)).name == "mine"
    assert find_dataset(registry, str(file)) is find_dataset(registry, str(file))  # loaded once
    with pytest.raises(UnknownNameError, match="Did you mean kaggle15"):
        find_dataset(registry, "kagle15", tmp_path / "data")
    with pytest.raises(FkbenchError, match="There is no file"):
        find_dataset(registry, str(tmp_path / "none.toml"))
    marks = tmp_path / "marks.py"
    marks.write_text("import fkbench\n\n@fkbench.dataset('a', scheme='face15')\ndef a(store, settings):\n    'A.'\n")
    assert find_dataset(registry, str(marks)).name == "a"
    none = tmp_path / "nothing.py"
    none.write_text("x = 1\n")
    with pytest.raises(FkbenchError, match="marks 0 datasets"):
        find_dataset(registry, str(none))
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    for _ in range(2):  # the second time the file is not executed again, and still what was wrong is said
        with pytest.raises(FkbenchError, match=r"'.*broken\.py' cannot be used: ZeroDivisionError"):
            find_dataset(registry, str(broken))


def test_describing_imports_nothing_heavy(file):
    """`fkbench list` answers at once, with a TOML file too."""
    code = f"""
import sys
from pathlib import Path
import fkbench.owndata.dataset
heavy = {{"numpy", "cv2", "torch", "pandas"}}
fkbench.owndata.dataset.read_dataset(Path({str(file)!r}), [])
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("extra", ["", "crops = true\n", "split = {column = 'part'}\n", "channels = 1\n"])
def test_it_passes_the_conformance_kit(own, store, extra):
    own.csv()
    spec = find_dataset(load_registry(), str(own.describe(TEXT + extra)))
    failed = [finding for finding in check_dataset(spec, store) if finding.status == "failed"]
    assert failed == []
