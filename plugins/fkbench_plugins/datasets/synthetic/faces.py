"""Rendered faces as datasets: rendered once into a pack, read from it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fkbench.datasets.fingerprints import fingerprint
from fkbench.datasets.progress import listener
from fkbench.datasets.projections import project
from fkbench.datasets.samples import Array, FloatArray, Frames, Official, Samples, Split
from fkbench.datasets.splits import from_masks
from fkbench.datasets.store import Pack, Store
from fkbench.schemes import FACE68

from .render import RENDER_VERSION, render


def load68(store: Store, settings: dict[str, Any]) -> Samples:
    """`synthetic68`: see `fkbench.datasets` for the contract."""
    return _load(store, settings, "face68")


def load15(store: Store, settings: dict[str, Any]) -> Samples:
    """`synthetic15`: the same pictures, points through the projection."""
    return _load(store, settings, "face15")


def split(samples: Samples, name: str, fold: int) -> Split:
    """Index mod 10: 0–6 train, 7 val, 8–9 test. Faces of one seed are independent of each other."""
    digit = np.arange(len(samples)) % 10
    return from_masks(name, digit < 7, digit == 7, digit > 7)


def _load(store: Store, settings: dict[str, Any], scheme: str) -> Samples:
    pack = _pack(store, settings["count"], settings["seed"], settings["size"])
    points: FloatArray = pack.arrays["points"]  # type: ignore[assignment]
    ids = _ids(settings["count"])
    return Samples(
        ids=ids,
        frames=pack.frames(),
        points=_points(points, scheme),
        group=ids,
        fingerprint=pack.meta["fingerprint"][scheme],
        official=Official(True, True),
        factors={key.removeprefix("factor_"): v for key, v in pack.arrays.items() if key.startswith("factor_")},
    )


def _pack(store: Store, count: int, seed: int, size: int) -> Pack:
    name = f"synthetic/v{RENDER_VERSION}-seed{seed}-{count}x{size}"
    if store.has(name):
        return store.read(name)
    with store.lock(name):
        return store.read(name) if store.has(name) else _render(store, name, count, seed, size)


def _render(store: Store, name: str, count: int, seed: int, size: int) -> Pack:
    rendered = render(seed, range(count), size, None, _reporter(count))
    frames = Frames.stack(rendered.images)
    ids = _ids(count)
    prints = {
        scheme: fingerprint(scheme, ids, frames, _points(rendered.points, scheme)) for scheme in ("face15", "face68")
    }
    meta = {"fingerprint": prints, "count": count, "seed": seed, "size": size, "render_version": RENDER_VERSION}
    arrays: dict[str, Array] = {
        "frames_buffer": frames.buffer,
        "frames_offsets": frames.offsets,
        "frames_shapes": frames.shapes,
        "points": rendered.points,
        **{f"factor_{key}": values for key, values in rendered.factors.items()},
    }
    return store.write(name, meta, arrays)


def _reporter(count: int) -> Callable[[int], None]:
    report, done = listener(), 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        report("Rendering faces", done, count)

    return advance


def _points(points: FloatArray, scheme: str) -> FloatArray:
    return points if scheme == "face68" else project(points, FACE68, scheme)


def _ids(count: int) -> tuple[str, ...]:
    return tuple(str(index) for index in range(count))
