"""`errors.safetensors`: the per-image sums of a run's test part, from which every table is made.

Arrays: `ids`, `group`, and `convention` and `kind` where the dataset has them (lists of names), every float array of
`ImageErrors` under its own name, and one `nme@<distance>` each. Float64, so that a table rebuilt from the files is the
table that was printed.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from fkbench.errors import FkbenchError
from fkbench.records.arrays import pack_strings, read_arrays, unpack_strings, write_arrays
from fkbench.score import ImageErrors

ERRORS_FILE = "errors.safetensors"
_NAMES = ("ids", "group", "convention", "kind")


def write_errors(path: Path, errors: ImageErrors) -> None:
    """Write the per-image errors of one run."""
    arrays: dict[str, np.ndarray] = {f"nme@{name}": values for name, values in errors.nme.items()}
    for field in fields(errors):
        value = getattr(errors, field.name)
        if field.name in _NAMES and value is not None:
            arrays[field.name] = pack_strings(value)
        elif isinstance(value, np.ndarray):
            arrays[field.name] = value
    write_arrays(path, arrays, {"unit": "scoring-frame pixels", "images": str(len(errors.ids))})


def read_errors(path: Path) -> ImageErrors:
    """What `write_errors` wrote.

    Raises:
        FkbenchError: there is none, or it is damaged or of another kind.
    """
    arrays, _ = read_arrays(path)
    try:
        count = len(arrays["count"])
        values: dict[str, object] = {name: arrays[name] for name in arrays if name not in _NAMES and "@" not in name}
        for name in _NAMES:
            values[name] = unpack_strings(arrays[name], count) if name in arrays else None
        values["nme"] = {name.partition("@")[2]: arrays[name] for name in arrays if name.startswith("nme@")}
        if any(len(value) != count for value in arrays.values() if value.dtype != np.uint8):
            raise ValueError("its arrays are of different lengths")
        return ImageErrors(**values)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise FkbenchError(
            f"'{path}' holds no per-image errors: {error}.", "Run it again, or fetch the file again."
        ) from error
