"""kshirsagar: the net of "Facial Keypoint Detection using CNN & PyTorch"."""

from __future__ import annotations

from fkbench.specs import Card, CodecSpec, Geometry, ModelSpec, Recipe, Setting

SPEC = ModelSpec(
    name="kshirsagar",
    summary="5 conv, 2 linear, dropout after each, no batch norm, 19.5 M parameters",
    build="fkbench_zoo.kshirsagar.net:build",
    input=(1, 224),
    settings={"width": Setting(1.0, "multiplies the number of channels and hidden units")},
    reduced={"width": 0.125},
    recipes={
        "article": Recipe(
            geometry=Geometry("rescale_crop", 250),
            codec=CodecSpec(kind="affine", offset=100.0, scale=50.0, loss="smooth_l1"),
            optimiser="adam",
            lr=1e-3,
            batch=10,
            epochs=10,
            selection="last",
            train_on="train+val",
            native_loss=True,
        )
    },
    card=Card(
        source="“Facial Keypoint Detection using CNN & PyTorch”, Krunal Kshirsagar, 2019-12-01",
        url="https://github.com/ksheersaagr/Facial_Keypoint_Detection",
        text=(
            "Five valid convolutions (kernels 5, 3, 3, 3, 1), each with ReLU, max-pool and dropout of single values "
            "(.1, .2, .25, .25, .3), then 1024 hidden units with dropout .4. Text and code are the same net. Frames of "
            "YouTube Faces, shorter side to 250 and a crop of 224; targets are (p − 100)/50, which the points do not "
            "fit well: in the crops their mean is 117 and their deviation 35. The notebook prints training losses "
            "alone, with dropout on: a mean of .103 over the first epoch and .0325 over the tenth, where a constant "
            "answer would have .0905."
        ),
        deviations=(
            "The text does not say for how many epochs; the notebook says 10.",
            "Scored on the middle crop; the author's test pictures are cropped at random as in training, which makes "
            "the score a matter of luck and cuts points off 5.6 % of them.",
            "Scored in evaluation mode on the 770 labelled test frames (the text counts all 2308 pictures); the author "
            "looks at test pictures with dropout still on, and gives no score.",
            "Every person and clip of the test part is in the training part as published: the split `official` is "
            "marked as leaking, `identity` is the honest one.",
            "Points are drawn where they are: the author's last step undoes the scaling with 60 and 68 in place of 50 "
            "and 100, on the face's own pixels instead of the net's 224.",
            "Losses are means over whole epochs; the notebook's are over windows of ten batches, the last batch of an "
            "epoch never among them.",
            "Pictures are divided by 255 once. Newer matplotlib reads these files as numbers in 0…1, which the "
            "author's code would divide a second time.",
            "No seed is given; here every stream is seeded.",
        ),
    ),
)
