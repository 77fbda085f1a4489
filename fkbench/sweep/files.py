"""The TOML file of a sweep: `[defaults]` and one or several `[[sweep]]`, each a matrix. Standard library only."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.sweep.matrix import DEFAULT_LIMIT_S, Matrix, duration

LISTS = ("models", "datasets", "protocols", "splits", "boxes")
KEYS = (*LISTS, "seeds", "set", "epochs", "device", "time-limit")
SUBJECTS = ("protocol", "model", "dataset", "detector")
GREATEST_BYTES = 1 << 20
EXAMPLE = 'For example models = ["dfk", "fiyero"].'


def read_sweep(path: Path) -> list[Matrix]:
    """The matrices of a file. Files of models and datasets that it names lie beside it, not in the caller's folder.

    Raises:
        FkbenchError: the file, a key or a value cannot be used; one line that names it.
    """
    page = _page(path)
    for name in page:
        if name not in {"defaults", "sweep"}:
            hint = "Keys of a matrix stand below [[sweep]]." if name in KEYS else ""
            raise UnknownNameError(f"part of '{path.name}':", name, ("defaults", "sweep"), hint)
    defaults, sweeps = page.get("defaults", {}), page.get("sweep", [])
    if not isinstance(defaults, dict):
        raise FkbenchError(f"{path.name}: 'defaults' is not a table.", "Write [defaults] above its keys.")
    if not isinstance(sweeps, list) or not sweeps or not all(isinstance(item, dict) for item in sweeps):
        raise FkbenchError(f"{path.name} has no matrix.", "Write [[sweep]] above models = … and datasets = ….")
    _check_keys(f"{path.name}, [defaults]", defaults)
    return [
        _matrix(f"{path.name}, [[sweep]] {number}", defaults, item, path.parent)
        for number, item in enumerate(sweeps, 1)
    ]


def _page(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(GREATEST_BYTES + 1)
        if len(text) > GREATEST_BYTES:
            raise FkbenchError(f"'{path}' is larger than 1 MiB: it is no file of a sweep.", "Check the path.")
        return tomllib.loads(text.decode())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise FkbenchError(f"Cannot read '{path}': {reason}.", "Check the path.") from error
    except tomllib.TOMLDecodeError as error:
        raise FkbenchError(f"'{path}' is not valid TOML: {error}.", "docs/sweep.md has an example.") from error


def _check_keys(where: str, table: Mapping[str, Any]) -> None:
    for name in table:
        if name not in KEYS:
            raise UnknownNameError(f"key in {where}:", name, KEYS, "docs/sweep.md lists them.")


def _matrix(where: str, defaults: Mapping[str, Any], table: Mapping[str, Any], folder: Path) -> Matrix:
    _check_keys(where, table)
    merged = {**defaults, **table}
    merged["set"] = {**_table(where, defaults), **_table(where, table)}
    values = {name: _names(where, name, merged[name]) for name in LISTS if name in merged}
    for name in ("models", "datasets"):
        if name not in values:
            raise FkbenchError(f"{where} names no {name}.", f'Write {name} = ["…"] there, or below [defaults].')
        values[name] = [_beside(text, folder) for text in values[name]]
    epochs = merged.get("epochs")
    if epochs is not None and (not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1):
        raise FkbenchError(f"{where}: epochs is {epochs!r}, not a whole number above 0.", "For example epochs = 10.")
    device = merged.get("device", "auto")
    if not isinstance(device, str):
        raise FkbenchError(f"{where}: device is {device!r}, not a text.", 'For example device = "cpu".')
    return Matrix(
        **values,
        seeds=_seeds(where, merged.get("seeds", [0])),
        device=device,
        epochs=epochs,
        settings=_settings(where, merged["set"]),
        limit=_limit(where, merged.get("time-limit")),
    )


def _table(where: str, table: Mapping[str, Any]) -> dict[str, Any]:
    found = table.get("set", {})
    if not isinstance(found, dict):
        raise FkbenchError(f"{where}: set is not a table.", 'For example set = { "protocol.lr" = 1e-3 }.')
    return found


def _names(where: str, name: str, value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise FkbenchError(f"{where}: {name} is {_shown(value)}, not a list of names.", EXAMPLE)
    return list(dict.fromkeys(texts))


def _beside(text: str, folder: Path) -> str:
    return str((folder / Path(text).expanduser()).resolve()) if text.endswith((".py", ".toml")) else text


def _seeds(where: str, value: object) -> list[int]:
    seeds = [value] if isinstance(value, int) else value
    fine = isinstance(seeds, list) and all(
        isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= 2**53 for seed in seeds
    )
    if not fine or not isinstance(seeds, list) or not seeds:
        raise FkbenchError(f"{where}: seeds is {_shown(value)}, not a list of seeds.", "For example seeds = [0, 1, 2].")
    return list(dict.fromkeys(seeds))


def _settings(where: str, table: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """`{"protocol.lr" = 1e-3}` and `{protocol = {lr = 1e-3}}` (which TOML takes for the same) by subject, as texts."""
    found: dict[str, dict[str, str]] = {}
    for name, value in _flat("", table).items():
        subject, _, rest = name.partition(".")
        if subject not in SUBJECTS or not rest:
            hint = f'Settings name their subject, for example "protocol.{name}".'
            raise UnknownNameError(f"setting in {where}, set:", name, [f"{one}.…" for one in SUBJECTS], hint)
        if not isinstance(value, str | int | float):
            raise FkbenchError(f"{where}: set {name} is {_shown(value)}, not a single value.", 'For example "0.001".')
        found.setdefault(subject, {})[rest] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _flat(prefix: str, table: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= _flat(f"{prefix}{name}.", value) if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def _limit(where: str, value: object) -> float:
    if value is None:
        return DEFAULT_LIMIT_S
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FkbenchError(f"{where}: time-limit is {_shown(value)}, not a time.", 'For example time-limit = "2h".')
    return duration(str(value), f"{where}: time-limit")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
