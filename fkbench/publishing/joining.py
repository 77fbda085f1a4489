"""Whether contributed results may stand beside those that are published, so that nobody's row is changed by another.

A row is all seeds of one plan: a seed more can lower it or, where it failed, cost it its rank. A board is of one set of
images: results on another one do not belong there, however many there are of them. What a record says of the data is
shown for the whole board, a failed one's as well: it has to be what is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fkbench.boards import BoardKey
from fkbench.boards.plans import plan_text, row_parts
from fkbench.boards.ranking import images_of
from fkbench.errors import FkbenchError
from fkbench.publishing.planned import key_fault
from fkbench.records import ERRORS_FILE, ResultStore, RunRecord, beside, canonical_json, read_errors
from fkbench.registry import Registry
from fkbench.runner.plan import ENGINE_VERSION
from fkbench.specs import ModelSpec


def joining_faults(incoming: Path, published: Path, registry: Registry) -> list[str]:
    """What speaks against the results of one folder joining those of another one, a line each.

    A record that cannot be read, and errors per image that cannot, are no matter of this: merging names them.

    Args:
        incoming: what a contribution brings.
        published: what is published already, without it.
        registry: for what the program knows of models, datasets and boxes.
    """
    boards: dict[BoardKey, list[RunRecord]] = {}
    for record in ResultStore(published).records(_ignored):
        boards.setdefault(BoardKey.of(record), []).append(record)
    brought: dict[BoardKey, list[RunRecord]] = {}
    for record in ResultStore(incoming).records(_ignored):
        brought.setdefault(BoardKey.of(record), []).append(record)
    faults = []
    for key, new in brought.items():
        there = boards.get(key, [])
        usual, changed = _usual_images(there), _changed_rows(there, new)
        for record in new:
            found = [_engine_fault(record), key_fault(record, registry), _false_claim(record, registry)]
            found += [_board_fault(key, boards), _row_fault(record, there, changed), _image_fault(record, usual)]
            found += [_data_fault(record, there), _baseline_fault(record, there, registry)]
            faults += [f"{record.model.name} {record.key}: {fault}" for fault in found if fault]
    return faults


def _ignored(line: str) -> None:
    """A line about a damaged record: those who merge are told."""


def _false_claim(record: RunRecord, registry: Registry) -> str:
    """What a record says of its model and is not so, or is not for everyone to say.

    Rows are measured against baselines, and a model without randomness needs one seed for a rank.
    """
    name = record.model.name.partition(":")[0]
    spec = next((spec for spec in registry.all(ModelSpec) if spec.name == name), None)
    if spec is None and record.model.role == "baseline":
        return "model: it is said to be a baseline, and is none that is known here: the keepers merge it"
    if spec is None or (record.model.role, record.model.deterministic) == (spec.role, spec.deterministic):
        return ""
    return f"model: {name} has the role {spec.role} and is {'' if spec.deterministic else 'not '}deterministic"


def _board_fault(key: BoardKey, boards: Iterable[BoardKey]) -> str:
    """Whether another board would have the name of one that is published: names leave out much of what boards are."""
    for one in boards:
        if one.slug.lower() == key.slug.lower() and one != key:
            return (
                f"board: {key.slug} is published, and is of {one.fingerprint}, split version {one.split_version} "
                "and other settings of the box: the keepers merge it"
            )
    return ""


def _engine_fault(record: RunRecord) -> str:
    """No run is of a later engine than the program has, whose keys alone can be computed."""
    if record.engine is None or record.engine <= ENGINE_VERSION:
        return ""
    return f"engine: it states version {record.engine}, and this program has {ENGINE_VERSION}"


def _changed_rows(there: Sequence[RunRecord], new: Sequence[RunRecord]) -> dict[str, str]:
    """Plan → key of a published row of it that would not stay as it is: with a seed more, another one, or torn apart.

    A record can do that without being in the row: code that is linked, or a device with more seeds, moves others.
    """
    after = {frozenset(map(id, part)) for part in row_parts([*there, *(one for one in new if not _repeat(one, there))])}
    before = (part for part in row_parts(there) if frozenset(map(id, part)) not in after)
    return {plan_text(part[0]): part[0].key for part in before}


def _repeat(record: RunRecord, there: Sequence[RunRecord]) -> bool:
    """Whether that result is published, with this outcome or another one: a matter of merging."""
    own = (record.model.name, record.key, record.device.name)
    return any((one.model.name, one.key, one.device.name) == own for one in there)


def _row_fault(record: RunRecord, there: Sequence[RunRecord], changed: Mapping[str, str]) -> str:
    """Whether it is of a plan with a published row that would change."""
    key = "" if _repeat(record, there) else changed.get(plan_text(record), "")
    return f"row: it would join or change the one of {key}, which is published: the keepers merge it" if key else ""


def _data_fault(record: RunRecord, there: Sequence[RunRecord]) -> str:
    """Whether it says something else of the board's data than what is published; its version is part of the board."""
    stated = _facts(record)
    known = [_facts(one) for one in _that_count(there)]
    wrong = [name for name, value in stated.items() if known and all(facts[name] != value for facts in known)]
    return f"dataset: its {', '.join(wrong)} differ from what is published on its board" if wrong else ""


def _facts(record: RunRecord) -> dict[str, str]:
    data = record.dataset
    return {
        "counts": canonical_json(data.counts),
        "official": canonical_json(data.official.model_dump()),
        "leaks": canonical_json(data.leaks),
        "flag leaky": str("leaky" in record.flags),
    }


def _baseline_fault(record: RunRecord, there: Sequence[RunRecord], registry: Registry) -> str:
    """Baselines that a record has scores of have a row each, so that they must be ones that are known."""
    known = {spec.name for spec in registry.all(ModelSpec) if spec.role == "baseline"}
    known |= {name for one in there for name in (*one.baseline, *_own_name(one))}
    strange = sorted(record.baseline.keys() - known)
    return f"baseline: {strange[0]} is none that is known here or published on its board" if strange else ""


def _own_name(record: RunRecord) -> tuple[str, ...]:
    return (record.model.name,) if record.model.role == "baseline" else ()


def _image_fault(record: RunRecord, usual: set[str]) -> str:
    own = _images(record)
    if not usual or not own or own in usual:
        return ""
    return "images: it is scored on other images, groups or points than the results that are published on its board"


def _usual_images(there: Sequence[RunRecord]) -> set[str]:
    """What the baselines of a board are scored on, else what all of its results are."""
    found = {_images(record) for record in _that_count(there)} - {""}
    return found or {_images(record) for record in there} - {""}


def _that_count(there: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """The baselines of a board, else all of its results."""
    return [record for record in there if record.model.role == "baseline"] or there


def _images(record: RunRecord) -> str:
    """Digest of the images that a result is scored on; empty without errors per image that can be read."""
    if record.status != "done":
        return ""
    try:
        errors = read_errors(beside(record, ERRORS_FILE))
    except FkbenchError:
        return ""
    return images_of(errors)[1]
