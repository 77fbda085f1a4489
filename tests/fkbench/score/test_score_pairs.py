"""Comparisons of two models, Holm's correction and ranks with ties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkbench.errors import FkbenchError
from fkbench.score import SeedSums, all_pairs, compare, holm, model_interval, ranks
from fkbench.score.intervals import Variance, combined, group_variance, half_width
from fkbench.score.pairs import GroupSums, compare_each
from fkbench.score.student import t_two_sided

REPETITIONS = 1000


def model(sums, groups="abcdef", count=2, ids=None) -> SeedSums:
    rows = np.atleast_2d(np.asarray(sums, float))
    n = rows.shape[1]
    names = tuple(map(str, range(n))) if ids is None else tuple(ids)
    return SeedSums(names, tuple(groups[:n]), rows, np.full(n, count))


def noisy(seed: int, factor: float, seeds: int = 3, n: int = 200) -> SeedSums:
    """A model on 200 images of 40 groups whose errors are `factor` times those of all, up to 5 %."""
    hard = np.random.default_rng(0).lognormal(0, 1, n)
    own = np.random.default_rng(seed).lognormal(0, 0.05, (seeds, n))
    return model(30 * factor * hard * own, [f"g{i % 40}" for i in range(n)], 30)


def test_paired_t_by_hand():
    a, b = [3.0, 5.0, 6.0, 10.0], [2.0, 3.0, 6.0, 5.0]
    found = compare(model(a), model(b))
    delta = (np.array(a) - b) / 2
    t = delta.mean() / (delta.std(ddof=1) / 2)
    assert found.difference == pytest.approx(1.0)
    assert found.df == pytest.approx(3.0)
    # Two-sided p of Student's t with 3 degrees of freedom in closed form.
    s = t / math.sqrt(3)
    assert found.p == pytest.approx(1 - 2 / math.pi * (math.atan(s) + s / (1 + s * s)))
    width = 3.18245 * delta.std(ddof=1) / 2
    assert (found.low, found.high) == pytest.approx((1 - width, 1 + width), rel=1e-5)


def test_variance_of_seeds_of_both_models_is_included():
    a = np.array([[1.0] * 6, [2.0] * 6, [3.0] * 6]) * 2
    b = np.array([[5.0] * 6, [9.0] * 6]) * 2
    found = compare(model(a), model(b))
    va, vb = 1 / 3, 8 / 2
    assert found.difference == pytest.approx(2 - 7)
    assert found.df == pytest.approx((va + vb) ** 2 / (va**2 / 2 + vb**2 / 1))
    assert found.seed_variance_included
    assert found.high > 0  # two seeds so far apart prove nothing, though every image agrees
    assert not compare(model(a[:1]), model(b)).seed_variance_included


@pytest.mark.parametrize("seeds", [1, 3])
def test_pairs_of_a_board_are_the_comparisons_one_by_one_to_the_last_bit(seeds):
    rng = np.random.default_rng(9)
    groups = [f"g{i // 4}" for i in range(60)]
    count = np.where(np.arange(60) < 8, 0, rng.integers(1, 31, 60))  # two groups without labels

    def made() -> SeedSums:
        sums = rng.lognormal(0, 1, (seeds, 60)) * count
        return SeedSums(tuple(map(str, range(60))), tuple(groups), sums, count)

    models = {name: made() for name in "abcde"}
    models["same as a"] = models["a"]
    for pair in all_pairs(models):
        assert pair.comparison == compare(models[pair.a], models[pair.b])
        # From the pieces that single intervals are made of.
        a, b = (GroupSums.of(models[name]) for name in (pair.a, pair.b))
        between = group_variance(a.by_group - b.by_group, a.counts)
        variance = combined([between, a.seed_variance, b.seed_variance])
        assert pair.comparison.high == a.mse - b.mse + half_width(variance, 0.95)
        t = (a.mse - b.mse) / math.sqrt(variance.value) if variance.value > 0 else 0.0
        assert pair.comparison.p == t_two_sided(t, variance.df)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 4))
def test_comparison_is_antisymmetric_and_consistent(seed, seeds_a, seeds_b):
    rng = np.random.default_rng(seed)
    groups = [f"g{i}" for i in rng.integers(0, 10, 30)]
    a, b = (model(rng.lognormal(0, 1, (s, 30)), groups) for s in (seeds_a, seeds_b))
    one, two = compare(a, b), compare(b, a)
    assert (one.difference, one.low, one.high) == pytest.approx((-two.difference, -two.high, -two.low))
    assert one.p == pytest.approx(two.p)
    assert (one.p <= 0.05) == (not one.low <= 0 <= one.high)
    assert one.rmse_difference == pytest.approx(math.sqrt(a.mse()) - math.sqrt(b.mse()))
    assert (one.low > 0) == (one.rmse_low > 0)
    assert (one.high < 0) == (one.rmse_high < 0)


def test_pairing_sees_what_intervals_apart_do_not():
    a, b = noisy(1, 1.0), noisy(2, 1.1)
    assert model_interval(a).high > model_interval(b).low
    assert compare(a, b).p < 1e-3


def test_a_model_does_not_differ_from_itself():
    found = compare(noisy(1, 1.0), noisy(1, 1.0))
    assert (found.difference, found.p) == (0.0, 1.0)


def test_perfect_models_do_not_differ():
    found = compare(model(np.zeros(4)), model(np.zeros(4)))
    assert (found.p, found.rmse_difference) == (1.0, 0.0)


def test_one_group_decides_nothing():
    found = compare(model([1.0, 2.0], "aa"), model([5.0, 9.0], "aa"))
    assert found.p == 1.0
    assert math.isnan(found.low)


def test_images_in_another_order_are_brought_together():
    rng = np.random.default_rng(0)
    a, b = rng.lognormal(0, 1, (2, 3, 6))
    order = [3, 1, 5, 0, 2, 4]
    shuffled = SeedSums(tuple(map(str, order)), tuple("abcdef"[i] for i in order), b[:, order], np.full(6, 2))
    assert compare(model(a), shuffled) == compare(model(a), model(b))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (model([1.0, 2.0], ids=["0", "9"]), "not about the same images .*'1'"),
        (model([1.0, 2.0, 3.0]), "not about the same images"),
        (model([1.0, 2.0], "ax"), "different groups"),
        (model([1.0, 2.0], count=4), "different labelled coordinates"),
    ],
)
def test_models_on_other_images_are_refused(other, words):
    with pytest.raises(FkbenchError, match=words):
        compare(model([1.0, 2.0]), other)


def test_few_groups_are_flipped_exactly():
    a, b = np.array([3.0, 5.0, 6.0, 10.0, 2.0]), np.array([2.0, 3.0, 7.0, 5.0, 2.5])
    delta = a - b
    patterns = itertools.product([-1, 1], repeat=5)
    share = sum(abs(np.dot(p, delta)) >= abs(delta.sum()) - 1e-9 for p in patterns) / 32
    assert compare(model(a), model(b), method="flips").p == pytest.approx(share)


def test_flips_go_by_group_and_not_by_image():
    a, b = np.full(6, 3.0), np.full(6, 2.0)
    assert compare(model(a, "aabbcc"), model(b, "aabbcc"), method="flips").p == pytest.approx(2 / 2**3)


def test_many_groups_are_flipped_at_random_and_reproducibly():
    rng = np.random.default_rng(1)
    names = [f"g{i}" for i in range(60)]
    a, b = (model(rng.lognormal(m, 0.5, 60), names) for m in (0.0, 0.12))
    flips = compare(a, b, method="flips")
    assert flips.p == compare(a, b, method="flips").p
    assert flips.p != compare(a, b, method="flips", seed=1).p
    assert flips.p == pytest.approx(compare(a, b).p, abs=0.02)
    assert 0.001 < flips.p < 0.5


def test_flips_are_never_certain():
    names = [f"g{i}" for i in range(60)]
    found = compare(model(np.full(60, 2.0), names), model(np.full(60, 1.0), names), method="flips")
    assert found.p == pytest.approx(1 / 100_001)


def test_flips_refuse_several_seeds_and_too_few_patterns():
    with pytest.raises(FkbenchError, match="between seeds"):
        compare(noisy(1, 1.0), noisy(2, 1.0), method="flips")
    with pytest.raises(FkbenchError, match="too few"):
        compare(noisy(1, 1.0, 1), noisy(2, 1.0, 1), method="flips", flips=1000)


def rejected(simulate, factors, **design) -> tuple[float, float]:
    """Share of pairs found different at 5 %, and share of intervals that hold the true difference."""
    rng, found = np.random.default_rng(77), []
    for _ in range(REPETITIONS):
        a, b = simulate(rng, factors, **design)
        found.append(compare(a, b))
    truth = factors[0] - factors[1]
    return sum(c.p <= 0.05 for c in found) / REPETITIONS, sum(c.low <= truth <= c.high for c in found) / REPETITIONS


@pytest.mark.parametrize(("seeds", "seed_sd"), [(1, 0.0), (3, 0.05)])
def test_size_under_the_null(simulate, seeds, seed_sd):
    share, covered = rejected(simulate, (1.0, 1.0), groups=85, seeds=seeds, seed_sd=seed_sd)
    assert share <= 0.07
    assert covered >= 0.93


def test_size_of_few_groups(simulate):
    share, _ = rejected(simulate, (1.0, 1.0), groups=30, seeds=3)
    assert share <= 0.07


def test_power_in_a_clear_case(simulate):
    rng = np.random.default_rng(3)
    found = [compare(*simulate(rng, (0.7, 1.0), groups=85, seeds=3)) for _ in range(100)]
    assert sum(c.p <= 0.05 and c.difference < 0 for c in found) >= 95


def test_leaving_out_the_seeds_would_find_too_much(simulate):
    """The simulation can tell: one seed each, taken for the recipe, is wrong far more often than 5 %."""
    rng = np.random.default_rng(4)
    pairs = [simulate(rng, (1.0, 1.0), groups=85, seeds=1, seed_sd=0.15) for _ in range(200)]
    assert sum(compare(a, b).p <= 0.05 for a, b in pairs) / 200 > 0.3


def test_holm_by_hand():
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1 = .02, .03, .06, .04; never falling: .02, .03, .06, .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_takes_what_is_no_number_for_no_difference():
    for place in range(3):
        values = [0.01, 0.02]
        values.insert(place, math.nan)
        found = holm(values)
        assert found.pop(place) == 1.0
        assert found == pytest.approx([0.03, 0.04])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.5))
def test_holm_rejects_as_the_step_down_procedure_does(values, alpha):
    order = sorted(range(len(values)), key=lambda i: values[i])
    expected = [False] * len(values)
    for step, index in enumerate(order):
        if values[index] * (len(values) - step) > alpha:
            break
        expected[index] = True
    assert [p <= alpha for p in holm(values)] == expected


def test_ranks_count_the_significantly_better():
    board = ranks({"slow": noisy(4, 2.0), "good": noisy(1, 1.0), "same": noisy(2, 1.001), "mid": noisy(3, 1.4)})
    assert [(r.name, r.rank, r.label) for r in board[2:]] == [("mid", 3, "3"), ("slow", 4, "4")]
    assert {(r.name, r.label, r.tied) for r in board[:2]} == {("good", "1=", ("same",)), ("same", "1=", ("good",))}
    assert board[2].better == ("good", "same")
    assert board[3].rmse == pytest.approx(math.sqrt(noisy(4, 2.0).mse()))


@pytest.mark.parametrize("factor", [1e-60, 1e-20, 1e20, 1e90])
def test_a_model_out_of_all_proportion_leaves_the_ranks_of_the_others(factor):
    models = {"good": noisy(1, 1.0), "mid": noisy(3, 1.4)}
    pairs = all_pairs({**models, "odd": noisy(4, factor)})
    assert all(math.isfinite(pair.p_holm) and math.isfinite(pair.comparison.high) for pair in pairs)
    assert [pair.better() for pair in pairs if "odd" not in (pair.a, pair.b)] == ["good"]
    place = {rank.name: rank.rank for rank in ranks({**models, "odd": noisy(4, factor)})}
    assert place == ({"odd": 1, "good": 2, "mid": 3} if factor < 1 else {"good": 1, "mid": 2, "odd": 3})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", [1e160, 1e308, math.inf])
def test_sums_that_run_over_show_no_difference(size):
    counts = np.full(4, 2.0)
    plain = GroupSums(counts, np.arange(4.0), 0.75, Variance(0.1, 2.0), 3)
    for odd in (
        GroupSums(counts, size * np.array([1.0, 1.0, 0.5, 1.0]), size, Variance(0.1, 2.0), 3),
        GroupSums(counts, np.ones(4), 1.0, Variance(math.inf, 2.0), 3),
    ):
        (found,) = compare_each(plain, [odd], 0.95)
        assert found.p == 1.0
        assert not math.isfinite(found.low)


def test_ranks_use_holm_within_the_board():
    """A difference that is significant alone is none among many comparisons."""
    names = [f"g{i}" for i in range(20)]
    base = np.random.default_rng(11).lognormal(0, 0.3, 20)
    shift = np.tile([0.35, -0.1], 10)  # mean .125, standard error .052: t = 2.4
    a, b = model(base, names), model(base + shift, names)
    assert 0.005 < compare(a, b).p < 0.05
    assert {r.name: r.rank for r in ranks({"a": a, "b": b})} == {"a": 1, "b": 2}
    crowd = {f"c{i}": model(base, names) for i in range(4)}
    assert {r.rank for r in ranks({"a": a, "b": b, **crowd})} == {1}


def test_ranks_do_not_depend_on_the_order_of_models():
    models = {name: noisy(seed, factor) for name, seed, factor in (("x", 1, 1.0), ("y", 2, 1.02), ("z", 3, 1.5))}
    assert ranks(models) == ranks(dict(reversed(models.items())))


def test_a_board_of_one_or_none_has_ranks():
    assert [(r.rank, r.label) for r in ranks({"only": noisy(1, 1.0)})] == [(1, "1")]
    assert ranks({}) == []
