"""Two models on the same images, and ranks that admit ties.

Difference of MSE as a ratio of sums: with Δ_g = Ē_g(a) − Ē_g(b) (errors of group g, mean over each model's seeds),
D = Σ Δ_g / C. Its variance is that of the groups (jackknife over the Δ_g, as in `fkbench.score.intervals`: images of
one group are paired and stay together) + V_S(a) + V_S(b), each model's variance between its own seeds;
p from Student's t with Welch–Satterthwaite degrees of freedom.

With one seed each, `method="flips"` takes p from sign flips instead: under the null the sign of each Δ_g is arbitrary,
p = (1 + #{|Σ ±Δ_g| ≥ |Σ Δ_g|}) / (1 + flips), or the exact share over all 2^G patterns where these are fewer. Flips
know nothing of seeds, so several are refused. The interval is the t interval in both cases.

Families of tests: Holm (1979), which controls the chance of any false "better" on a board whatever the dependence.

Size of the 5 % test by simulation (2000 pairs each, standard error .005; designs of `fkbench.score.intervals`, unequal
groups): 85 groups .037, .031 and .030 with 1, 3 and 5 seeds; 30 groups .024, .013 and .008. It errs on the safe side:
effects of group × seed are counted in both kinds of variance. Only where one of two equally good models has the heavier
tail and there is one seed is it .06 to .09. Power with 85 groups: for an MSE 20 % lower 1.00, .90 and 1.00, for 10 %
.68, .33 and .59 (with one seed the question, about two trained nets, is the easier one).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.score.errors import FloatArray, IntArray
from fkbench.score.intervals import Variance, combined, group_variance, half_width, seed_variance
from fkbench.score.metrics import total
from fkbench.score.seeds import SeedSums, group_codes, group_sums
from fkbench.score.student import t_two_sided

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
    found = _compared(_Sums.of(a), _Sums.of(b), level)
    if method == "t":
        return found
    codes = group_codes(a.group)
    delta = _seed_mean(a, codes) - _seed_mean(b, codes)
    return replace(found, method=method, p=_flip_p(delta, flips, seed))


@dataclass(frozen=True, eq=False)
class _Sums:
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
    def of(cls, model: SeedSums) -> _Sums:
        codes, each = group_codes(model.group), model.mse_by_seed()
        counts = group_sums(codes, model.count.astype(np.float64))
        return cls(counts, _seed_mean(model, codes), total(each) / len(each), seed_variance(each), len(each))


def _compared(a: _Sums, b: _Sums, level: float) -> Comparison:
    variance = combined([group_variance(a.by_group - b.by_group, a.counts), a.seed_variance, b.seed_variance])
    difference, width = a.mse - b.mse, half_width(variance, level)
    both = math.sqrt(a.mse) + math.sqrt(b.mse)
    unit = 1.0 / both if both > 0 else 0.0
    return Comparison(
        difference=difference,
        low=difference - width,
        high=difference + width,
        p=_p_value(difference, variance.value, variance.df),
        level=level,
        df=variance.df,
        rmse_difference=difference * unit,
        rmse_low=(difference - width) * unit,
        rmse_high=(difference + width) * unit,
        method="t",
        groups=int((a.counts > 0).sum()),
        seeds=(a.seeds, b.seeds),
    )


def holm(pvalues: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979)."""
    n = len(pvalues)
    adjusted, running = [0.0] * n, 0.0
    for place, index in enumerate(sorted(range(n), key=lambda i: pvalues[i])):
        running = max(running, min(1.0, (n - place) * pvalues[index]))
        adjusted[index] = running
    return adjusted


@dataclass(frozen=True)
class Rank:
    """A model's place on a board.

    Attributes:
        name: the model.
        rank: 1 + number of models that are significantly better.
        rmse: root of the mean over seeds of the MSE, scoring-frame pixels.
        better: names of the models that are significantly better.
        tied: names of the other models of the same rank.
    """

    name: str
    rank: int
    rmse: float
    better: tuple[str, ...]
    tied: tuple[str, ...]

    @property
    def label(self) -> str:
        """`2`, or `2=` where others share the rank."""
        return f"{self.rank}=" if self.tied else str(self.rank)


@dataclass(frozen=True)
class Pair:
    """Two models of a board.

    Attributes:
        a: name of the first.
        b: name of the second.
        comparison: a against b.
        p_holm: p adjusted for all pairs of the board.
    """

    a: str
    b: str
    comparison: Comparison
    p_holm: float

    def better(self, alpha: float = 0.05) -> str:
        """Name of the one that is significantly better; empty where neither is."""
        if self.p_holm > alpha:
            return ""
        return self.a if self.comparison.difference < 0 else self.b


def all_pairs(models: Mapping[str, SeedSums]) -> list[Pair]:
    """Every two models of a board by the t form, with p-values adjusted for their number.

    Args:
        models: name → errors; all on the same images.

    Raises:
        FkbenchError: models on different images.
    """
    names = list(models)
    first = models[names[0]] if names else None
    sums = {name: _Sums.of(models[name] if first is None else models[name].aligned(first)) for name in names}
    found = [(a, b, _compared(sums[a], sums[b], 0.95)) for a, b in combinations(names, 2)]
    adjusted = holm([comparison.p for _, _, comparison in found])
    return [Pair(a, b, comparison, p) for (a, b, comparison), p in zip(found, adjusted, strict=True)]


def ranks(models: Mapping[str, SeedSums], *, alpha: float = 0.05, pairs: Sequence[Pair] | None = None) -> list[Rank]:
    """Ranks of models on the same images, best first: all pairs by the t form, Holm within the board.

    Args:
        models: name → errors; all on the same images.
        alpha: chance of any false "better" on the board.
        pairs: of `all_pairs`, where they are known.

    Raises:
        FkbenchError: models on different images.
    """
    better: dict[str, list[str]] = {name: [] for name in models}
    for pair in all_pairs(models) if pairs is None else pairs:
        winner = pair.better(alpha)
        if winner:
            better[pair.b if winner == pair.a else pair.a].append(winner)
    place = {name: 1 + len(names) for name, names in better.items()}
    mse = {name: model.mse() for name, model in models.items()}
    return [
        Rank(
            name=name,
            rank=place[name],
            rmse=math.sqrt(mse[name]),
            better=tuple(sorted(better[name])),
            tied=tuple(sorted(n for n in models if n != name and place[n] == place[name])),
        )
        for name in sorted(models, key=lambda n: (place[n], mse[n], n))
    ]


def _check_method(a: SeedSums, b: SeedSums, method: Method, flips: int) -> None:
    if method == "flips" and max(len(a.sum_sq), len(b.sum_sq)) > 1:
        raise FkbenchError("Sign flips leave out the variance between seeds.", "Use the t form for several seeds.")
    if method == "flips" and flips < FLIPS:
        raise FkbenchError(f"{flips} sign flips are too few.", f"Use at least {FLIPS}.")


def _seed_mean(model: SeedSums, codes: IntArray) -> FloatArray:
    """(G,) squared error of each group, mean over seeds."""
    sums: FloatArray = group_sums(codes, model.sum_sq).sum(axis=0) / len(model.sum_sq)
    return sums


def _p_value(difference: float, variance: float, df: float) -> float:
    if math.isnan(variance) or difference == 0.0:
        return 1.0
    return t_two_sided(difference / math.sqrt(variance), df) if variance > 0 else 0.0


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
