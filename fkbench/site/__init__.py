"""Leaderboards as web pages: `index.html` with all boards, and a page per ranked row with its runs.

    from fkbench.boards import build
    from fkbench.records import ResultStore
    from fkbench.site import write_site

    records = ResultStore(folder).records()
    write_site(build(records), records, folder)

`index.html` needs no other file and no network; the pages under `pages/` share one style and one script beside them.
The same boards and records give the same bytes. All text in records is by anyone, and is shown, never acted on.
"""

from __future__ import annotations

from fkbench.site.writing import write_site

__all__ = ["write_site"]
