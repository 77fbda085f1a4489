"""Opening a dataset: settings checked, data looked for, the plugin's loader called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fkbench.datasets.progress import Progress, listening
from fkbench.datasets.samples import Samples
from fkbench.datasets.store import Store
from fkbench.errors import DataMissingError, FkbenchError, UnknownNameError
from fkbench.registry import Registry
from fkbench.schemes import scheme_of
from fkbench.specs import DatasetSpec, Setting, resolve

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def open_samples(
    spec: DatasetSpec,
    store: Store,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    *,
    registry: Registry | None = None,
) -> Samples:
    """The labelled samples of a dataset, and what is known about them.

    Args:
        spec: the dataset.
        store: the data folder.
        settings: values that differ from the defaults, as given or as texts from `--set`.
        progress: told of long work (rendering, cropping).
        registry: where given, an error names the embedded datasets of the same scheme.

    Raises:
        UnknownNameError: an unknown setting.
        DataMissingError: the data has not been imported; the remedy says how to get it.
        FkbenchError: a bad value, or a loader that does not keep its promises.
    """
    chosen = resolve_settings("dataset", spec.settings, settings or {})
    try:
        for name in spec.requires:
            if not store.has(name):
                raise DataMissingError(f"'{name}' is not in the data folder '{store.root}'.")
        with listening(progress):
            samples: Samples = resolve(spec.load)(store, chosen)
    except DataMissingError as error:
        raise _missing(spec, store, registry) from error
    _check(spec, samples)
    return samples


def resolve_settings(kind: str, known: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting with its value: as given and of the default's type, else the default.

    Args:
        kind: `dataset`, `model`, … for messages.
        known: the spec's settings.
        given: values by name, texts where they come from the command line.

    Raises:
        UnknownNameError: a name that is not there.
        FkbenchError: a value of the wrong type, outside its limits, or not one of the choices.
    """
    for name in given:
        if name not in known:
            raise UnknownNameError(f"{kind} setting", name, known, none=f"This {kind} has no settings.")
    chosen = {name: setting.default for name, setting in known.items()}
    for name, value in given.items():
        chosen[name] = _coerced(kind, name, known[name], value)
    return chosen


def _coerced(kind: str, name: str, setting: Setting, value: Any) -> Any:
    wanted = type(setting.default)
    try:
        found = _convert(wanted, value)
    except (TypeError, ValueError):
        raise FkbenchError(
            f"The {kind} setting '{name}' needs {_article(wanted)}, not '{value}'.", f"For example {setting.default}."
        ) from None
    if setting.choices and found not in setting.choices:
        raise UnknownNameError(f"value of the {kind} setting '{name}'", str(found), map(str, setting.choices))
    if setting.limits is not None and not setting.limits[0] <= found <= setting.limits[1]:
        least, most = setting.limits
        raise FkbenchError(
            f"The {kind} setting '{name}' is {found}, which is not between {least} and {most}.",
            f"The default is {setting.default}.",
        )
    return found


def _convert(wanted: type, value: Any) -> Any:
    if wanted is type(None) or (isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))):
        return value
    if wanted is bool:
        text = str(value).strip().lower()
        if text not in _TRUE | _FALSE:
            raise ValueError(text)
        return text in _TRUE
    if wanted is int and isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    if wanted in (int, float, str) and not isinstance(value, bool):
        return wanted(value)
    raise TypeError(value)


def _article(wanted: type) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(wanted, f"a {wanted.__name__}")


def _missing(spec: DatasetSpec, store: Store, registry: Registry | None) -> DataMissingError:
    embedded = [
        other.name for other in (registry.all(DatasetSpec) if registry else ())
        if other.embedded and other.scheme == spec.scheme
    ]  # fmt: skip
    instead = f" Rendered by this program, without any download: {' or '.join(embedded)}." if embedded else ""
    return DataMissingError(
        f"Dataset '{spec.name}' is not on this machine (looked in '{store.root}').", f"{spec.ways}{instead}".strip()
    )


def _check(spec: DatasetSpec, samples: Samples) -> None:
    count = len(samples.ids)
    blame = f"The dataset plugin '{spec.name}'"
    remedy = "`fkbench plugins` shows where it comes from."
    keypoints = len(scheme_of(spec).points)
    if samples.points.shape != (count, keypoints, 2):
        wanted = f"({count}, {keypoints}, 2)"
        raise FkbenchError(f"{blame} gave points of shape {samples.points.shape}, not {wanted}.", remedy)
    per_sample = {
        "frames": samples.frames, "group": samples.group, "clip": samples.clip, "convention": samples.convention,
        "row_kind": samples.row_kind, "published": samples.published, **samples.factors,
    }  # fmt: skip
    for name, values in per_sample.items():
        if values is not None and len(values) != count:
            raise FkbenchError(f"{blame} gave {len(values)} values of '{name}' for {count} samples.", remedy)
    if len(set(samples.ids)) != count:
        raise FkbenchError(f"{blame} gave the same id twice.", remedy)
