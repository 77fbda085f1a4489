"""Which names a new plugin may have."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from fkbench.errors import FkbenchError


def check_name(name: str) -> None:
    """A name must be a word in Python and on the command line: it becomes a file, a function and a row of tables.

    Raises:
        FkbenchError: it is not; the remedy has the nearest name that is.
    """
    if name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_"):
        return
    near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "mynet"
    near = f"net_{near}" if near[0].isdigit() or keyword.iskeyword(near) else near
    raise FkbenchError(
        f"'{name}' cannot be the name of a Python file: letters, digits and '_' alone, a letter first.",
        f"For example {near}.",
    )


def check_shadows_nothing(name: str) -> None:
    """A file `torch.py` would be imported in place of torch by everything that runs in its folder.

    Raises:
        FkbenchError: a module of this name is in the standard library or installed.
    """
    here = Path.cwd()
    folders = [folder for folder in sys.path if folder and Path(folder).resolve() != here]
    if name in sys.stdlib_module_names or PathFinder.find_spec(name, folders) is not None:
        raise FkbenchError(
            f"A file {name}.py would hide the Python module '{name}' from all that is run beside it.",
            f"Choose another name, for example my{name}.",
        )
