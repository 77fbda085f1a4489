"""From what was asked for to a resolved plan, whose hash is the run's key. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fkbench.datasets.access import resolve_settings
from fkbench.datasets.layout import VIEWS_VERSION
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.protocols import PROTOCOLS
from fkbench.registry import Registry
from fkbench.runner.overrides import apply_overrides
from fkbench.specs import DatasetSpec, ModelSpec, Protocol, Recipe

ENGINE_VERSION = 2
"""Raised whenever the same plan would give other numbers: part of every key.

Not raised when He's initialisation was mended for frames that are cropped at random: no recipe that came with fkbench
has had both, and a new version would have run everything else again.
"""


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
        settings: subject (`protocol`, `model`, `dataset`, `detector`) → name → value, as typed.
        epochs: in place of the recipe's budget.
        extend: a finished run to go on from.
        force: run again even if a finished run of this key is there.
        at_once: seeds that are trained together at most; 0: as the device type asks for.
    """

    model: ModelSpec
    dataset: DatasetSpec
    protocol: Protocol
    split: str = ""
    box: str = ""
    seeds: tuple[int, ...] = (0,)
    device: str = "auto"
    epochs: int | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extend: str = ""
    force: bool = False
    at_once: int = 0


def find_protocol(name: str) -> Protocol:
    """A protocol by name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in PROTOCOLS:
        raise UnknownNameError("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def sized_request(request: Request) -> Request:
    """The same request with the model's input as its settings say: what follows sees no other.

    Raises:
        FkbenchError: a bad model setting.
    """
    chosen = resolve_settings("model", request.model.settings, request.settings.get("model", {}))
    return replace(request, model=request.model.sized(chosen))


def resolve_recipe(request: Request) -> tuple[Recipe | None, dict[str, Any]]:
    """The recipe with overrides applied, and the overrides. None for a model that fits by itself.

    Raises:
        FkbenchError: the model has no recipe of this protocol's name, or an override, or a setting of the model or the
            dataset is bad.
    """
    resolve_settings("model", request.model.settings, request.settings.get("model", {}))
    resolve_settings("dataset", request.dataset.settings, request.settings.get("dataset", {}))
    changes: dict[str, Any] = dict(request.settings.get("protocol", {}))
    if request.epochs is not None:
        if request.epochs <= 0:
            raise FkbenchError(f"--epochs is {request.epochs}, but must be above 0.", "For example --epochs 10.")
        changes["epochs"] = request.epochs
    if request.model.kind == "predictor":
        if changes:
            raise FkbenchError(
                f"{request.model.name} is not trained by the engine: --epochs and protocol settings do not apply.",
                "Leave them out; its own settings are set with --set model.NAME=VALUE.",
            )
        return None, _model_changes(request)
    recipe = request.protocol.recipe or request.model.recipes.get(request.protocol.name)
    if recipe is None:
        known = ", ".join(sorted(request.model.recipes)) or "none"
        raise FkbenchError(
            f"{request.model.name} has no recipe of its own for the protocol '{request.protocol.name}'.",
            f"Recipes of its own: {known}. Use --protocol uniform.",
        )
    return apply_overrides(recipe, changes), changes | _model_changes(request)


def _model_changes(request: Request) -> dict[str, Any]:
    """Settings of the model other than its defaults: another model than the one that the table names."""
    chosen = resolve_settings("model", request.model.settings, request.settings.get("model", {}))
    return {f"model.{k}": v for k, v in chosen.items() if v != request.model.settings[k].default}


def baseline_request(request: Request, baseline: ModelSpec) -> Request:
    """The same dataset, split and box for a baseline, without what concerns the net."""
    kept = {subject: values for subject, values in request.settings.items() if subject in {"dataset", "detector"}}
    return replace(request, model=baseline, seeds=(0,), epochs=None, settings=kept, extend="", force=False)


def make_plan(
    request: Request,
    *,
    recipe: Recipe | None,
    overrides: Mapping[str, Any],
    fingerprint: str,
    split: tuple[str, int],
    box: Mapping[str, Any],
    device_type: str,
    precision: str,
    seed: int,
    parent: str | None = None,
) -> dict[str, Any]:
    """The resolved plan: everything that decides a run's numbers, as JSON values. Its hash is the key.

    Args:
        split: (name as asked for, version of the split).
        box: name, settings and jitter.
        precision: at which it trains and is scored.
        parent: key of the run that this one goes on from.
    """
    model = request.model
    return {
        "model": {
            "name": model.name,
            "settings": resolve_settings("model", model.settings, request.settings.get("model", {})),
            "input": list(model.input),
        },
        "dataset": _planned_data(request, fingerprint, split),
        "protocol": _planned_protocol(request.protocol, recipe, overrides),
        "box": dict(box),
        "device_type": device_type if model.kind == "net" else "cpu",
        "precision": precision,
        "engine": ENGINE_VERSION,
        "views": VIEWS_VERSION,
        "seed": 0 if model.deterministic else seed,
        "parent": parent,
    }


def _planned_data(request: Request, fingerprint: str, split: tuple[str, int]) -> dict[str, Any]:
    dataset = request.dataset
    return {
        "name": dataset.name,
        "settings": resolve_settings("dataset", dataset.settings, request.settings.get("dataset", {})),
        "fingerprint": fingerprint,
        "split": split[0],
        "split_version": split[1],
        "scoring": dataset.scoring,
        "margin": dataset.margin,
    }


def _planned_protocol(protocol: Protocol, recipe: Recipe | None, overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": protocol.name,
        "version": protocol.version,
        "recipe": asdict(recipe) if recipe else None,
        "overrides": {name: _json_value(value) for name, value in sorted(overrides.items())},
    }


def _json_value(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | str) else str(value)


def find_model(registry: Registry, name: str) -> ModelSpec:
    """A model by name, or the one that a local file marks (`--model ./mynet.py`).

    Raises:
        FkbenchError: unknown, unavailable, or the file marks none or several.
    """
    spec = _model_of_file(registry, name) if name.endswith(".py") else registry.get(ModelSpec, name)
    check_usable(spec)
    return spec


def check_usable(spec: ModelSpec) -> None:
    """Raises FkbenchError where a model lacks packages here, is listed only, or is a family of models."""
    lacking = spec.lacking()
    if lacking:
        raise FkbenchError(f"The model '{spec.name}' cannot be used here: {lacking}.", "Install it with pip.")
    if spec.member is not None:
        raise FkbenchError(
            f"'{spec.name}' is a family of models.",
            f"Name one of them, for example {spec.name}:{(spec.examples or ('NAME',))[0]}.",
        )
    if spec.not_run:
        raise FkbenchError(
            f"The model '{spec.name}' is listed but not run: {spec.not_run}.",
            f"`fkbench show {spec.name}` has its layers and why.",
        )


def _model_of_file(registry: Registry, name: str) -> ModelSpec:
    from pathlib import Path

    from fkbench.local import check_there
    from fkbench.registry import load_file

    check_there(Path(name))
    before = len(registry.failures)
    found = [spec for spec in load_file(registry, Path(name)) if isinstance(spec, ModelSpec)]
    if len(registry.failures) > before:
        raise FkbenchError(f"'{name}' cannot be used: {registry.failures[-1].reason}", "--debug shows where.")
    if len(found) != 1:
        raise FkbenchError(
            f"'{name}' marks {len(found)} models; exactly one is needed.", "Mark one function with @fkbench.model(...)."
        )
    return found[0]
