"""Who is ranked, and how: all rules in one place.

A row is ranked if its protocol is frozen and ranked, nothing was overridden, a recipe of ours is the one that its
records state, it has at least three finished seeds (one for a model without randomness) and no seed that failed, it is
neither collapsed nor stale nor untrained, errors per image stand beside its records, give the recorded rmse and are
about the same images as the other rows', and no check of it (`fkbench verify`) has failed. A failed seed unranks, as a
row must not get better by losing its worst trainings. So do two records of one seed with different scores, of which
nobody can tell the right one, and two seeds that predict nearly the same, unless the model says that it has no
randomness: one of them is a copy, or the seed changes nothing. Where the errors contradict a recorded rmse, the check
of the row has failed, whoever made it.

That a model has no randomness is what its record says, and believed, as tables are the same where its plugin is not
installed; rows that are no baselines carry a mark that says so.

Rank = 1 + number of models among the ranked rows that are significantly better (pairs by groups and seeds, Holm within
the board, `fkbench.score.ranks`); a model that stands there with two devices counts once. Rows of equal rank share it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace

import numpy as np

from fkbench.boards.entries import Entry, ended
from fkbench.boards.plans import STALE
from fkbench.errors import FkbenchError
from fkbench.protocols import PROTOCOLS
from fkbench.records import ERRORS_FILE, ProtocolInfo, RunRecord, beside, read_errors
from fkbench.records.plain import plain, rounded
from fkbench.score import ImageErrors, Pair, SeedSums, all_pairs, ranks
from fkbench.words import counted, plural

SEEDS_NEEDED = 3
UNRANKING_FLAGS = {name: name for name in ("collapsed", "untrained")} | {
    STALE: f"{STALE}: the model's code has changed since"
}
"""Mark of a record → the reason that a row with it is given."""
STATED = ("augmentation", "batch", "images_seen", "lr", "optimiser", "schedule", "selection", "weight_decay")
"""What a record must state of a recipe, so that it cannot be told from another one by saying nothing."""
RMSE_TOLERANCE = 1e-4
"""Relative; recorded numbers have six significant digits."""
SAME_ERROR = 0.01
"""Relative. Seeds whose errors differ by less on most images predict nearly the same; of a net trained three times, on
a few of a hundred images."""
NEIGHBOURS = 20
"""Each seed is held against so many of the next worse ones: all of them, but in rows of very many seeds."""

ErrorsOf = Callable[[RunRecord], ImageErrors]


@dataclass(frozen=True)
class Unusable:
    """Why there are no errors per image of a row that can be used.

    Attributes:
        contradicts: they are there, and do not give what a record states.
    """

    reason: str
    contradicts: bool = False


def errors_beside(record: RunRecord) -> ImageErrors:
    """The errors per image that lie beside the record.

    Raises:
        FkbenchError: there are none, or they are damaged.
    """
    return read_errors(beside(record, ERRORS_FILE))


def reasons(entry: Entry) -> tuple[str, ...]:
    """Why a row is not ranked, as far as its records tell; empty if nothing speaks against it."""
    found = [*_unfinished(entry), *_protocol(entry.first.protocol), *_recipe(entry.first)]
    if entry.first.protocol.overrides:
        changes = (f"{name}={value}" for name, value in sorted(entry.first.protocol.overrides.items()))
        found.append(f"settings changed: {', '.join(changes)}")
    found += _disputed(entry)
    needed = 1 if entry.deterministic else SEEDS_NEEDED
    if 0 < len(entry.done) < needed:
        found.append(f"{counted(len(entry.done), 'seed')}, {needed} needed")
    for flag, reason in UNRANKING_FLAGS.items():
        marked = [record for record in entry.done if flag in record.flags]
        if marked:
            found.append(reason if len(marked) == len(entry.done) else f"{reason} ({_seeds(marked)})")
    return tuple(found)


def copies(entry: Entry, sums: SeedSums) -> tuple[str, ...]:
    """Which finished seeds predict nearly the same, as reasons; none of a model without randomness.

    Args:
        entry: a row.
        sums: of `entry.done`, in their order.
    """
    if entry.deterministic or len(sums.sum_sq) < 2:
        return ()
    places = np.argsort(sums.sum_sq.sum(axis=1), kind="stable")
    rows = sums.sum_sq[places][:, sums.count > 0]
    least = (1.0 - SAME_ERROR) * rows
    same: dict[int, set[int]] = {}
    for apart in range(1, min(len(rows), NEIGHBOURS + 1)):
        equal = (least[apart:] <= rows[:-apart]) & (least[:-apart] <= rows[apart:])
        for i in np.flatnonzero(2 * np.count_nonzero(equal, axis=1) > rows.shape[1]):
            one, other = int(places[i]), int(places[i + apart])
            joined = same.get(one, {one}) | same.get(other, {other})
            same |= dict.fromkeys(joined, joined)
    parts = sorted({tuple(sorted(joined)) for joined in same.values()})
    return tuple(f"{_seeds([entry.done[i] for i in part])} predict nearly the same" for part in parts)


def holds(entry: Entry, why: tuple[str, ...]) -> bool:
    """Whether nothing speaks against a row but the protocol, which is the same for the whole board."""
    return set(why) <= set(_protocol(entry.first.protocol))


def _disputed(entry: Entry) -> list[str]:
    """Seeds of which there are records with different scores."""
    keys = {record.seed: {record.key} for record in entry.records}
    for rival in entry.rivals:
        keys[rival.seed].add(rival.key)
    disputed = sorted({rival.seed for rival in entry.rivals})
    return [f"seed {seed} has several outcomes, under {' and '.join(sorted(keys[seed]))}" for seed in disputed]


def _unfinished(entry: Entry) -> list[str]:
    texts: dict[str, list[RunRecord]] = {}
    for record in entry.unfinished:
        texts.setdefault(ended(record), []).append(record)
    return [f"{_seeds(records)} {text}" for text, records in texts.items()]


def _protocol(protocol: ProtocolInfo) -> list[str]:
    """What the protocol says of itself; one of ours is asked, not the record, which anyone may have written."""
    own = PROTOCOLS.get(protocol.name)
    known = own if own is not None and own.version == protocol.version else protocol
    frozen = known.frozen and protocol.version > 0
    if known.ranked and frozen:
        return []
    return [f"protocol {protocol.name} v{protocol.version} is not ranked{'' if frozen else ' (not frozen)'}"]


def _recipe(record: RunRecord) -> list[str]:
    """Whether a record that says that it is of a protocol of ours, unchanged, states another recipe than that, or none.

    What has no parameters is not trained, and needs none.
    """
    stated, own = record.protocol, PROTOCOLS.get(record.protocol.name)
    if own is None or own.recipe is None or own.version != stated.version or stated.overrides:
        return []
    if not stated.recipe and record.model.parameters is None:
        return []
    if not set(STATED) <= set(stated.recipe):
        return [f"states no recipe of {stated.name} v{stated.version}"]
    recipe = {**plain(asdict(own.recipe)), "codec": stated.recipe.get("codec")}  # a head may have its own
    return [] if _agree(stated.recipe, rounded(recipe)) else [f"not of the recipe of {stated.name} v{stated.version}"]


def _agree(stated: object, own: object) -> bool:
    """Whether values are equal; what only one of two mappings has was unknown to an older version of this program."""
    if isinstance(stated, Mapping) and isinstance(own, Mapping):
        return all(_agree(value, own[name]) for name, value in stated.items() if name in own)
    return stated == own


def seed_sums(entry: Entry, errors: ErrorsOf) -> SeedSums | Unusable:
    """The errors per image of all finished seeds, or why there are none that can be used."""
    ones: list[SeedSums] = []
    for record in entry.done:
        try:
            found = errors(record)
        except FkbenchError:
            # Not the message: it names folders of this machine, and has words of the library that reads the file.
            state = "cannot be read" if beside(record, ERRORS_FILE).is_file() else "is not there"
            return Unusable(f"no errors per image for seed {record.seed}: {ERRORS_FILE} {state}")
        try:
            ones.append(SeedSums.of([found]))
        except FkbenchError as error:
            return Unusable(f"seed {record.seed}: {error.message}")
        stated, given = record.metric("rmse"), math.sqrt(ones[-1].mse())
        if stated is None or not math.isclose(stated, given, rel_tol=RMSE_TOLERANCE):
            numbers = f"{'none' if stated is None else f'{stated:.6g}'} recorded, {given:.6g} computed"
            return Unusable(f"the errors per image of seed {record.seed} do not give its rmse: {numbers}", True)
    try:
        return replace(ones[0], sum_sq=np.concatenate([one.aligned(ones[0]).sum_sq for one in ones]))
    except FkbenchError as error:
        return Unusable(error.message)


def strangers(candidates: Mapping[str, SeedSums], baselines: AbstractSet[str]) -> tuple[str, ...]:
    """The candidates that are about other images than the board: than its baselines, or than most rows without any.

    Rows in plenty can be made by anyone; the baselines are what a board begins with. Of as many, more images count.
    """
    marks = {name: images_of(sums) for name, sums in candidates.items()}
    counts = Counter(mark for name, mark in marks.items() if name in baselines) or Counter(marks.values())
    usual = min(counts, key=lambda mark: (-counts[mark], -mark[0], mark), default=None)
    return tuple(name for name in candidates if marks[name] != usual)


def images_of(sums: SeedSums | ImageErrors) -> tuple[int, str]:
    """What a result is scored on: how many images, and a digest of their ids, groups and labelled coordinates."""
    rows = sorted(zip(sums.ids, sums.group, sums.count.tolist(), strict=True))
    return len(rows), hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def rank_labels(
    candidates: Mapping[str, SeedSums], identity: Mapping[str, str]
) -> tuple[dict[str, tuple[int, str]], list[Pair]]:
    """Name → (rank, label with `=` where others share it), and the pairs that decided it.

    Args:
        candidates: row name → errors; all on the same images.
        identity: row name → the model that it counts as.
    """
    models = {name: candidates[name] for name in sorted(candidates)}
    pairs = all_pairs(models)
    found = ranks(models, pairs=pairs)
    places = {rank.name: 1 + len({identity[name] for name in rank.better}) for rank in found}
    shared = Counter(places.values())
    labels = {name: (place, f"{place}{'=' if shared[place] > 1 else ''}") for name, place in places.items()}
    return labels, pairs


def _seeds(records: list[RunRecord]) -> str:
    return f"{plural(len(records), 'seed')} {', '.join(str(record.seed) for record in records)}"
