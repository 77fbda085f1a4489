"""Intervals: by hand, against a brute-force jackknife, and their coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkbench.errors import FkbenchError
from fkbench.score import SeedSums, mean_interval, model_interval, ratio_interval, rmse_interval

REPETITIONS = 1000
T975 = {1: 12.7062, 2: 4.30265, 3: 3.18245, 4: 2.77645, 9: 2.26216}


def jackknife(sums, counts, group) -> float:
    """Delete-one-group jackknife variance around the whole estimate, by leaving each group out."""
    names = sorted(set(group))
    whole = sums.sum() / counts.sum()
    parts = []
    for name in names:
        rest = np.array([g != name for g in group])
        parts.append(sums[rest].sum() / counts[rest].sum())
    n = len(names)
    return (n - 1) / n * sum((p - whole) ** 2 for p in parts)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 8), st.integers(1, 4))
def test_variances_are_those_of_the_definition(seed, groups, seeds):
    rng = np.random.default_rng(seed)
    index = np.concatenate([np.arange(groups), rng.integers(0, groups, 20)])
    rng.shuffle(index)
    names, counts = [f"g{i}" for i in index], rng.integers(1, 30, len(index)).astype(float)
    sums = rng.lognormal(0, 1, (seeds, len(index))) * counts
    found = ratio_interval(sums, counts, names)
    assert found.estimate == pytest.approx(sums.mean(axis=0).sum() / counts.sum())
    assert found.group_variance == pytest.approx(jackknife(sums.mean(axis=0), counts, names))
    mse = sums.sum(axis=1) / counts.sum()
    if seeds == 1:
        assert found.seed_variance is None
    else:
        assert found.seed_variance == pytest.approx(mse.var(ddof=1) / seeds)
    by_group = np.array([counts[index == i].sum() for i in range(groups)])
    df = max(1.0, (by_group**2).sum() ** 2 / (by_group**4).sum() - 1)
    v, w = found.group_variance, found.seed_variance or 0.0
    assert found.df == pytest.approx((v + w) ** 2 / (v**2 / df + (w**2 / (seeds - 1) if seeds > 1 else 0.0)))
    assert found.high - found.estimate == pytest.approx(found.estimate - found.low)


def test_equal_groups_of_one_seed_give_the_t_interval_of_the_mean():
    values = np.array([1.0, 2.0, 3.0, 6.0])
    found = mean_interval(values, list("abcd"))
    # The jackknife's (n − 1)/n and 1/(1 − 1/n)² make n/(n − 1) of the sum of squares: s²/n, as in any textbook.
    width = T975[3] * values.std(ddof=1) / 2
    assert (found.low, found.high) == pytest.approx((3 - width, 3 + width), rel=1e-4)


def test_seeds_alone_give_their_own_t_interval():
    sums = np.array([[1.0] * 10, [2.0] * 10, [3.0] * 10]) * 4
    found = rmse_interval(sums, np.full(10, 4), [str(i) for i in range(10)])
    assert found.group_variance == pytest.approx(0, abs=1e-20)
    assert found.estimate == pytest.approx(math.sqrt(2))
    assert found.high == pytest.approx(math.sqrt(2 + T975[2] / math.sqrt(3)), rel=1e-4)
    assert found.low == 0.0  # 2 − 2.48 < 0: cut before the root


def test_root_is_taken_at_the_end():
    rng = np.random.default_rng(0)
    sums, counts, names = rng.lognormal(0, 1, (3, 40)) * 30, np.full(40, 30), [str(i // 2) for i in range(40)]
    mse, root = ratio_interval(sums, counts.astype(float), names), rmse_interval(sums, counts, names)
    assert [root.low**2, root.estimate**2, root.high**2] == pytest.approx([mse.low, mse.estimate, mse.high])


def test_images_of_one_group_carry_less_than_as_many_groups():
    rng = np.random.default_rng(1)
    sums = np.repeat(rng.lognormal(0, 1, 20), 10) * 30
    counts = np.full(200, 30)
    together = rmse_interval(sums, counts, [str(i // 10) for i in range(200)])
    apart = rmse_interval(sums, counts, [str(i) for i in range(200)])
    assert together.high - together.low > 2.5 * (apart.high - apart.low)


def test_a_dominant_group_costs_degrees_of_freedom():
    rng = np.random.default_rng(2)
    counts = np.r_[np.full(20, 2.0), 400.0]
    found = ratio_interval((rng.lognormal(0, 1, 21) * counts)[None], counts, [str(i) for i in range(21)])
    assert found.df == pytest.approx(1.0, abs=0.1)


def test_basis_says_what_is_left_out():
    sums, counts, names = np.arange(1.0, 13).reshape(3, 4), np.full(4, 2), list("aabb")
    assert "not included" in rmse_interval(sums[0], counts, names).basis
    assert rmse_interval(sums, counts, names).basis == "2 groups × 3 seeds"


@pytest.mark.parametrize(("counts", "groups"), [([2, 2, 2], ["a"] * 3), ([2, 0, 0], ["a", "b", "c"])])
def test_one_group_has_no_interval(counts, groups):
    found = rmse_interval(np.array([[4.0, 0.0, 0.0]] * 3), np.array(counts), groups)
    assert found.bounds is None
    assert found.estimate == pytest.approx(math.sqrt(4 / sum(counts)))
    assert "fewer than two groups" in found.basis


def test_nothing_labelled_has_no_estimate():
    found = rmse_interval(np.zeros((1, 2)), np.zeros(2, int), ["a", "b"])
    assert math.isnan(found.estimate)
    assert found.bounds is None


def test_no_images_have_no_estimate():
    assert rmse_interval(np.zeros((2, 0)), np.zeros(0, int), []).bounds is None


def test_perfect_predictions_have_an_interval_of_no_width():
    assert rmse_interval(np.zeros((3, 4)), np.full(4, 2), list("abcd")).bounds == [0.0, 0.0]


def test_groups_without_labels_do_not_count():
    rng = np.random.default_rng(3)
    sums, counts, names = rng.lognormal(0, 1, (3, 6)), np.full(6, 2), list("abcdef")
    more = rmse_interval(np.c_[sums, np.zeros((3, 2))], np.r_[counts, 0, 0], [*names, "y", "z"])
    assert more == rmse_interval(sums, counts, names)


def test_means_leave_out_images_without_a_value():
    values = np.array([[0.1, math.nan, 0.3, 0.2], [0.2, math.nan, 0.4, 0.1]])
    kept = [0, 2, 3]
    found, plain = mean_interval(values, list("abcd")), mean_interval(values[:, kept], list("acd"))
    assert found == plain
    assert found.estimate == pytest.approx(values[:, kept].mean())


def test_means_missing_in_one_seed_only_are_refused():
    with pytest.raises(FkbenchError, match="in some seeds"):
        mean_interval(np.array([[0.1, math.nan], [0.1, 0.2]]), ["a", "b"])


def test_limits_cut_the_ends():
    found = mean_interval(np.array([0.0, 0.0, 0.0, 1.0]), list("abcd"), limits=(0.0, 1.0))
    assert found.low == 0.0
    assert found.high <= 1.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values_that_run_over_have_no_interval():
    found = mean_interval(np.array([1e308, 1e308, 1.0, 2.0]), list("abcd"))
    assert found.bounds is None


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, math.nan])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(FkbenchError, match="level"):
        rmse_interval(np.ones((1, 2)), np.full(2, 2), ["a", "b"], level=level)


def test_a_higher_level_is_wider():
    sums, counts, names = np.arange(1.0, 9)[None], np.full(8, 2), list("abcdefgh")
    low, high = (rmse_interval(sums, counts, names, level=level) for level in (0.9, 0.99))
    assert high.low < low.low
    assert low.high < high.high


def test_order_of_images_is_of_no_account():
    rng = np.random.default_rng(4)
    sums, counts = rng.lognormal(0, 1, (3, 60)), rng.integers(1, 30, 60)
    names, order = [f"g{i}" for i in rng.integers(0, 12, 60)], rng.permutation(60)
    one, two = (
        rmse_interval(sums, counts, names),
        rmse_interval(sums[:, order], counts[order], [names[i] for i in order]),
    )
    assert [two.low, two.high] == pytest.approx([one.low, one.high], rel=1e-12)


def coverage(simulate, **design) -> tuple[float, float]:
    """Share of intervals that hold the true RMSE of 1, and the share that lie wholly below it."""
    rng = np.random.default_rng(2026)
    found = [model_interval(simulate(rng, (1.0,), **design)[0]) for _ in range(REPETITIONS)]
    return (
        sum(i.low <= 1 <= i.high for i in found) / REPETITIONS,
        sum(i.high < 1 for i in found) / REPETITIONS,
    )


# A test set of the recommended size is to reach .92 to .98; with fewer groups, or with one seed, heavy tails cost more.
# The standard error of 1000 repetitions is .007.
@pytest.mark.parametrize(("sizes", "seeds"), [("video", 3), ("unequal", 5)])
def test_coverage_of_85_groups_and_several_seeds(simulate, sizes, seeds):
    covered, below = coverage(simulate, groups=85, seeds=seeds, sizes=sizes)
    assert 0.92 <= covered <= 0.98
    assert below <= 0.075


def test_coverage_where_seeds_matter_more_than_groups(simulate):
    covered, _ = coverage(simulate, groups=85, seeds=3, seed_sd=0.15)
    assert 0.92 <= covered <= 0.98


def test_coverage_of_one_trained_net(simulate):
    covered, _ = coverage(simulate, groups=85, seeds=1, seed_sd=0.0)
    assert 0.915 <= covered <= 0.98


def test_coverage_of_30_groups(simulate):
    covered, _ = coverage(simulate, groups=30, seeds=3)
    assert 0.89 <= covered <= 0.985


def test_images_taken_for_groups_cover_too_little(simulate):
    """The simulation can tell a wrong resampling unit from the right one."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(300):
        (model,) = simulate(rng, (1.0,), groups=85, seeds=3, sizes="video")
        found = model_interval(SeedSums(model.ids, model.ids, model.sum_sq, model.count))
        held += found.low <= 1 <= found.high
    assert held / 300 < 0.88
