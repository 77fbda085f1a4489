"""Fixtures for all tests: where real data lies, and a data folder of one's own."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

os.environ.setdefault("FKBENCH_CALIBRATE", "0")  # tests keep the machine busy, and leave its calibration alone

from fkbench.datasets.store import Store


def _shared_data() -> Path:
    root = os.environ.get("FKBENCH_SHARED", Path(__file__).resolve().parents[2] / "shared")
    return Path(root) / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real archives. Where it is not, the test is skipped; where it is, a missing file is an error."""
    folder = _shared_data()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set FKBENCH_SHARED)")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the real data is at hand, a skipped real-data test is a failure: it would hide that nothing was checked."""
    report = yield
    if report.skipped and item.get_closest_marker("realdata") and _shared_data().is_dir():
        report.outcome = "failed"
        report.longrepr = f"skipped although {_shared_data()} is there: {report.longrepr}"
    return report


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty data folder."""
    return Store(tmp_path / "data")
