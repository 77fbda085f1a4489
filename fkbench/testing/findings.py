"""What a check says: a finding in plain words, with a remedy where something is wrong."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Status = Literal["passed", "failed", "skipped"]

_CORE = Path(__file__).resolve().parents[1]
_LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platlib", "purelib"))


class Problem(Exception):  # noqa: N818 - not an error of the program: it is what a check is there to find
    """Raised by a check that finds something wrong.

    Args:
        message: what is wrong, in words for somebody who has never read fkbench.
        remedy: what the author can do about it.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class NotApplicable(Exception):  # noqa: N818 - as above
    """Raised by a check that cannot be made, with the reason: nothing is left out without one."""


@dataclass(frozen=True)
class Finding:
    """Result of one check of one plugin.

    Attributes:
        check: name of the check, `gradients` for example.
        status: `passed`, `failed` or `skipped`.
        message: what was found, or why it was skipped.
        remedy: what to do; empty unless it failed.
        seconds: how long it took.
        trace: where the plugin's code raised; empty if it did not.
    """

    check: str
    status: Status
    message: str
    remedy: str = ""
    seconds: float = 0.0
    trace: str = ""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: one word.
        about: what must hold, one line.
        run: takes the subject, gives the message of a pass, raises `Problem` or `NotApplicable`.
    """

    name: str
    about: str
    run: Callable[[Any], str]


def in_words(error: BaseException) -> str:
    """Type and first line of an error, and the line of the plugin's code that raised it."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    where = raised_at(error)
    return f"{text} ({where})" if where else text


def raised_at(error: BaseException) -> str:
    """`file.py, line 12` of the innermost frame that belongs neither to fkbench nor to a library; else empty."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_file() and not _is_foreign(path.resolve()):
            return f"{path.name}, line {frame.lineno}"
    return ""


def _is_foreign(path: Path) -> bool:
    return path.is_relative_to(_CORE) or any(path.is_relative_to(folder) for folder in _LIBRARIES)
