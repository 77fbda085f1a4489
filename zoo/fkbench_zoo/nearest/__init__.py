"""nearest: the points of the nearest training picture."""

from __future__ import annotations

from fkbench.specs import Card, ModelSpec, Setting

SPEC = ModelSpec(
    name="nearest",
    summary="baseline: copies the points of the nearest training picture; exposes a leaky split at a glance",
    build="fkbench_zoo.nearest.predictor:build",
    input=(1, 96),
    kind="predictor",
    role="baseline",
    deterministic=True,
    settings={"side": Setting(32, "pixels to which the view is shrunk")},
    card=Card(text="Normalised correlation of views shrunk to 32 px. Where persons or clips stand on both sides of a "
                   "split it looks like a good model; on an honest one it does not."),
)  # fmt: skip
