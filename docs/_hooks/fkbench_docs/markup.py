"""Small pieces of Markdown: escaped text, tables, code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTE = "*Generated from the code when the site is built.*"


ENTITIES = {ord(sign): f"&#{ord(sign)};" for sign in "\\*_<>|$#[]"}


def one_line(text: str) -> str:
    """Blanks and line breaks as single blanks; those that must not be broken (U+202F) stay."""
    return re.sub(r"[ \t\n]+", " ", text).strip(" ")


def prose(text: str) -> str:
    """Text that is no Markdown but for `code`, on one line, so that nothing else in it is taken for markup."""
    parts = re.split(r"(`[^`]+`)", one_line(text))
    return "".join(part if part.startswith("`") else part.translate(ENTITIES) for part in parts)


def code(value: object) -> str:
    """A value as inline code; empty for an empty text or None."""
    text = one_line(str(value)) if value is not None else ""
    return f"`{text}`" if text else ""


def cell(text: str) -> str:
    """Markdown that fits into one cell of a table; within `code` a bar parts no cells."""
    return one_line(text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A table; columns whose numbers are in `right` are aligned there. Empty without rows."""
    body = [[cell(text) for text in row] for row in rows]
    if not body:
        return ""
    marks = ["---:" if column in set(right) else "---" for column in range(len(header))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [[cell(text) for text in header], marks, *body]) + "\n"


def fence(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def number(value: float | None) -> str:
    """A whole number with thin gaps between thousands, another one with six digits; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else f"{value:.6g}"


def page(*blocks: str) -> str:
    """A page of blocks; empty ones are left out."""
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"
