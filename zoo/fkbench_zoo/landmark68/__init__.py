"""landmark68: a declared reconstruction of "Facial-Landmark-Detection-Using-Pytorch", whose code is not public."""

from __future__ import annotations

from fkbench.specs import Card, CodecSpec, Geometry, ModelSpec, Recipe, Setting

SPEC = ModelSpec(
    name="landmark68",
    summary="reconstruction: 4 conv, 2 linear with dropout, 19.3 M parameters; the text names no layer",
    build="fkbench_zoo.landmark68.net:build",
    input=(1, 224),
    settings={"width": Setting(1.0, "multiplies the number of channels and hidden units")},
    reduced={"width": 0.125},
    recipes={
        "article": Recipe(
            geometry=Geometry("resize"),
            codec=CodecSpec(kind="affine", offset=100.0, scale=50.0, loss="mse"),
            optimiser="adam",
            lr=1e-3,
            batch=16,
            epochs=30,
            selection="best",
            native_loss=True,
        )
    },
    card=Card(
        source="“Facial-Landmark-Detection-Using-Pytorch”, README of a repository that is not public any more, author "
        "and address unknown",
        text=(
            "The text gives the data (Udacity's frames of YouTube Faces, 68 points), the names of five transforms, a "
            "convolutional net from pictures to points, mean squared error, Adam, and that the best model is kept. "
            "All else is this project's choice, made in the manner of the course that the text follows: 19 333 000 "
            "parameters for one grey channel, 224 pixels and 136 outputs."
        ),
        deviations=(
            "The text lists Rescale and RandomCrop beside Resize, without order or sizes; Resize alone is used, since "
            "it is what sets this text apart from the other systems on these frames, and it loses no point.",
            "Scored on the 770 labelled test frames; the text's 2308 counts pictures without labels too.",
            "“Best” is by RMSE on a tenth of the training persons: the text names no validation part, and choosing on "
            "test rows is not done here.",
        ),
        assumed=(
            "Layers: convolutions 1→32 (kernel 5), 32→64, 64→128, 128→256 (kernel 3), valid, each with ReLU, max-pool "
            "2 and dropout .1, .2, .3, .4; linear 36 864→512, ReLU, dropout .5, linear 512→136.",
            "Input: one grey channel of 224×224 pixels.",
            "Targets (p − 100)/50, the course's constants; the text says only that they lie at about −1…1.",
            "Adam's rate 1e-3 without a schedule, batch 16, 30 epochs.",
            "A validation part of one tenth of the training persons.",
            "PyTorch's own initial weights, no augmentation.",
        ),
    ),
)
