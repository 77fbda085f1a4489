"""Errors that a user can cause and mend: one line that says what is wrong, one that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class FkbenchError(Exception):
    """Bad use or bad input. The command line prints it without a traceback and exits with code 2.

    Args:
        message: what is wrong, in one line, naming the file, row or option.
        remedy: what the user can do about it, in one line; may be empty.
    """

    exit_code = 2

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        # By default `__init__` would be called with `args`, the message: subclasses take other arguments, and an error
        # of a process pool that cannot be read back breaks the pool.
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[FkbenchError], args: tuple[Any, ...]) -> FkbenchError:
    return kind.__new__(kind, *args)  # its attributes follow as the state


class RunFailedError(FkbenchError):
    """A run, check or comparison that was asked for correctly and did not succeed: exit code 1."""

    exit_code = 1


class NoRoomError(RunFailedError):
    """A run for which the memory of its device does not suffice; its status is `oom`."""


class DataMissingError(FkbenchError):
    """The dataset has not been imported on this machine."""


class UnknownNameError(FkbenchError):
    """No plugin, split, setting … of that name; the remedy names the nearest ones, each after `prefix`.

    `none` is said where nothing of the kind is known.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str],
        hint: str = "",
        *,
        prefix: str = "",
        none: str = "There is none.",
    ) -> None:
        import difflib  # as in the registry: loaded when something is wrong, not at every start

        names = sorted(known)
        near = [prefix + found for found in difflib.get_close_matches(name, names, n=3, cutoff=0.5)]
        if near:
            remedy = f"Did you mean {' or '.join(near)}?"
        elif names:
            remedy = f"Known: {', '.join(prefix + found for found in names[:12])}{' …' if len(names) > 12 else ''}."
        else:
            remedy = none
        super().__init__(f"Unknown {kind} '{name}'.", f"{remedy} {hint}".strip())


class TooSmallError(FkbenchError):
    """A net is asked for pictures of which its convolutions and pools leave nothing."""

    def __init__(self, net: str, size: int, least: int) -> None:
        super().__init__(
            f"The net '{net}' needs pictures of at least {least}×{least} pixels, not {size}×{size}.",
            "Give it larger pictures.",
        )
