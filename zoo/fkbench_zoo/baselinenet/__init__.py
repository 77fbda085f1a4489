"""baselinenet: the nets of rohithravin's "Facial Keypoint Detection"."""

from __future__ import annotations

from fkbench.specs import Card, CodecSpec, ModelSpec, Recipe, Stage

SOURCE = "“Facial Keypoint Detection”, rohithravin"
URL = "https://github.com/rohithravin/facial-keypoint-detection"

SPECS = (
    ModelSpec(
        name="baselinenet",
        summary="5 conv, 3 linear, 3.5 M parameters; raw pixels as targets",
        build="fkbench_zoo.baselinenet.net:build",
        input=(1, 96),
        recipes={
            "article": Recipe(
                codec=CodecSpec(kind="affine", offset=0.0, scale=1.0, loss="smooth_l1"),
                stages=(
                    Stage(gain=(0.6, 1.5), blur_p=0.8, blur=(0.0, 2.0)),
                    Stage(rotation=15.0, scale=(0.8, 1.2)),
                    Stage(mirror=True),
                ),
                pool_split=0.1,
                optimiser="adam",
                lr=1e-3,
                schedule="plateau",
                plateau_factor=0.1,
                plateau_patience=10,
                min_lr=1e-5,
                batch=128,
                epochs=100,
                selection="last",
                train_on="train+val",
                native_loss=True,
            )
        },
        card=Card(
            source=SOURCE,
            url=URL,
            text=(
                "Five convolutions of kernel 3 that keep the size, each with ReLU and max-pool, then 1024 and 512 "
                "hidden units with dropout .4. Every picture becomes eight before training: brighter or darker and "
                "blurred, turned by 15° and scaled, mirrored, in all combinations. The recorded validation loss is "
                "8.87 in epoch 10, the level of a constant answer, and 1.609 at best in epoch 96. The repository's "
                "ResNet-18 with a new last layer is `timm:resnet18` here, its naive inception net is listed as "
                "`inception-naive`."
            ),
            deviations=(
                "The mirrored copies keep the names of their points, so that left eyes are labelled right in half of "
                "the rows, and they are mirrored at 96 − x, half a pixel beside the picture. Both are kept in this "
                "recipe alone; `uniform` mirrors correctly.",
                "The author takes a tenth of the eightfold pool for validation, so nearly every validation row has "
                "copies of itself in training: 1.609 says nothing about other pictures. The recipe does the same "
                "inside the training and validation rows, and its record flags the native score as leaking.",
                "The author trains on all 2140 complete rows, and the test pictures have no labels; here the test fold "
                "is held out before anything is copied (1712 rows make 13 696).",
                "“Contrast” is a factor on brightness that is not clipped, and the rotation is 15° one way and never "
                "the other: both are what the author's library does with these arguments, and are kept.",
                "The text speaks of 29×29 pixels, which five pools would leave nothing of; the code has 96×96.",
                "The rate is lowered on plateaus, as in the code. With the recorded losses it never was: the longest "
                "time without a better one is 8 epochs, and it takes more than 10.",
                "The loss is computed in 32-bit numbers; the author's targets make it 64-bit.",
                "Kept are the last weights, as the author does.",
                "No seed is given; here every stream is seeded.",
            ),
        ),
    ),
    ModelSpec(
        name="inception-naive",
        summary="two inception modules without any down-sampling; 3.9 G parameters, listed and counted only",
        build="fkbench_zoo.baselinenet.net:build_inception",
        input=(1, 96),
        not_run="3 935 752 350 parameters, 14.7 GiB in one layer, since no layer makes the picture smaller",
        card=Card(
            source=SOURCE,
            url=URL,
            text=(
                "Branches of kernels 1, 3 and 5 and a pool, side by side; twice, with pools of stride 1 between. "
                "417 maps of 96×96 pixels go into 1024 hidden units. The repository holds it only as compiled code, "
                "without a result."
            ),
            deviations=("Built and counted, never trained: neither the author nor this project has a score for it.",),
        ),
    ),
)
