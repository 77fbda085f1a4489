"""`fkbench plugins`: every way in which a plugin can fail is said with its origin, and stops nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fkbench.cli.main import main

MODEL = "fkbench.ModelSpec(name='{name}', summary='s', build='nowhere:build')"
HOOK = "import fkbench\n\n@fkbench.hookimpl\ndef fkbench_models(register):\n    register({spec})\n"


def good(name: str) -> str:
    return HOOK.format(spec=MODEL.format(name=name))


def doing(statement: str) -> str:
    return good("a").replace("    register(", f"    {statement}\n    register(")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution with an entry point as pip leaves it: metadata, and the module if there is any."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = []

    def put(name: str, source: str | None, version: str = "1.0") -> None:
        module = f"plugin_of_{name}"
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[fkbench]\n{name} = {module}\n")
        modules.append(module)
        if source is not None:
            (tmp_path / f"{module}.py").write_text(source)

    yield put
    for module in modules:
        sys.modules.pop(module, None)


def plugins(capsys, *words: str) -> dict:
    assert main([*words, "plugins", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["plugins"][0]["name"] == "fkbench"
    models = {name for plugin in said["plugins"] for name in plugin["registers"]["models"]}
    assert {"dfk", "mean-shape"} <= models  # whatever else fails, what is built in is there
    return {**said, "models": models}


def test_an_installed_plugin_is_listed_with_what_it_registers(install, capsys):
    install("fine", good("theirs"))
    said = plugins(capsys)
    (found,) = [plugin for plugin in said["plugins"] if plugin["name"] == "fine"]
    assert (found["version"], found["path"]) == ("1.0", "plugin_of_fine")
    assert found["registers"]["models"] == ["theirs"]
    assert said["failures"] == []


FAULTS = {
    "broken": ("import fkbench\n1 / 0\n", "import", "ZeroDivisionError"),
    "half_installed": (None, "import", "No module named 'plugin_of_"),
    "needs_more": ("import no_such_module_at_all\n", "import", "no_such_module_at_all"),
    "not_python": ("def broken(:\n", "import", "SyntaxError"),
    "exits": ("raise SystemExit(3)\n", "import", "SystemExit: 3"),
    "misspelt": (good("a").replace("fkbench_models", "fkbench_modles"), "unknown hook", "Did you mean fkbench_models"),
    "wrong_argument": (good("a").replace("(register)", "(registar)", 1), "hooks", "an argument 'registar'"),
    "unmarked": (good("a").replace("@fkbench.hookimpl\n", ""), "hooks", "Put @fkbench.hookimpl above it"),
    "colliding": (good("dfk"), "fkbench_models", "Two plugins register the model 'dfk': fkbench"),
    "raising": (doing("raise OSError('no disk')"), "fkbench_models", "no disk"),
    "leaving": (doing("exit(1)"), "fkbench_models", "SystemExit: 1"),
    "wrong_kind": (good("a").replace("fkbench_models", "fkbench_datasets"), "fkbench_datasets", "got ModelSpec"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("first", ["aa_", "zz_"])
def test_a_faulty_installed_plugin_is_said_with_its_origin_and_stops_nothing_else(first, name, install, capsys):
    """Whether its name comes before or after those of the others: the order of loading must not matter."""
    source, part, reason = FAULTS[name]
    install(f"{first}{name}", source)
    install("mm_fine", good("theirs"))
    said = plugins(capsys)
    assert "theirs" in said["models"]
    (failure,) = said["failures"]
    assert failure["plugin"] == f"{first}{name} 1.0"
    assert failure["origin"] == f"plugin_of_{first}{name}"
    assert failure["part"] == part
    assert reason in failure["reason"]
    assert "\n" not in failure["reason"]


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"half_installed"}))
def test_a_faulty_local_file_is_said_with_its_path(name, tmp_path, capsys):
    source, part, reason = FAULTS[name]
    file = tmp_path / "local.py"
    file.write_text(source or "")
    said = plugins(capsys, "--plugin", str(file))
    (failure,) = said["failures"]
    assert failure["plugin"] == "local.py"
    assert failure["origin"] == str(file)
    assert failure["part"] == ("file" if part == "import" else part)
    assert reason in failure["reason"]


def test_both_plugins_of_a_collision_are_named(install, capsys):
    install("one", good("theirs"), version="1.1")
    install("two", good("theirs"), version="2.2")
    (failure,) = plugins(capsys)["failures"]
    assert failure["plugin"] == "two 2.2"
    assert "one 1.1 and two 2.2" in failure["reason"]


def test_the_table_for_people(install, capsys):
    install("fine", good("theirs"))
    install("empty", "")
    install("bracket", "raise ValueError('[red] is no markup')\n")
    assert main(["plugins"]) == 0
    said = capsys.readouterr().out
    assert "fine 1.0 (plugin_of_fine)" in said
    assert "registers nothing" in said
    assert "failed bracket 1.0 (plugin_of_bracket), import: ValueError: [red] is no markup" in said
    assert main(["plugins", "--strict-plugins"]) == 2
    assert "bracket 1.0" in capsys.readouterr().err


def test_what_a_plugin_prints_does_not_spoil_the_answer(install, capsys):
    install("chatty", "print('hello')\n" + doing("print('there')"))
    assert "a" in plugins(capsys)["models"]


def test_a_faulty_plugin_is_no_hindrance_to_a_command(install, capsys, tmp_path: Path):
    install("broken", "1 / 0")
    assert main(["list", "models", "--json"]) == 0
    said = capsys.readouterr()
    assert "dfk" in {row["name"] for row in json.loads(said.out)}
    assert "Warning: plugin broken 1.0 (import): ZeroDivisionError" in said.err
