"""The frames of `youtube68` cut out and labelled like Kaggle's: 96×96 grey, 15 points."""

from __future__ import annotations

from fkbench.specs import DatasetSpec
from fkbench_plugins.datasets import youtube68

SPEC = DatasetSpec(
    name="youtube15",
    summary="the faces of youtube68 framed like Kaggle's: 96×96 grey, 15 points",
    scheme="face15",
    load="fkbench_plugins.datasets.youtube15.faces:load",
    split=youtube68.SPEC.split,
    requires=youtube68.SPEC.requires,
    splits=youtube68.SPEC.splits,
    boxes=("frame",),
    defaults={"uniform": ("identity", "frame"), "article": ("identity", "frame")},
    terms=youtube68.SPEC.terms,
    ways=f"It is made from youtube68. {youtube68.SPEC.ways}",
)
