"""What a sweep is made of: lists of names, multiplied out to single runs. Standard library only."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

from fkbench.errors import FkbenchError, UnknownNameError

Settings = Mapping[str, Mapping[str, str]]

DEFAULT_LIMIT_S = 24 * 3600.0
MOST_RUNS = 10_000
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True)
class Cell:
    """One run that is asked for, as typed.

    Attributes:
        split: empty: the dataset's for the protocol; `box` too.
        settings: subject → name → value.
        limit: seconds that its worker may take.
    """

    model: str
    dataset: str
    protocol: str = "uniform"
    split: str = ""
    box: str = ""
    seed: int = 0
    device: str = "auto"
    epochs: int | None = None
    settings: Settings = field(default_factory=dict)
    limit: float = DEFAULT_LIMIT_S

    @property
    def label(self) -> str:
        """For people: what tells it from others."""
        model, dataset = self.model.rpartition("/")[2], self.dataset.rpartition("/")[2]
        parts = [f"{model}@{dataset}", self.split, self.protocol if self.protocol != "uniform" else "", self.box]
        return f"{' '.join(part for part in parts if part)} seed {self.seed}"


@dataclass(frozen=True)
class Matrix:
    """Every model on every dataset under every protocol, split, box and seed."""

    models: Sequence[str]
    datasets: Sequence[str]
    protocols: Sequence[str] = ("uniform",)
    splits: Sequence[str] = ("",)
    boxes: Sequence[str] = ("",)
    seeds: Sequence[int] = (0,)
    device: str = "auto"
    epochs: int | None = None
    settings: Settings = field(default_factory=dict)
    limit: float = DEFAULT_LIMIT_S

    def cells(self, models: Iterable[str]) -> list[Cell]:
        """Its runs; the seed changes last, so that every model has a first result early.

        Args:
            models: every model's name; those that `*` and `?` in `models` mean are found among them.

        Raises:
            FkbenchError: a pattern that no model fits, or more than `MOST_RUNS`.
        """
        chosen = list(dict.fromkeys(name for text in self.models for name in named(text, models)))
        lists = (self.seeds, self.datasets, self.protocols, self.splits, self.boxes, chosen)
        _check_size(prod(map(len, lists)))
        axes = product(*lists)
        return [
            Cell(model, dataset, protocol, split, box, seed, self.device, self.epochs, self.settings, self.limit)
            for seed, dataset, protocol, split, box, model in axes
        ]


def cells_of(matrices: Iterable[Matrix], models: Iterable[str]) -> list[Cell]:
    """The runs of several matrices, each once; see `Matrix.cells`."""
    known = list(models)
    found: dict[str, Cell] = {}
    for matrix in matrices:
        for cell in matrix.cells(known):
            found.setdefault(_identity(cell), cell)
        _check_size(len(found))
    return list(found.values())


def _identity(cell: Cell) -> str:
    """The same text for equal cells: comparing each with each would take minutes for thousands."""
    settings = sorted((subject, sorted(values.items())) for subject, values in cell.settings.items())
    return repr(replace(cell, settings={})) + repr(settings)


def _check_size(runs: int) -> None:
    if runs > MOST_RUNS:
        raise FkbenchError(
            f"A sweep of {runs if runs < 10**12 else 'more than 10^12'} runs is too large: at most {MOST_RUNS}.",
            "Ask for fewer models, datasets or seeds, or sweep them one after the other.",
        )


def named(text: str, models: Iterable[str]) -> list[str]:
    """The models that a name or a pattern (`resnet*`) means.

    Raises:
        UnknownNameError: a pattern that no model fits.
    """
    if text.endswith(".py") or not re.search(r"[*?]", text):
        return [text]
    known = list(models)
    found = fnmatch.filter(known, text)
    if not found:
        raise UnknownNameError("model", text, known, "* and ? stand for any letters.")
    return sorted(found)


def duration(text: str, what: str = "--time-limit") -> float:
    """`2h`, `90m`, `1h30m`, `45s` or a number of seconds, as seconds.

    Raises:
        FkbenchError: something else, or zero.
    """
    compact = text.strip().lower().replace(" ", "")
    pieces = re.findall(r"(\d+(?:\.\d+)?)([dhms])", compact)
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        seconds = float(compact)
    elif pieces and "".join(number + unit for number, unit in pieces) == compact:
        seconds = sum(float(number) * _UNITS[unit] for number, unit in pieces)
    else:
        raise FkbenchError(f"{what} '{text}' is not a time.", "For example 2h, 90m, 1h30m or 45s.")
    if not 0 < seconds < float("inf"):
        raise FkbenchError(f"{what} '{text}' leaves no time.", "For example 2h, 90m, 1h30m or 45s.")
    return seconds


def span(seconds: float) -> str:
    """Seconds for people: `2h`, `1h30m`, `45s`."""
    rest, parts = round(seconds), []
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, int(size))
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts[:2]) or f"{seconds:.1f}s"
