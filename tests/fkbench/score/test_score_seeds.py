"""Errors of several seeds brought together."""

from __future__ import annotations

import numpy as np
import pytest

from fkbench.errors import FkbenchError
from fkbench.score import SeedSums, image_errors, rmse
from fkbench.score.seeds import group_codes, group_sums


def errors(seed: int, n: int = 8, ids=None):
    rng = np.random.default_rng(99)
    truth, valid = rng.uniform(0, 96, (n, 5, 2)), rng.random((n, 5)) < 0.8
    names = [f"i{i}" for i in range(n)] if ids is None else ids
    predicted = truth + np.random.default_rng(seed).normal(0, 2, truth.shape)
    group = [f"g{i // 2}" for i in range(n)]
    return image_errors(predicted, truth, valid, scale=1.0, normalisers={}, ids=names, group=group)


def test_mse_is_the_mean_of_the_seeds():
    seeds = [errors(i) for i in range(3)]
    assert SeedSums.of(seeds).mse() == pytest.approx(np.mean([rmse(e) ** 2 for e in seeds]))


def test_seeds_in_another_order_are_aligned():
    plain, other = errors(0), errors(1).take([7, 0, 3, 1, 2, 6, 5, 4])
    np.testing.assert_array_equal(SeedSums.of([plain, other]).sum_sq[1], errors(1).sum_sq)


def test_seeds_on_other_images_are_refused():
    with pytest.raises(FkbenchError, match="not about the same images") as caught:
        SeedSums.of([errors(0), errors(1, ids=list("abcdefgh"))])
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": ("a", "a")}, "stands twice"),
        ({"group": ("x",)}, "do not fit"),
        ({"count": np.array([2, 2, 2])}, "do not fit"),
        ({"sum_sq": np.ones(2)}, "not .seeds, images."),
        ({"sum_sq": np.ones((0, 2))}, "not .seeds, images."),
        ({"sum_sq": np.array([[1.0, -1.0]])}, "negative or not finite"),
        ({"sum_sq": np.array([[1.0, np.nan]])}, "negative or not finite"),
        ({"sum_sq": np.array([[1.0, 1e101]])}, "above 1e.100 px²"),
        ({"count": np.array([2, -2])}, "negative"),
    ],
)
def test_sums_from_a_doubtful_file_are_refused(change, words):
    fine = {"ids": ("a", "b"), "group": ("x", "y"), "sum_sq": np.ones((1, 2)), "count": np.array([2, 2])}
    SeedSums(**fine)
    with pytest.raises(FkbenchError, match=words):
        SeedSums(**{**fine, **change})


def test_no_seed_is_refused():
    with pytest.raises(FkbenchError, match="No seed"):
        SeedSums.of([])


def test_group_sums_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    names, values = [f"g{i}" for i in rng.integers(0, 12, 50)], rng.random((3, 50))
    found = group_sums(group_codes(names), values)
    for column, name in enumerate(sorted(set(names))):
        for row in range(3):
            own = [values[row, i] for i in range(50) if names[i] == name]
            assert found[row, column] == pytest.approx(sum(own))
