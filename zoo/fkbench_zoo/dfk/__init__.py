"""dfk: the small net of "End-To-End Build Facial Keypoint Detection With Pytorch"."""

from __future__ import annotations

from fkbench.specs import Augmentation, Card, CodecSpec, ModelSpec, Recipe

SPEC = ModelSpec(
    name="dfk",
    summary="4 conv (kernel 2), 3 linear, 8.6 M parameters, 98 % of them in the first linear layer",
    build="fkbench_zoo.dfk.net:build",
    input=(1, 96),
    recipes={
        "article": Recipe(
            codec=CodecSpec(kind="affine", offset=255.0, scale=255.0, loss="root_mse"),
            augmentation=Augmentation(sharpness=2.0, sharpness_p=0.5),
            optimiser="adamax",
            lr=1e-3,
            batch=32,
            epochs=200,
            selection="last",
            train_on="train+val",
            native_loss=True,
        )
    },
    card=Card(
        source="“End-To-End Build Facial Keypoint Detection With Pytorch”, 2023",
        url="https://hiwhy.io/facial-keypoint-detection-with-pytorch",
        text=(
            "Four convolutions with kernel 2 (valid, same, valid, same; `same` pads right and below), two max-pools, "
            "dropout ½ on the flattened features and after the second linear layer. The article scales targets by "
            "(p − 255)/255 although points lie in 0…96, so that they fill only [−1, −0.6]; its loss is the root of the "
            "batch's mean squared error, 255 × which is pixels."
        ),
        deviations=(
            "The article trains on all 2140 rows and has no labelled test; here the test fold is held out before "
            "training (1712 rows train).",
            "The root is guarded where the residual is zero: its gradient is 0 there, not NaN.",
            "No order of rows or seed is given beyond a shuffle; here every stream is seeded.",
        ),
    ),
)
