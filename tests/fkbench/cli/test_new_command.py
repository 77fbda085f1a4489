"""`fkbench new`: what it writes works, is clean, and passes its own test."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fkbench.cli.main import main
from fkbench.scaffold.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]
RULES = "E,F,I,B,UP,N,SIM,RUF,PT,C4,PIE,RET,ANN,C90"


def new(*words: str) -> int:
    return main(["new", *words])


def python(*words: str, cwd: Path, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, path), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)


def lines_of_code(source: str) -> int:
    """Lines that are neither blank, comment nor docstring."""
    strings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            strings |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    numbered = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in numbered if line.split("#")[0].strip() and number not in strings)


PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-rs")


@pytest.mark.slow
def test_new_files_pass_their_own_tests(tmp_path, capsys):
    for kind in KINDS:
        assert new(kind, f"my{kind}", "--out", str(tmp_path)) == 0
        assert {f"my{kind}.py", f"test_my{kind}.py"} <= {path.name for path in tmp_path.iterdir()}
        assert "fkbench check" in capsys.readouterr().out
    told = python(*PYTEST, str(tmp_path), cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert " passed" in told.stdout
    assert "skipped" not in told.stdout.splitlines()[-1]


def test_what_the_new_tests_say_of_broken_files(tmp_path):
    """A fault of the author's is one failing test with the kit's own words; so is a file that cannot be loaded."""
    for name in ("mine", "gone"):
        assert new("detector", name, "--out", str(tmp_path)) == 0
    file = tmp_path / "mine.py"
    file.write_text(file.read_text().replace("return np.zeros((0, 4))", "return np.zeros(4)"))
    (tmp_path / "gone.py").write_text("import no_such_module")
    told = python(*PYTEST, str(tmp_path), cwd=tmp_path)
    assert told.returncode == 1
    assert "test_mine[empty]" in told.stdout
    assert "What to do: " in told.stdout
    assert "test_gone[file]" in told.stdout
    assert "no_such_module" in told.stdout
    assert "Traceback" not in told.stdout


def test_a_new_model_has_at_most_ten_lines(tmp_path):
    assert new("model", "mine", "--out", str(tmp_path)) == 0
    assert lines_of_code((tmp_path / "mine.py").read_text()) <= 10


@pytest.mark.slow
def test_new_packages_are_plugins_when_they_are_installed(tmp_path):
    """Installed by the metadata that pip writes: name, version and entry point."""
    sources = []
    for kind in KINDS:
        assert new(kind, f"our{kind}", "--package", "--out", str(tmp_path)) == 0
        source = tmp_path / f"our{kind}" / "src"
        info = source / f"fkbench_our{kind}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fkbench-our{kind}\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text(f"[fkbench]\nour{kind} = fkbench_our{kind}\n")
        sources.append(source)
    told = python("-m", "fkbench.cli.main", "plugins", "--json", cwd=tmp_path, path=tuple(sources))
    plugins = json.loads(told.stdout)
    registered = {plugin["name"]: plugin["registers"] for plugin in plugins["plugins"]}
    assert plugins["failures"] == []
    for kind, about in KINDS.items():
        assert registered[f"fkbench-our{kind}"][about.group] == [f"our{kind}"]
    told = python(*PYTEST, "--import-mode=importlib", str(tmp_path), cwd=tmp_path, path=tuple(sources))
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_test_of_a_package_says_that_it_is_not_installed(tmp_path):
    assert new("detector", "mine", "--package", "--out", str(tmp_path)) == 0
    project = tmp_path / "mine"
    told = python(*PYTEST, str(project), "-k", "registers", cwd=project, path=(project / "src",))
    assert told.returncode == 1
    assert "test_the_entry_point_registers_it" in told.stdout


def test_a_new_package_states_the_entry_point(tmp_path):
    import tomllib

    assert new("model", "my_net", "--package", "--out", str(tmp_path)) == 0
    stated = tomllib.loads((tmp_path / "my_net" / "pyproject.toml").read_text())
    assert stated["project"]["name"] == "fkbench-my-net"
    assert stated["project"]["entry-points"]["fkbench"] == {"my_net": "fkbench_my_net"}
    (package,) = stated["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert (tmp_path / "my_net" / package / "__init__.py").is_file()


def test_what_is_written_is_formatted_and_clean(tmp_path):
    pytest.importorskip("ruff")
    folders = [tmp_path / "files", *(tmp_path / f"our{kind}" for kind in KINDS)]
    for kind in KINDS:
        assert new(kind, f"my{kind}", "--out", str(tmp_path / "files")) == 0
        assert new(kind, f"our{kind}", "--package", "--out", str(tmp_path)) == 0
    for folder in folders:
        width = ["--isolated", "--line-length", "120", "--no-cache"]
        for words in (["format", "--diff", *width], ["check", "--select", RULES, *width]):
            told = python("-m", "ruff", *words, ".", cwd=folder)
            assert told.returncode == 0, told.stdout + told.stderr


def test_nothing_is_written_over(tmp_path, capsys):
    (tmp_path / "test_mine.py").write_text("precious")
    assert new("model", "mine", "--out", str(tmp_path)) == 2
    assert "--force" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["test_mine.py"]
    assert (tmp_path / "test_mine.py").read_text() == "precious"
    assert new("model", "mine", "--out", str(tmp_path), "--force") == 0
    assert "conformance" in (tmp_path / "test_mine.py").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["modell", "mine"], "Did you mean model"),
        (["model", "my-net"], "For example my_net"),
        (["model", "class"], "For example net_class"),
        (["model", "3d"], "For example net_3d"),
        (["model", "../up"], "For example up"),
        (["model", "torch"], "would hide the Python module 'torch'"),
        (["model", "json"], "would hide the Python module 'json'"),
        (["model", "dfk"], "a model 'dfk' already"),
    ],
)
def test_bad_names(words, said, tmp_path, capsys):
    assert new(*words, "--out", str(tmp_path / "out")) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert new("model", "mine", "--out", str(tmp_path / "file")) == 2
    assert "--out" in capsys.readouterr().err


def test_where_pytest_is_missing_the_extra_that_brings_it_is_named(tmp_path, capsys, monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(need.startswith("pytest>") for need in project["optional-dependencies"]["test"])
    monkeypatch.setattr("fkbench.cli.new.find_spec", lambda name: None)
    for words, said in ((["mine"], True), (["other", "--package"], False)):  # a package has an extra of its own
        assert new("model", *words, "--out", str(tmp_path)) == 0
        assert (f"pip install '{project['name']}[test]'" in capsys.readouterr().out) is said
    monkeypatch.undo()
    assert new("model", "third", "--out", str(tmp_path)) == 0
    assert "pip install" not in capsys.readouterr().out


def test_json_names_the_files_and_the_next_steps(tmp_path, capsys):
    assert new("dataset", "mine", "--out", str(tmp_path), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == [str(tmp_path / "mine.py"), str(tmp_path / "test_mine.py")]
    assert said["next"][0] == f"fkbench check {tmp_path / 'mine.py'}"
