"""Writing a new plugin from the templates: a file with its test, or a package to install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from fkbench.errors import FkbenchError
from fkbench.scaffold.kinds import KINDS, Kind

INDENT = "    "


def plugin_files(kind: str, name: str, dataset: str) -> dict[str, str]:
    """Path → text of a plugin of one file, and its test. `dataset`: the name of one that needs no download."""
    about = KINDS[kind]
    words = {
        "name": name,
        "function": name,
        "fkbench": "import fkbench\n",
        "mark": _mark(kind, name, about),
        "about": "\n".join([f"{name}: a {kind} of your own.", "", *commands(kind, f"./{name}.py", dataset)]),
        "end": "\n",
    }
    return {f"{name}.py": _text(f"{kind}.py", words), f"test_{name}.py": _text("test.py", words)}


def package_files(kind: str, name: str, dataset: str) -> dict[str, str]:
    """Path → text of a package with an entry point, and its test; all in a folder of the plugin's name."""
    about = KINDS[kind]
    words = {
        "name": name,
        "kind": kind,
        "group": about.group,
        "spec": about.spec,
        "module": about.module,
        "distribution": f"fkbench-{name.replace('_', '-')}",
        "fields": _spec_fields(name, about),
        "commands": "\n".join(commands(kind, name, dataset)),
    }
    code = {
        "name": name,
        "function": about.function,
        "fkbench": "",
        "mark": "",
        "about": f"The {kind} {name}.",
        "end": "",
    }
    source = f"{name}/src/fkbench_{name}"
    return {
        f"{name}/pyproject.toml": _text("pyproject.toml", words),
        f"{name}/README.md": _text("README.md", words),
        f"{source}/__init__.py": _text("package.init", words),
        f"{source}/{about.module}.py": _text(f"{kind}.py", code),
        f"{name}/tests/test_{name}.py": _text("package.test", words),
    }


def commands(kind: str, plugin: str, dataset: str) -> list[str]:
    """Commands that use a new plugin, a file or a name."""
    uses = (use.format(plugin=plugin, dataset=dataset) for use in KINDS[kind].uses)
    return [f"fkbench check {plugin}", *uses]


def write(folder: Path, texts: Mapping[str, str], *, force: bool = False) -> list[Path]:
    """Write files below a folder, which is made. Returns their paths.

    Raises:
        FkbenchError: one is there already and `force` is not given (nothing is written then), or the folder cannot be
            written.
    """
    paths = {folder / name: text for name, text in texts.items()}
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise FkbenchError(f"There is already {' and '.join(there)}.", "Choose another name, or give --force.")
    try:
        for path, text in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FkbenchError(f"Cannot write to '{folder}': {error.strerror or error}.", "Give --out DIR.") from error
    return list(paths)


def _mark(kind: str, name: str, about: Kind) -> str:
    """The decorator: on one line where it has one short field."""
    first = f'"{name}"'
    if len(about.fields) == 1 and len(about.fields[0]) < 40:
        return f"@fkbench.{kind}({first}, {about.fields[0]})\n"
    lines = "".join(f"{INDENT}{field},\n" for field in (first, *about.fields))
    return f"@fkbench.{kind}(\n{lines})\n"


def _spec_fields(name: str, about: Kind) -> str:
    code = f'{about.ref}="fkbench_{name}.{about.module}:{about.function}"'
    stated = (f'name="{name}"', f'summary="{about.summary.removesuffix(".").lower()}"', code, *about.fields)
    return "".join(f"{INDENT}{field},\n" for field in stated)


def _text(template: str, words: Mapping[str, str]) -> str:
    source = files("fkbench.scaffold") / "templates" / f"{template}.txt"
    return Template(source.read_text(encoding="utf-8")).substitute(words)
