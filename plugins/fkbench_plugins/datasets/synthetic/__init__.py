"""Faces rendered by this project: embedded, any number of them, exact labels."""

from __future__ import annotations

from fkbench.specs import DatasetSpec, Setting, SplitSpec, Terms

_SETTINGS = {
    # Ten faces are the fewest that put one into each part; a pack of two million is 18 GB.
    "count": Setting(10_000, "number of faces", limits=(10, 2_000_000)),
    "seed": Setting(0, "population of faces; picture i of a seed is always the same"),
    "size": Setting(96, "side of the pictures, px", limits=(32, 1024)),
}
_TERMS = Terms(
    "MIT",
    public=True,
    note="Drawn by this project's own code from random numbers: no photograph, scan or texture of anybody is in it.",
)


def _spec(name: str, points: int) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        summary=f"rendered faces, {points} points, exact labels; needs no download",
        scheme=f"face{points}",
        load=f"fkbench_plugins.datasets.synthetic.faces:load{points}",
        split="fkbench_plugins.datasets.synthetic.faces:split",
        splits=(SplitSpec("index", "index mod 10: 0–6 train, 7 val, 8–9 test"),),
        boxes=("frame",),
        defaults={"uniform": ("index", "frame"), "article": ("index", "frame")},
        settings=_SETTINGS,
        reduced={"count": 200},
        terms=_TERMS,
        ways="It is rendered when it is first used.",
        embedded=True,
    )


SPECS = (_spec("synthetic15", 15), _spec("synthetic68", 68))
