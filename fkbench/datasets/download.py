"""Fetching official files. They are kept only until they have been imported."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from fkbench.datasets.progress import Progress, listener
from fkbench.datasets.store import Store
from fkbench.errors import FkbenchError

FOLDER = "downloads"


def fetch(store: Store, url: str, name: str, *, offline: bool, manually: str) -> Path:
    """Download a file, whole or not at all, into the data folder.

    Its hash is not compared: plugins use this for files whose content the import checks. To be called under `lock`.

    Args:
        store: the data folder.
        url: where it is.
        name: what to call it.
        offline: the network must not be used.
        manually: what the user can do instead; the remedy of every error.

    Raises:
        FkbenchError: offline, or the download failed.
    """
    if offline:
        raise FkbenchError(f"'{name}' would be downloaded, and --offline forbids it.", manually)
    import pooch
    import requests

    logging.getLogger("pooch").setLevel(logging.ERROR)  # it would print the unknown hash for pinning
    folder = store.root / FOLDER
    downloader = pooch.HTTPDownloader(progressbar=_Bar(name, listener()), timeout=60)
    try:
        (folder / name).unlink(missing_ok=True)  # left by a process that was killed; nobody knows if it is whole
        return Path(pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=downloader))
    except (requests.RequestException, OSError, ValueError) as error:
        raise FkbenchError(f"Downloading {url} failed: {_short(error)}.", manually) from error


def lock(store: Store) -> AbstractContextManager[None]:
    """To be held from before `fetch` until after `discard`: another process deletes what it takes for a leftover."""
    return store.lock(FOLDER)


def discard(store: Store, path: Path) -> None:
    """Remove a file that `fetch` brought; files from elsewhere stay."""
    if path.parent == store.root / FOLDER:
        path.unlink(missing_ok=True)


class _Bar:
    """What pooch wants of a progress bar, passed on."""

    def __init__(self, name: str, report: Progress) -> None:
        self.total: int = 0
        self._done = 0
        self._stage, self._report = f"Downloading {name}", report

    def update(self, count: int) -> None:
        self._done += count
        self._report(self._stage, self._done, max(self.total, self._done))

    def reset(self) -> None:
        """pooch calls it before a last `update(total)` that fills the bar."""
        self._done = 0

    def close(self) -> None:
        if self.total:
            self._report(self._stage, self.total, self.total)


def _short(error: Any) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text[:200].rstrip(".")
