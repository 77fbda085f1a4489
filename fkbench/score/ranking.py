"""Ranks that admit ties: every two models of a board compared, then Holm (1979) over all of them.

Holm's correction controls the chance of any false "better" on a board whatever the dependence between its pairs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from fkbench.score.pairs import Comparison, GroupSums, compare_each
from fkbench.score.seeds import SeedSums


def holm(pvalues: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given (Holm 1979); one that is NaN shows nothing: it is 1."""
    n, known = len(pvalues), [1.0 if math.isnan(p) else p for p in pvalues]
    adjusted, running = [0.0] * n, 0.0
    for place, index in enumerate(sorted(range(n), key=lambda i: known[i])):
        running = max(running, min(1.0, (n - place) * known[index]))
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
    sums = {name: GroupSums.of(models[name] if first is None else models[name].aligned(first)) for name in names}
    found: list[Comparison] = []
    for place, name in enumerate(names):
        found += compare_each(sums[name], [sums[other] for other in names[place + 1 :]], 0.95)
    adjusted = holm([comparison.p for comparison in found])
    return [Pair(a, b, one, p) for (a, b), one, p in zip(combinations(names, 2), found, adjusted, strict=True)]


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
