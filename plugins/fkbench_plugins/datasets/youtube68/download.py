"""Udacity's public copy of the set."""

from __future__ import annotations

import os
from pathlib import Path

from fkbench.datasets.download import fetch
from fkbench.datasets.store import Store

URL = "https://s3.amazonaws.com/video.udacity-data.com/topher/2018/May/5aea1b91_train-test-data/train-test-data.zip"
ENVIRONMENT = "FKBENCH_YOUTUBE68_URL"
"""A mirror to use instead."""


def acquire(store: Store, offline: bool) -> Path:
    """Download the zip (339 MB). Its own hash was never published; the import compares labels and pixels.

    Raises:
        FkbenchError: offline, or the download failed.
    """
    url = os.environ.get(ENVIRONMENT) or URL
    manually = f"Download {URL} yourself and `fkbench data import youtube68 --from train-test-data.zip`."
    return fetch(store, url, "train-test-data.zip", offline=offline, manually=manually)
