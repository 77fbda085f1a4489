"""Kaggle's table at its real size (7049 rows, 233 MB) against the plain way: pandas and one conversion for each row.

The ratio is printed (`-s`) and kept in `extra_info`; nothing is asserted about times. Of the ways to call
`np.fromstring` the fastest is taken: whole numbers (5 s); the articles' floats take 28 s on the same machine. Where
benchmarks are switched off, a small table only shows that the code still runs.
"""

from __future__ import annotations

import time
import warnings

import cv2
import numpy as np
import pandas as pd
import pytest

from fkbench.datasets.access import open_samples
from fkbench.datasets.store import Store
from fkbench.registry import load_registry
from fkbench.schemes import FACE15
from fkbench.specs import DatasetSpec

ROWS, COMPLETE = 7049, 2140
NAMES = [f"{point}_{axis}" for point in FACE15.points for axis in "xy"]
BLURRED = 400  # different pictures in the file; each row turns one of them another way


@pytest.fixture(scope="module")
def table_path(request, tmp_path_factory):
    rows = ROWS if request.config.getoption("benchmark_enable") else 60
    rng = np.random.default_rng(15)
    coarse = rng.integers(60, 256, (BLURRED, 12, 12), np.uint8)
    images = [cv2.resize(one, (96, 96), interpolation=cv2.INTER_CUBIC) for one in coarse]
    texts = [" ".join(map(str, one.reshape(-1).tolist())) for image in images for one in (image, image[::-1], image.T)]
    path = tmp_path_factory.mktemp("kaggle") / "training.csv"
    with path.open("w") as file:
        file.write(",".join([*NAMES, "Image"]) + "\n")
        for row in range(rows):
            labels = [f"{v:.6f}" for v in rng.uniform(5, 90, 30)]
            if row >= COMPLETE:
                labels[4:20] = [""] * 16
            file.write(",".join(labels) + "," + texts[row % len(texts)] + "\n")
    return path


def plain(path):
    """pandas for the table, `np.fromstring` for each row."""
    table = pd.read_csv(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        images = np.stack([np.fromstring(text, sep=" ", dtype=np.uint8) for text in table["Image"]])
    return table[NAMES].to_numpy(), images.reshape(-1, 96, 96)


def fast(path):
    from fkbench_plugins.datasets.kaggle15 import table

    found = table.read_table(path.read_bytes(), table.COLUMNS, str(path))
    return table.labels(found), found.images


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def test_first_load(benchmark, table_path):
    expected, plain_s = timed(plain, table_path)
    found = benchmark.pedantic(fast, (table_path,), rounds=3)
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])
    _, plain_again_s = timed(plain, table_path)
    _, fast_s = timed(fast, table_path)
    megabytes, plain_best = table_path.stat().st_size / 1e6, min(plain_s, plain_again_s)
    benchmark.extra_info["plain_over_fast"] = plain_best / fast_s
    print(
        f"\n{megabytes:.0f} MB: plain {plain_best:.2f} s, ours {fast_s:.2f} s, {plain_best / fast_s:.1f} times faster"
    )


def test_later_loads(benchmark, table_path, tmp_path):
    from fkbench.datasets.importing import import_dataset

    spec = load_registry().get(DatasetSpec, "kaggle15")
    store = Store(tmp_path / "data")
    _, import_s = timed(import_dataset, spec, store, table_path)
    samples = benchmark.pedantic(open_samples, (spec, store), rounds=5)
    assert samples.frames.shapes[0].tolist() == [96, 96, 1]
    _, load_s = timed(open_samples, spec, store)
    benchmark.extra_info["import_s"] = import_s
    print(f"\nimport {import_s:.1f} s, later loads {load_s * 1000:.0f} ms")
