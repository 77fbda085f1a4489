"""Text by anyone in HTML: shown as it is on one line, and nothing in it acts."""

from __future__ import annotations

import html
import json
from functools import lru_cache
from typing import Any

from fkbench.boards.text import cut, visible

LONGEST = 400
_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def shown(text: object, most: int = LONGEST) -> str:
    """Text for the inside of an element or of a quoted attribute; what is longer ends with `…`.

    Characters that do not print are replaced, among them those that turn the writing direction.
    """
    return _shown(str(text), most)


@lru_cache(maxsize=4096)
def _shown(text: str, most: int) -> str:
    # Names of columns, points and data stand on every page.
    return html.escape(visible(cut(text, most)), quote=True)


def isolated(text: object, most: int = LONGEST) -> str:
    """The same in an element of its own: letters written from right to left do not move what stands beside them."""
    return f"<bdi>{shown(text, most)}</bdi>"


def plain(text: object, most: int = LONGEST) -> str:
    """Text for values of JSON that a script puts on the page as text."""
    return visible(cut(str(text), most))


def script_json(value: Any) -> str:
    """JSON for the inside of a `script` element, which nothing in it can close."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    for character, escaped in _IN_SCRIPT.items():
        text = text.replace(character, escaped)
    return text


def pretty(value: Any, most: int = 20_000) -> str:
    """JSON for people, escaped."""
    return _pretty(json.dumps(value, sort_keys=True), most)


@lru_cache(maxsize=1024)
def _pretty(compact: str, most: int) -> str:
    # Rows of one board mostly share recipe, data and environment, and indented JSON is slow to make.
    text = json.dumps(json.loads(compact), indent=2, ensure_ascii=False, sort_keys=True)
    return html.escape("\n".join(visible(line) for line in cut(text, most).split("\n")))
