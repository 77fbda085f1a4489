"""The dataset, and its tables in a folder as whoever unpacks the zip has them."""

from __future__ import annotations

import pytest

from fkbench.specs import DatasetSpec


@pytest.fixture
def spec(registry) -> DatasetSpec:
    return registry.get(DatasetSpec, "kaggle15")


@pytest.fixture
def folder(tmp_path, kaggle_files):
    path = tmp_path / "unpacked"
    path.mkdir()
    for name, data in kaggle_files.items():
        (path / name).write_bytes(data)
    return path
