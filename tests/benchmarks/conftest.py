"""Benchmarks are no tests: they are collected where they are asked for, by `--benchmark-enable` (`tox -e bench`)."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Nothing here under the plain `pytest`, which has `--benchmark-disable`; files named on the command line too."""
    enabled = config.getoption("benchmark_enable", default=False)
    return True if collection_path.suffix == ".py" and not enabled else None
