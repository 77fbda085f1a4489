"""The frame of every page: head, style, scripts. Files that are there once are read once."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from fkbench.site.escaping import shown

HERE = Path(__file__).parent
STYLES = ("vendor/uPlot.min.css", "style.css")
SUBJECTS = ("page", "theme", "tables", "tips", "charts", "curves", "pictures", "boards")
"""Our scripts in the order in which they are put together: the first has what the others use, and the last draws with
them; all but the first act as they are read."""
SCRIPTS = ("vendor/uPlot.iife.min.js", "vendor/sortable.min.js", *(f"scripts/{name}.js" for name in SUBJECTS))
LICENCES = (
    "/*! uPlot 1.6.32, MIT licence, Copyright (c) Leon Sorokin, https://github.com/leeoniya/uPlot */\n"
    "/*! sortable-tablesort 4.1.7, Unlicense, Jonas Earendel, https://github.com/tofsjonas/sortable */\n"
)
GENERATOR = '<meta name="generator" content="fkbench">'
# An empty picture: browsers ask the server for /favicon.ico where a page names none.
_ICON = '<link rel="icon" href="data:,">'
_THEME = '<button type="button" class="theme" hidden>Theme: <span>auto</span></button>'


@cache
def style() -> str:
    """All styles."""
    return "\n".join((HERE / name).read_text(encoding="utf-8").strip() for name in STYLES) + "\n"


@cache
def script() -> str:
    """All scripts, libraries first, with their licences named."""
    return LICENCES + "\n".join((HERE / name).read_text(encoding="utf-8").strip() for name in SCRIPTS) + "\n"


@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"


def single_page(title: str, body: str) -> str:
    """A page that holds all it needs. No script but ours runs in it: its digest is in the page's policy.

    Args:
        title: of the page, not escaped.
        body: HTML.
    """
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
        f"<title>{shown(title)}</title>\n{_ICON}\n<style>\n{style()}</style>"
    )
    return _page(head, body, f"<script>{script()}</script>")


def shared_page(title: str, body: str, up: str) -> str:
    """A page with style and script beside it.

    Args:
        title: of the page, not escaped.
        body: HTML.
        up: from the page to their folder, `../`.
    """
    # `file:`, as a page that was opened from a disk has no origin that 'self' could mean.
    own = "'self' file:"
    policy = f"default-src 'none'; style-src {own} 'unsafe-inline'; img-src {own} data:; script-src {own}"
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<title>{shown(title)}</title>\n{_ICON}\n<link rel="stylesheet" href="{up}site.css">'
    )
    return _page(head, body, f'<script src="{up}site.js"></script>')


def _page(head: str, body: str, scripts: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{GENERATOR}\n{head}\n</head>\n'
        f'<body>\n<a class="skip" href="#main">Skip to the tables</a>\n{_THEME}\n{body}\n'
        f'<div id="tip" role="status" hidden></div>\n{scripts}\n</body>\n</html>\n'
    )
