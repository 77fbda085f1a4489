"""How long work reports on itself, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as (what is being done, done so far, total); `done == total` ends that stage. Called from one thread."""


def silent(stage: str, done: int, total: int) -> None:
    """Nobody listens."""
