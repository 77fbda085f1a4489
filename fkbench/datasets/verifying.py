"""Looking again at what was imported: is it what was written, and how honest are its splits."""

from __future__ import annotations

from typing import Any

from fkbench.datasets.access import open_samples
from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.importing import damaged_arrays
from fkbench.datasets.leaks import leak_report
from fkbench.datasets.progress import Progress, listening
from fkbench.datasets.splits import get_split
from fkbench.datasets.store import Store
from fkbench.errors import DataMissingError, FkbenchError
from fkbench.registry import Registry
from fkbench.specs import DatasetSpec


def verify_dataset(
    spec: DatasetSpec, store: Store, registry: Registry | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Read everything again and compare it with what was written.

    Returns:
        JSON-able: `dataset`, `fingerprint` (as written), `official`, `counts`, `problems` (in words; none: intact),
        `splits` (a leak report for each).

    Raises:
        DataMissingError: the data is not there.
    """
    found: dict[str, Any] = {"dataset": spec.name, "problems": [], "splits": []}
    try:
        with listening(progress):
            _verify(spec, store, registry, found)
    except DataMissingError:
        raise
    except FkbenchError as error:
        found["problems"].append(str(error))
    return found


def _verify(spec: DatasetSpec, store: Store, registry: Registry | None, found: dict[str, Any]) -> None:
    for name in (*spec.requires, *spec.makes):
        if store.has(name):
            pack = store.read(name)
            damaged = damaged_arrays(pack)
            found["problems"] += [f"'{pack.folder / key}.npy' is not as it was written." for key in damaged]
    samples = open_samples(spec, store, registry=registry)
    found["fingerprint"] = samples.fingerprint
    found["official"] = {"labels": samples.official.labels, "pixels": samples.official.pixels}
    found["counts"] = {
        "labelled": int(samples.valid.any(axis=1).sum()),
        "unlabelled": len(samples.unlabelled.ids) if samples.unlabelled else 0,
    }
    again = fingerprint(spec.scheme, samples.ids, samples.frames, samples.points)
    if again != samples.fingerprint:
        found["problems"].append(f"The fingerprint is {again} now, {samples.fingerprint} when it was written.")
    for split in spec.splits:
        found["splits"].append(leak_report(samples, get_split(spec, samples, split.name)))
