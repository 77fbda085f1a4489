"""`fkbench new`: a plugin that works, with its test, to be changed into one's own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fkbench.cli.options import JsonObjectOption
from fkbench.cli.session import Session, current, print_json
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.scaffold.kinds import KINDS
from fkbench.scaffold.names import check_name, check_shadows_nothing
from fkbench.scaffold.writing import commands, package_files, plugin_files, write
from fkbench.specs import DatasetSpec

TEST_EXTRA = "fkbench[test]"


def register(app: typer.Typer) -> None:
    app.command("new")(command)


def command(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="model, dataset or detector")],
    name: Annotated[str, typer.Argument(help="Its name: a word of letters, digits and '_'.")],
    package: Annotated[bool, typer.Option("--package", help="A folder to install with pip, with entry point.")] = False,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    as_json: JsonObjectOption = False,
) -> None:
    """Write a new model, dataset or detector that works, and its test: NAME.py and test_NAME.py."""
    if kind not in KINDS:
        raise UnknownNameError("kind", kind, KINDS)
    check_name(name)
    session, out = current(context), out.expanduser()
    if not force:
        _check_free(session, KINDS[kind].group, name)
    if not package:
        check_shadows_nothing(name)
    dataset = next((spec.name for spec in session.registry.all(DatasetSpec) if spec.embedded), "DATASET")
    texts = (package_files if package else plugin_files)(kind, name, dataset)
    shown = [str(path) for path in write(out, texts, force=force)]
    plugin = name if package else _typed(out / f"{name}.py")
    tests = str(out / name if package else out / f"test_{name}.py")
    install = [f"pip install -e '{out / name}[test]'", "fkbench plugins"] if package else []
    if not package and find_spec("pytest") is None:
        install = [f"pip install '{TEST_EXTRA}'  # brings pytest, which is not here"]
    steps = [*install, *commands(kind, plugin, dataset), f"pytest {tests}"]
    if as_json:
        print_json({"kind": kind, "name": name, "files": shown, "next": steps})
        return
    for path in shown:
        typer.echo(f"wrote {path}")
    typer.echo("Next:")
    for step in steps:
        typer.echo(f"  {step}")


def _check_free(session: Session, group: str, name: str) -> None:
    taken = session.registry.specs[group].get(name)
    if taken is not None:
        raise FkbenchError(
            f"There is a {group.removesuffix('s')} '{name}' already, of {taken.plugin}.", "Choose another name."
        )


def _typed(file: Path) -> str:
    """A path as it is typed, so that it is told from a name."""
    return str(file) if file.is_absolute() else f"./{file.as_posix()}"
