"""Arrays beside a record, as safetensors: no pickle, offsets and sizes checked by the format's own reader.

Lists of names (ids, groups) are stored as a uint8 array: the UTF-8 of a JSON list. The header would be the other
place, but it is parsed in one piece and the format's writer orders its entries at random; for that second reason all
metadata stand in one header entry, `fkbench`, as JSON with sorted keys, and the same content gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from fkbench.errors import FkbenchError
from fkbench.records.files import MIB, write_atomic
from fkbench.score.errors import ImageErrors

Array = npt.NDArray[np.generic]

MAX_ARRAYS_BYTES = 1024 * MIB
PREDICTIONS_FILE = "predictions.safetensors"
ERRORS_FILE = "errors.safetensors"
_HEADER = "fkbench"


def write_arrays(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays, whole or not at all; the same content always gives the same bytes.

    Raises:
        FkbenchError: the disk is full or the folder cannot be written.
    """
    write_atomic(path, encode_arrays(arrays, metadata))


def encode_arrays(arrays: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of a file of `write_arrays`."""
    from safetensors.numpy import save

    header = {_HEADER: json.dumps(dict(metadata or {}), sort_keys=True)}
    content: bytes = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, header)
    return content


def read_arrays(path: Path, max_bytes: int = MAX_ARRAYS_BYTES) -> tuple[dict[str, Array], dict[str, str]]:
    """Arrays and metadata of a file by anyone.

    Raises:
        FkbenchError: there is none, it is too large, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            raise FkbenchError(f"There is no file '{path}'.")
        if path.stat().st_size > max_bytes:
            raise FkbenchError(f"'{path}' is larger than {max_bytes // MIB} MiB, more than such a file can need.")
        with safe_open(path, framework="numpy") as file:
            arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, _metadata(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FkbenchError(
            f"'{path}' is damaged: {' '.join(str(error).split())[:200]}.", "Run it again, or fetch the file again."
        ) from error


def _metadata(header: Mapping[str, str]) -> dict[str, str]:
    own = json.loads(header.get(_HEADER, "{}"))
    if not isinstance(own, dict):
        raise ValueError("its metadata are no JSON object")
    rest = {key: value for key, value in header.items() if key != _HEADER}
    return rest | {str(key): str(value) for key, value in own.items()}


def pack_strings(strings: Sequence[str]) -> npt.NDArray[np.uint8]:
    """N strings as a (bytes,) uint8 array."""
    return np.frombuffer(json.dumps(list(strings), ensure_ascii=False).encode(), np.uint8)


def unpack_strings(array: Array, count: int | None = None) -> tuple[str, ...]:
    """The strings of `pack_strings`.

    Raises:
        FkbenchError: it is something else, or there are not `count` of them.
    """
    try:
        if array.dtype != np.uint8 or array.ndim != 1:
            raise ValueError(f"a list of names is uint8, not {array.dtype} of {array.ndim} dimensions")
        strings = _known_strings(array.tobytes()) if array.size <= MIB else _strings(array.tobytes())
    except (ValueError, RecursionError) as error:
        raise FkbenchError(f"A list of names is damaged: {str(error)[:200]}.") from error
    if count is not None and len(strings) != count:
        raise FkbenchError(f"A list of {len(strings)} names stands beside {count} rows.")
    return strings


def _strings(content: bytes) -> tuple[str, ...]:
    strings = json.loads(content.decode())
    if not isinstance(strings, list) or not {type(item) for item in strings} <= {str}:
        raise ValueError("it is no list of strings")
    return tuple(strings)


_known_strings = lru_cache(maxsize=16)(_strings)
"""All results of a board name the same images and groups: they share one list in memory."""


def write_predictions(path: Path, ids: Sequence[str], points: npt.NDArray[np.floating]) -> None:
    """Predicted points.

    Args:
        path: the file.
        ids: N names of the images.
        points: (N, K, 2), x then y in native pixels, centres at integers; written as float32.
    """
    write_atomic(path, encode_predictions(ids, points, np.float32))


def encode_predictions(ids: Sequence[str], points: npt.NDArray[np.floating], kind: type[np.floating]) -> bytes:
    """The content of a file of `write_predictions`, with points as float32 or, published, as float16."""
    if points.ndim != 3 or points.shape[0] != len(ids) or points.shape[2] != 2:
        raise ValueError(f"points of shape {points.shape} for {len(ids)} images; (N, K, 2) is needed")
    return encode_arrays({"ids": pack_strings(ids), "points": points.astype(kind)}, {"unit": "native pixels"})


def read_predictions(path: Path) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    """N names and (N, K, 2) float32 points in native pixels, as `write_predictions` wrote them (float16 is read too).

    Raises:
        FkbenchError: there is none, it is damaged, or holds something else.
    """
    ids, points = read_points(path)
    return ids, points.astype(np.float32)


def read_points(path: Path) -> tuple[tuple[str, ...], npt.NDArray[np.floating]]:
    """The same with points of the type that the file has: float16 says that they were rounded for publishing.

    Raises:
        FkbenchError: there is none, it is damaged, or holds something else.
    """
    arrays, _ = read_arrays(path)
    points = arrays.get("points")
    if points is None or "ids" not in arrays or points.ndim != 3 or points.shape[2] != 2 or points.dtype.kind != "f":
        raise FkbenchError(
            f"'{path}' holds no predicted points.", "It needs `ids` and float `points` of shape (N, K, 2)."
        )
    return unpack_strings(arrays["ids"], len(points)), cast("npt.NDArray[np.floating]", points)


def write_errors(path: Path, errors: ImageErrors) -> None:
    """Errors per image: names as lists of strings, sums as (N,) or (N, K) arrays, `nme@<distance>` as (N,) each."""
    write_atomic(path, encode_errors(errors))


def encode_errors(errors: ImageErrors, *, compact: bool = False) -> bytes:
    """The content of a file of `write_errors`.

    Args:
        compact: per-point sums as float32 and their counts as int8, a quarter of the size: for publishing. Sums per
            image, from which ranks come, stay as they are.
    """
    arrays: dict[str, Array] = {name: getattr(errors, name) for name in (*_SUMS, *_POINT_SUMS)}
    if compact:
        arrays |= {
            "point_sum_sq": errors.point_sum_sq.astype(np.float32),
            "point_count": errors.point_count.astype(np.int8),
        }
    arrays |= {f"nme@{name}": values for name, values in errors.nme.items()}
    names = {name: getattr(errors, name) for name in _NAMES}
    arrays |= {name: pack_strings(values) for name, values in names.items() if values is not None}
    return encode_arrays(arrays, {"unit": "scoring-frame pixels"})


def read_errors(path: Path) -> ImageErrors:
    """The errors of `write_errors`, from a file by anyone.

    Raises:
        FkbenchError: there is none, it is damaged, or lacks an array or has one of another shape or type.
    """
    arrays, _ = read_arrays(path)
    try:
        sums = {name: arrays[name] for name in (*_SUMS, *_POINT_SUMS)}
        names = {name: unpack_strings(arrays[name]) if name in arrays else None for name in _NAMES}
        ids, group = unpack_strings(arrays["ids"]), unpack_strings(arrays["group"])
    except KeyError as error:
        raise FkbenchError(f"'{path}' holds no errors per image: it has no {error}.", _REMEDY) from error
    nme = {name: values for name, values in arrays.items() if name.startswith("nme@")}
    _check_errors(path, sums | nme, {name: values for name, values in names.items() if values is not None})
    return ImageErrors(
        ids=ids,
        group=group,
        convention=names["convention"],
        sum_sq=_floats(sums["sum_sq"]),
        sum_sq_x=_floats(sums["sum_sq_x"]),
        sum_sq_y=_floats(sums["sum_sq_y"]),
        sum_abs=_floats(sums["sum_abs"]),
        count=sums["count"].astype(np.int64),
        point_sum_sq=_floats(sums["point_sum_sq"]),
        point_count=sums["point_count"].astype(np.int64),
        native_sum_sq=_floats(sums["native_sum_sq"]),
        nme={name.removeprefix("nme@"): _floats(values) for name, values in nme.items()},
        kind=names["kind"],
    )


_NAMES = ("ids", "group", "convention", "kind")
_SUMS = ("sum_sq", "sum_sq_x", "sum_sq_y", "sum_abs", "count", "native_sum_sq")
_POINT_SUMS = ("point_sum_sq", "point_count")
_COUNTS = ("count", "point_count")
_REMEDY = "Run it again, or fetch the file again."


def _check_errors(path: Path, arrays: Mapping[str, Array], names: Mapping[str, Sequence[str]]) -> None:
    rows = len(names.get("ids", ()))
    points = (*arrays["point_sum_sq"].shape[1:2], 0)[0]
    for name, values in names.items():
        if len(values) != rows:
            raise FkbenchError(f"'{path}': {len(values)} names of '{name}' for {rows} images.", _REMEDY)
    for name, array in arrays.items():
        shape = (rows, points) if name in _POINT_SUMS else (rows,)
        if array.shape != shape or array.dtype.kind != ("i" if name in _COUNTS else "f"):
            raise FkbenchError(f"'{path}': '{name}' is {array.dtype} of shape {array.shape}, not {shape}.", _REMEDY)


def _floats(array: Array) -> npt.NDArray[np.float64]:
    return array.astype(np.float64)
