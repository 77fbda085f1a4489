"""Whether a check of a result is kept beside it: the option that `verify` and `reproduce` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from fkbench.records import RunRecord, Verification

StoreOption = Annotated[
    bool | None,
    typer.Option(
        "--store/--no-store",
        help="Keep what was found, for the tables. Default: for runs, not in a published folder.",
    ),
]


def store_check(record: RunRecord, found: Verification, store: bool | None) -> Path | None:
    """Keep what a check found, where that is wanted; the file, None where it is not.

    Args:
        record: that was checked.
        found: what came of it.
        store: as asked for; None: for runs alone, as who keeps a published folder decides what is said of it there.
    """
    from fkbench.records import is_published, write_verification

    wanted = not is_published(record) if store is None else store
    return write_verification(record, found) if wanted else None
