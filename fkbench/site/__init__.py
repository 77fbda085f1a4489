"""Leaderboards as web pages: `index.html` with all boards, and a page per ranked row with its runs.

    from fkbench.records import ResultStore
    from fkbench.site import write_leaderboards

    write_leaderboards(ResultStore(runs).records(), folder)

writes the tables, too; `write_site` writes the pages of boards that were built already. `index.html` needs no other
file and no network; the pages under `pages/` share one style and one script. The same records give the same
bytes. All text in records is by anyone, and is shown, never acted on.
"""

from __future__ import annotations

from fkbench.site.leaderboards import Leaderboards, write_leaderboards, write_published
from fkbench.site.writing import write_site

__all__ = ["Leaderboards", "write_leaderboards", "write_published", "write_site"]
