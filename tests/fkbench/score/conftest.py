"""Simulated errors of benchmark runs: groups of several images, difficult groups, failures, lucky and unlucky seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from fkbench.score import SeedSums

COORDINATES = 30
# Made once: thousands of simulated test sets use these names.
GROUPS = tuple(f"g{i:04d}" for i in range(1000))
IDS = tuple(map(str, range(100_000)))


@dataclass(frozen=True)
class Design:
    """One simulated experiment; deviations are of logarithms of squared errors, every expectation is 1."""

    groups: int
    seeds: int
    sizes: str = "unequal"
    group_sd: float = 0.6
    image_sd: float = 0.9
    seed_sd: float = 0.05
    group_seed_sd: float = 0.15
    image_seed_sd: float = 0.3


Names = tuple[str, ...]
FloatArray = npt.NDArray[np.float64]


def lognormal(rng: np.random.Generator, sd: float, shape: tuple[int, ...]) -> FloatArray:
    """Lognormal values of mean 1."""
    return np.exp(sd * rng.standard_normal(shape, np.float32) - sd * sd / 2, dtype=np.float32)


def group_sizes(rng: np.random.Generator, design: Design) -> npt.NDArray[np.int64]:
    """Images per group: as among persons of a video set, very unequal (median 9, up to 80), or one each."""
    if design.sizes == "video":
        return rng.choice([11, 14, 15], p=[0.67, 0.11, 0.22], size=design.groups)
    if design.sizes == "single":
        return np.ones(design.groups, np.int64)
    return np.clip(np.round(np.exp(rng.normal(2.2, 0.7, design.groups))), 1, 80).astype(np.int64)


def faces(rng: np.random.Generator, design: Design) -> tuple[Names, npt.NDArray[np.int64], FloatArray]:
    """Group names, group index and difficulty (N,) of a test set drawn at random."""
    sizes = group_sizes(rng, design)
    index = np.repeat(np.arange(design.groups), sizes)
    hard = lognormal(rng, design.group_sd, (design.groups,))[index] * lognormal(rng, design.image_sd, index.shape)
    return tuple(np.array(GROUPS)[index].tolist()), index, hard


def runs(
    rng: np.random.Generator, design: Design, index: npt.NDArray[np.int64], hard: FloatArray, factor: float = 1.0
) -> FloatArray:
    """(S, N) sums of squares of a model whose expected MSE is `factor`."""
    own = lognormal(rng, design.seed_sd, (design.seeds, 1))
    group = lognormal(rng, design.group_seed_sd, (design.seeds, design.groups))[:, index]
    image = lognormal(rng, design.image_seed_sd, (design.seeds, len(index)))
    return COORDINATES * factor * hard * own * group * image


Simulation = Callable[..., list[SeedSums]]


@pytest.fixture(scope="session")
def simulate() -> Simulation:
    """`simulate(rng, factors, groups=…, seeds=…, …)`: models of these expected MSE on one new test set."""

    def draw(rng: np.random.Generator, factors: tuple[float, ...], **design: float | str) -> list[SeedSums]:
        plan = Design(**design)  # type: ignore[arg-type]
        group, index, hard = faces(rng, plan)
        ids = IDS[: len(index)]
        count = np.full(len(index), COORDINATES)
        return [SeedSums(ids, group, runs(rng, plan, index, hard, f), count) for f in factors]

    return draw
