"""Splits: which samples train, select and test. Membership depends on names alone, never on a run's seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fkbench.datasets.hashing import unit_hash
from fkbench.datasets.samples import Samples, Split
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.specs import DatasetSpec, SplitSpec, resolve

TRAIN_SHARE, VAL_SHARE = 0.65, 0.10


def get_split(spec: DatasetSpec, samples: Samples, name: str) -> Split:
    """The split of this name, `name` or `name/fold` (plain = fold 0, and `name/0` is called `name` again).

    Raises:
        UnknownNameError: the dataset has no such split.
        FkbenchError: the split has no such fold, or the plugin's split is not a partition.
    """
    split_spec, fold = parse_split(spec, name)
    if spec.split is not None:
        split: Split = resolve(spec.split)(samples, split_spec.name, fold)
    else:
        split = by_group(samples, split_spec.name)
    shown = split_spec.name if fold == 0 else f"{split_spec.name}/{fold}"
    leaky = split_spec.leaky or split.leaky
    found = replace(split, name=shown, version=split_spec.version, leaky=leaky)
    check_split(spec.name, samples, found)
    return found if found.version else replace(found, version=_version_by_content(spec, samples, found))


def _version_by_content(spec: DatasetSpec, samples: Samples, split: Split) -> int:
    """A number that changes with membership, groups, clips, leaks or the unit of scores: all that a table rests on
    beside pictures and labels."""
    parts = {part: [samples.ids[i] for i in getattr(split, part)] for part in split.counts}
    used = [int(i) for part in split.counts for i in getattr(split, part)]
    belongs = [[names[i] for i in used] for names in (samples.group, samples.clip) if names is not None]
    stated = json.dumps([spec.scoring, parts, belongs, split.leaky])
    return int(hashlib.sha256(stated.encode()).hexdigest()[:8], 16)


def parse_split(spec: DatasetSpec, name: str) -> tuple[SplitSpec, int]:
    """The split and fold that `name` or `name/fold` means.

    Raises:
        UnknownNameError: the dataset has no such split.
        FkbenchError: the split has no such fold.
    """
    base, slash, text = name.partition("/")
    known = {split.name: split for split in spec.splits}
    if base not in known:
        raise UnknownNameError(f"split of {spec.name}", base, known)
    found = known[base]
    if not slash:
        return found, 0
    if found.folds == 1:
        raise FkbenchError(f"The split '{base}' of {spec.name} has no folds.", f"Use --split {base}.")
    if not (text.isascii() and text.isdigit()) or int(text) >= found.folds:
        raise FkbenchError(
            f"The split '{base}' of {spec.name} has no fold '{text}'.",
            f"Its folds are {base}/0 to {base}/{found.folds - 1}.",
        )
    return found, int(text)


def by_group(samples: Samples, name: str, salt: tuple[str, ...] = ()) -> Split:
    """65/10/25 % to train/val/test by a hash of the group: a group is never parted.

    Args:
        samples: what to part.
        name: name of the split.
        salt: further words of the hash; none: all datasets with the same group names part alike.
    """
    units = unit_hashes(samples.group, *salt)
    val = (units >= TRAIN_SHARE) & (units < TRAIN_SHARE + VAL_SHARE)
    test = units >= TRAIN_SHARE + VAL_SHARE
    return from_masks(name, ~val & ~test, val, test)


def unit_hashes(groups: Sequence[str], *salt: str) -> npt.NDArray[np.float64]:
    """(N,) numbers in [0, 1), one per group name, equal for equal names."""
    known = {group: unit_hash(*salt, group) for group in set(groups)}
    return np.array([known[group] for group in groups], np.float64)


def from_masks(
    name: str, train: npt.NDArray[np.bool_], val: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]
) -> Split:
    """A split from three (N,) masks."""
    return Split(name, 1, np.flatnonzero(train), np.flatnonzero(val), np.flatnonzero(test))


def check_split(dataset: str, samples: Samples, split: Split) -> None:
    """Every index in range, and none twice.

    Raises:
        FkbenchError: the plugin's split function is wrong, or a part that a run needs is empty.
    """
    parts = np.concatenate([split.train, split.val, split.test])
    blame = f"The split '{split.name}' of {dataset}"
    if len(parts) and (parts.min() < 0 or parts.max() >= len(samples)):
        raise FkbenchError(f"{blame} names samples that are not there.", "It must return indices 0 … N − 1.")
    if len(np.unique(parts)) != len(parts):
        raise FkbenchError(f"{blame} has a sample in two parts.", "It must return disjoint parts.")
    empty = [part for part, count in split.counts.items() if count == 0]
    if empty:
        raise FkbenchError(
            f"{blame} has nothing in {' and '.join(empty)} ({len(samples)} samples in all).",
            "Use more data, or another split.",
        )
