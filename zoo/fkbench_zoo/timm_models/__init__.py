"""timm: every backbone of the library PyTorch Image Models, as `timm:NAME`."""

from __future__ import annotations

from fkbench.specs import Card, ModelSpec, Setting

SPEC = ModelSpec(
    name="timm",
    summary="any backbone of the library timm with a linear layer to the points, for example timm:resnet18",
    build="fkbench_zoo.timm_models.net:build",
    member="fkbench_zoo.timm_models.members:member",
    members="fkbench_zoo.timm_models.members:names",
    examples=("resnet18",),
    needs=("timm", "torchvision"),
    input=(1, 96),
    settings={
        "input_channels": Setting(1, "channels of the pictures: 1 grey, 3 colour", choices=(1, 3)),
        "input_size": Setting(96, "side of the pictures, pixels"),
        "pretrained": Setting(False, "start from the library's pretrained weights, which it downloads", fresh=True),
        "drop_rate": Setting(0.0, "dropout before the last layer"),
    },
    card=Card(
        source="PyTorch Image Models (timm), Ross Wightman and contributors",
        url="https://github.com/huggingface/pytorch-image-models",
        text=(
            "The library's own net and initial weights, its classifier replaced by a linear layer to the points. From "
            "scratch unless asked for otherwise. Pretrained weights of three channels are summed up for grey pictures, "
            "and the last layer is always fresh."
        ),
        deviations=(
            "Nets whose layers depend on the picture's size are built for the size at hand, not for the one in their "
            "name.",
            "Pictures are given as the recipe says, not with the mean and deviation that pretrained weights were "
            "trained with.",
        ),
    ),
)
