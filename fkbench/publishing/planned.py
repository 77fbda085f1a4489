"""The key of a run, from what its record states: a key is the hash of a plan, and the record has all of that plan.

A record of another plan than its key's could take the place of the one that was published under it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from fkbench.datasets.layout import VIEWS_VERSION
from fkbench.errors import FkbenchError
from fkbench.publishing.scrubbing import ADDRESS, HOST, PATH, USER
from fkbench.records import RunRecord, canonical_json, plan_key
from fkbench.records.models import BOX_PARTS
from fkbench.registry import Registry
from fkbench.runner.plan import ENGINE_VERSION
from fkbench.runner.provenance import source_digest
from fkbench.specs import INPUT_SETTINGS, DatasetSpec, DetectorSpec, ModelSpec, Spec

SpecT = TypeVar("SpecT", bound=Spec)


def key_fault(record: RunRecord, registry: Registry) -> str:
    """Why a record's key cannot be its own, as a line; empty where it is, or where that cannot be known here."""
    try:
        keys = planned_keys(record, registry)
    except ValueError as error:  # nested too deep
        return f"key: its plan has no key: {error}"
    if not keys or record.key in keys:
        return ""
    return f"key: it is {record.key}, and the plan that the record states has the key {' or '.join(sorted(keys))}"


def of_this_code(record: RunRecord, registry: Registry) -> bool:
    """Whether the model's code is the one here, as far as it is known: another one may have had another input."""
    spec = _registered(registry, ModelSpec, record.model.name.partition(":")[0])
    here = source_digest(spec) if spec is not None else "unknown"
    return "unknown" in (here, record.model.source) or here == record.model.source


def planned_keys(record: RunRecord, registry: Registry) -> frozenset[str]:
    """The keys that a run can have whose record says this: hashes of the plan that it states.

    Mostly one. On a GPU whose recipe asks for bf16 there are two, as no record says whether the GPU computes in it.

    Returns:
        Nothing where the plan cannot be known: it was another engine's, its model, dataset or box is not here, or a
        path or name was taken out of its settings for publishing.
    """
    if record.engine != ENGINE_VERSION or _scrubbed(record):
        return frozenset()
    shape = _stated_input(record, registry)
    dataset, box = _registered(registry, DatasetSpec, record.dataset.name), _stated_box(record, registry)
    if shape is None or dataset is None or box is None:
        return frozenset()
    plan = {
        **_stated_training(record),
        "model": {"name": record.model.name, "settings": record.model.settings, "input": list(shape)},
        "dataset": {
            **{name: getattr(record.dataset, name) for name in ("name", "settings", "fingerprint", "split_version")},
            "split": record.dataset.split,
            "scoring": dataset.scoring,
            "margin": dataset.margin,
        },
        "box": box,
    }
    return frozenset(plan_key({**plan, "precision": precision}) for precision in _stated_precisions(record))


def _stated_training(record: RunRecord) -> dict[str, Any]:
    """The parts of the plan that are in the record as they are."""
    return {
        "protocol": {
            "name": record.protocol.name,
            "version": record.protocol.version,
            "recipe": record.protocol.recipe or None,
            "overrides": record.protocol.overrides,
        },
        "device_type": record.device.type,
        "engine": ENGINE_VERSION,
        "views": VIEWS_VERSION,
        "seed": record.seed,
        "parent": record.parent,
    }


def _scrubbed(record: RunRecord) -> bool:
    protocol = record.protocol
    parts = [record.model.settings, record.dataset.settings, record.box_settings, protocol.recipe, protocol.overrides]
    return any(mark in canonical_json(parts) for mark in (PATH, USER, HOST, ADDRESS))


def _registered(registry: Registry, kind: type[SpecT], name: str) -> SpecT | None:
    """The spec of just this name: none is made for a name that a record gives."""
    return next((spec for spec in registry.all(kind) if spec.name == name), None)


def _stated_input(record: RunRecord, registry: Registry) -> tuple[int, int] | None:
    """What the model sees. Members of a family are not built: their settings have to say it."""
    settings = record.model.settings
    spec = _registered(registry, ModelSpec, record.model.name.partition(":")[0])
    if spec is None or not all(isinstance(settings.get(name, 0), int) for name in INPUT_SETTINGS):
        return None
    if ":" in record.model.name and (spec.member is None or not set(INPUT_SETTINGS) <= set(settings)):
        return None
    try:
        return spec.sized(settings).input
    except FkbenchError:
        return None


def _stated_box(record: RunRecord, registry: Registry) -> dict[str, Any] | None:
    """The box of the plan: what its record has in one mapping stands apart in it."""
    spec = _registered(registry, DetectorSpec, record.box)
    if spec is None or BOX_PARTS & set(spec.settings):
        return None
    parts = {name: value for name, value in record.box_settings.items() if name in BOX_PARTS}
    return {"name": record.box, "settings": record.detector_settings, **parts}


def _stated_precisions(record: RunRecord) -> set[str]:
    wanted = record.protocol.recipe.get("precision")
    stated = str(wanted.get(record.device.type, "fp32")) if isinstance(wanted, dict) else "fp32"
    return {stated} if record.device.type == "cpu" else {stated, "fp32"}
