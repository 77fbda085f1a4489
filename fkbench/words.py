"""Numbers with their nouns, as sentences have them. Standard library only."""

from __future__ import annotations


def plural(number: int, noun: str) -> str:
    """The noun for so many: `run`, `runs`. For nouns that take an s."""
    return noun if number == 1 else f"{noun}s"


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`, `0 runs`."""
    return f"{number} {plural(number, noun)}"
