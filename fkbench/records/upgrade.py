"""Old records, read by new code: a chain of functions, each of which lifts a page by one schema version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fkbench.errors import FkbenchError
from fkbench.records.models import SCHEMA

Page = dict[str, Any]
Upgrade = Callable[[Page], Page]

UPGRADES: Mapping[int, Upgrade] = {}
"""Version n → function that makes a page of version n + 1 of it. Schema 1 is the first, so there is none yet.

To change the schema: raise `SCHEMA` and the literal in `RunRecord`, add the function here, keep an old record as a
fixture of the tests.
"""


def upgraded(page: Page, upgrades: Mapping[int, Upgrade] = UPGRADES, current: int = SCHEMA) -> Page:
    """The page at the current schema version; the page given is not changed.

    Raises:
        FkbenchError: no version stated, a newer one, or one for which there is no way up.
    """
    version = page.get("schema")
    if not isinstance(version, int) or isinstance(version, bool):
        raise FkbenchError("It states no schema version, so it is no record of a run.")
    if version > current:
        raise FkbenchError(
            f"It was written by a newer fkbench (schema {version}; this one reads up to {current}).",
            "Read it with a newer version of fkbench; `fkbench --version` shows this one.",
        )
    while version < current:
        step = upgrades.get(version)
        if step is None:
            raise FkbenchError(f"Schema {version} cannot be read any more.", "Run it again.")
        version += 1
        page = step(dict(page)) | {"schema": version}
    return page
