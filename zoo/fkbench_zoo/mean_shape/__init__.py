"""mean-shape: the mean of the training points, whatever the picture shows."""

from __future__ import annotations

from fkbench.specs import Card, ModelSpec

SPEC = ModelSpec(
    name="mean-shape",
    summary="baseline: the mean training points in the box; looks at no picture",
    build="fkbench_zoo.mean_shape.predictor:build",
    input=(1, 96),
    kind="predictor",
    role="baseline",
    deterministic=True,
    collapse_share=0.95,
    card=Card(text="Each point is the mean of its labelled training positions in the view. A net no better than 0.95 × "
                   "its rmse has collapsed to a constant."),
)  # fmt: skip
