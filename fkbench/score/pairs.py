"""Two models on the same images; all pairs of a board, and ranks, are in `fkbench.score.ranking`.

Difference of MSE as a ratio of sums: with Δ_g = Ē_g(a) − Ē_g(b) (errors of group g, mean over each model's seeds),
D = Σ Δ_g / C. Its variance is that of the groups (jackknife over the Δ_g, as in `fkbench.score.intervals`: images of
one group are paired and stay together) + V_S(a) + V_S(b), each model's variance between its own seeds;
p from Student's t with Welch–Satterthwaite degrees of freedom.

With one seed each, `method="flips"` takes p from sign flips instead: under the null the sign of each Δ_g is arbitrary,
p = (1 + #{|Σ ±Δ_g| ≥ |Σ Δ_g|}) / (1 + flips), or the exact share over all 2^G patterns where these are fewer. Flips
know nothing of seeds, so several are refused. The interval is the t interval in both cases.

Size of the 5 % test by simulation (2000 pairs each, standard error .005; designs of `fkbench.score.intervals`, unequal
groups): 85 groups .037, .031 and .030 with 1, 3 and 5 seeds; 30 groups .024, .013 and .008. It errs on the safe side:
effects of group × seed are counted in both kinds of variance. Only where one of two equally good models has the heavier
tail and there is one seed is it .06 to .09. Power with 85 groups: for an MSE 20 % lower 1.00, .90 and 1.00, for 10 %
.68, .33 and .59 (with one seed the question, about two trained nets, is the easier one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.score.errors import FloatArray
from fkbench.score.intervals import Variance, combined, group_variances, seed_variance
from fkbench.score.metrics import total
from fkbench.score.seeds import SeedSums, group_codes, group_sums

Method = Literal["t", "flips"]
FLIPS = 100_000
_CHUNK = 4096


@dataclass(frozen=True)
class Comparison:
    """Model a against model b.

    Attributes:
        difference: MSE(a) − MSE(b), scoring-frame pixels²: negative where a is better.
        low: lower end of its interval, NaN below two groups.
        high: upper end.
        p: two-sided p-value of "no difference".
        level: nominal coverage.
        df: degrees of freedom of the t form.
        rmse_difference: RMSE(a) − RMSE(b), pixels.
        rmse_low: `low` in pixels: over RMSE(a) + RMSE(b), so that it excludes 0 exactly when the other does.
        rmse_high: `high` in pixels.
        method: where p comes from.
        groups: number of groups with labels.
        seeds: seeds of a and of b.
    """

    difference: float
    low: float
    high: float
    p: float
    level: float
    df: float
    rmse_difference: float
    rmse_low: float
    rmse_high: float
    method: Method
    groups: int
    seeds: tuple[int, int]

    @property
    def seed_variance_included(self) -> bool:
        """Whether both models have several seeds, so that the test is about recipes and not two trained nets."""
        return min(self.seeds) > 1


def compare(
    a: SeedSums, b: SeedSums, *, level: float = 0.95, method: Method = "t", flips: int = FLIPS, seed: int = 0
) -> Comparison:
    """Paired comparison of two models on the same images.

    Args:
        a: first model; its image order counts.
        b: second model, on the same images in any order.
        level: nominal coverage of the interval.
        method: `t`, or `flips` for one seed each.
        flips: sign patterns, at least 100 000.
        seed: of the sign patterns.

    Raises:
        FkbenchError: other images, groups or counts; flips with several seeds or with too few patterns.
    """
    b = b.aligned(a)
    _check_method(a, b, method, flips)
    first, second = GroupSums.of(a), GroupSums.of(b)
    found = compare_each(first, [second], level)[0]
    if method == "t":
        return found
    return replace(found, method=method, p=_flip_p(first.by_group - second.by_group, flips, seed))


@dataclass(frozen=True, eq=False)
class GroupSums:
    """What comparisons need of one model, computed once for all of its pairs.

    Attributes:
        counts: (G,) labelled coordinates of each group.
        by_group: (G,) squared error of each group, mean over seeds.
        mse: mean squared error, mean over seeds.
        seed_variance: of that mean; None for one seed.
    """

    counts: FloatArray
    by_group: FloatArray
    mse: float
    seed_variance: Variance | None
    seeds: int

    @classmethod
    def of(cls, model: SeedSums) -> GroupSums:
        codes, each = group_codes(model.group), model.mse_by_seed()
        counts = group_sums(codes, model.count.astype(np.float64))
        by_group: FloatArray = group_sums(codes, model.sum_sq).sum(axis=0) / len(model.sum_sq)
        return cls(counts, by_group, total(each) / len(each), seed_variance(each), len(each))


def compare_each(a: GroupSums, others: Sequence[GroupSums], level: float) -> list[Comparison]:
    """One model against each of several on the same images, by the t form; all have their images in one order."""
    if not others:
        return []
    between = group_variances(a.by_group - np.stack([b.by_group for b in others]), a.counts)
    variances = [combined([own, a.seed_variance, b.seed_variance]) for own, b in zip(between, others, strict=True)]
    widths, p = _t_form(np.array([a.mse - b.mse for b in others]), variances, level)
    groups = int((a.counts > 0).sum())
    found = zip(others, variances, widths, p, strict=True)
    return [_comparison(a, b, variance, width, own_p, level, groups) for b, variance, width, own_p in found]


def _comparison(
    a: GroupSums, b: GroupSums, variance: Variance, width: float, p: float, level: float, groups: int
) -> Comparison:
    difference, both = a.mse - b.mse, math.sqrt(a.mse) + math.sqrt(b.mse)
    unit = 1.0 / both if both > 0 else 0.0
    return Comparison(
        difference=difference,
        low=difference - width,
        high=difference + width,
        p=p,
        level=level,
        df=variance.df,
        rmse_difference=difference * unit,
        rmse_low=(difference - width) * unit,
        rmse_high=(difference + width) * unit,
        method="t",
        groups=groups,
        seeds=(a.seeds, b.seeds),
    )


def _t_form(differences: FloatArray, variances: Sequence[Variance], level: float) -> tuple[list[float], list[float]]:
    """Half widths of the intervals and two-sided p: `half_width` and `t_two_sided` of all at once, which is far faster.

    NaN and 1 where the variance or the difference is unknown or has run over; without a variance p is 0, without a
    difference 1.
    """
    from scipy import special

    df, values = (np.array(part) for part in zip(*((v.df, v.value) for v in variances), strict=True))
    widths = special.stdtrit(df, 0.5 + level / 2.0) * np.sqrt(values)
    with np.errstate(all="ignore"):
        t = -np.abs(differences / np.sqrt(values))
    known = np.isfinite(values) & np.isfinite(df) & np.isfinite(differences) & (differences != 0.0)
    p = np.where(np.isinf(t), 0.0, np.minimum(1.0, 2.0 * special.stdtr(df, t)))
    return widths.tolist(), np.where(known, p, 1.0).tolist()


def _check_method(a: SeedSums, b: SeedSums, method: Method, flips: int) -> None:
    if method == "flips" and max(len(a.sum_sq), len(b.sum_sq)) > 1:
        raise FkbenchError("Sign flips leave out the variance between seeds.", "Use the t form for several seeds.")
    if method == "flips" and flips < FLIPS:
        raise FkbenchError(f"{flips} sign flips are too few.", f"Use at least {FLIPS}.")


def _flip_p(delta: FloatArray, flips: int, seed: int) -> float:
    """Share of sign patterns whose sum is at least as far from 0 as the one observed."""
    delta = delta[delta != 0.0]
    n = len(delta)
    # Sums of the same numbers in another order may differ in the last bits: a tie must still count.
    bound = abs(total(delta)) - 1e-12 * total(np.abs(delta))
    if n < 63 and 2**n <= flips:
        patterns = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float(np.mean(np.abs((2.0 * patterns - 1.0) @ delta) >= bound))
    rng = np.random.default_rng(seed)
    hits = 0
    for start in range(0, flips, _CHUNK):
        size = min(_CHUNK, flips - start)
        bits = np.unpackbits(rng.integers(0, 256, (size, -(-n // 8)), dtype=np.uint8), axis=1, count=n)
        hits += int((np.abs((2.0 * bits - 1.0) @ delta) >= bound).sum())
    return (1 + hits) / (1 + flips)
