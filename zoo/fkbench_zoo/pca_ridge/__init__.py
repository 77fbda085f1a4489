"""pca-ridge: linear regression on the principal components of the picture."""

from __future__ import annotations

from fkbench.specs import Card, ModelSpec, Setting

SPEC = ModelSpec(
    name="pca-ridge",
    summary="baseline: ridge regression on the principal components of the picture",
    build="fkbench_zoo.pca_ridge.predictor:build",
    input=(1, 96),
    kind="predictor",
    role="baseline",
    deterministic=True,
    needs=("sklearn",),
    settings={
        "components": Setting(200, "principal components kept"),
        "side": Setting(48, "pixels to which the view is shrunk"),
    },
    card=Card(text="scikit-learn's PCA (randomised, fixed seed) of equalised grey views shrunk to 48 px, then ridge "
                   "regression, the penalty chosen by 3-fold cross-validation inside the training part. Missing points "
                   "are left out one point at a time."),
)  # fmt: skip
