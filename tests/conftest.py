"""Fixtures for all tests: where real data lies, and a data folder of one's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fkbench.datasets.store import Store


def _shared_root() -> Path:
    return Path(os.environ.get("FKBENCH_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real archives. Where it is not, the test is skipped; where it is, a missing file is an error."""
    folder = _shared_root() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set FKBENCH_SHARED)")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty data folder."""
    return Store(tmp_path / "data")
