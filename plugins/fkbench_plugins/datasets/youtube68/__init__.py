"""Udacity's keypoint set on frames of YouTube Faces: 4232 labelled frames of 347 persons, 68 points."""

from __future__ import annotations

from fkbench.specs import DatasetSpec, SplitSpec, Terms

SPEC = DatasetSpec(
    name="youtube68",
    summary="frames of YouTube Faces with 68 points (Udacity's set): 347 persons, 72–494 px, colour",
    scheme="face68",
    load="fkbench_plugins.datasets.youtube68.frames:load",
    split="fkbench_plugins.datasets.youtube68.frames:split",
    importer="fkbench_plugins.datasets.youtube68.importing:import_frames",
    acquire="fkbench_plugins.datasets.youtube68.download:acquire",
    requires=("youtube68",),
    splits=(
        SplitSpec("identity", "persons to train/val/test = 65/10/25 % by a hash of the name, all labelled frames"),
        SplitSpec(
            "official", "as published, val = 10 % of the training persons; every test clip is in train", leaky=True
        ),
    ),
    boxes=("truth", "frame"),
    any_box=True,
    defaults={"uniform": ("identity", "truth"), "article": ("official", "frame")},
    channels=3,
    scoring="face224",
    margin=0.25,
    terms=Terms(
        "YouTube Faces: research use",
        url="https://www.cs.tau.ac.il/~wolf/ytfaces/",
        public=False,
        note="Frames must not be shown in public or passed on; labels by Udacity (P1_Facial_Keypoints).",
    ),
    ways=(
        "Get it with `fkbench data get youtube68` (339 MB, no account, accept YouTube Faces' research terms), "
        "or `fkbench data import youtube68 --from train-test-data.zip`."
    ),
)
