"""Kaggle's "Facial Keypoints Detection": 7049 grey 96×96 faces, 15 points, two label conventions."""

from __future__ import annotations

from fkbench.specs import DatasetSpec, SplitSpec, Terms

COMPETITION = "facial-keypoints-detection"
_URL = f"https://www.kaggle.com/competitions/{COMPETITION}"

SPEC = DatasetSpec(
    name="kaggle15",
    summary="Kaggle's Facial Keypoints Detection: 96×96 grey, 15 points, two label conventions",
    scheme="face15",
    load="fkbench_plugins.datasets.kaggle15.faces:load",
    split="fkbench_plugins.datasets.kaggle15.faces:split",
    importer="fkbench_plugins.datasets.kaggle15.importing:import_tables",
    acquire="fkbench_plugins.datasets.kaggle15.download:acquire",
    requires=("kaggle15",),
    splits=(
        SplitSpec("complete", "the rows with all 30 values, 5 folds by near-duplicate group", folds=5),
        SplitSpec("all", "every labelled row, masked, in the same folds", folds=5),
    ),
    boxes=("frame",),
    defaults={"uniform": ("complete", "frame"), "article": ("complete", "frame")},
    # shares of the competition's scored values by kind of row: a local stand-in for its own score
    convention_mix={"rmse_kaggle_mix": {"complete": 0.615, "four": 0.351, "other": 0.034}},
    terms=Terms(
        "Kaggle competition rules",
        url=f"{_URL}/rules",
        public=False,
        note="Everybody gets the data from Kaggle under its rules; pictures must not be passed on.",
    ),
    ways=(
        f"Accept the rules on {_URL}, then `fkbench data get kaggle15` (needs kagglehub and a Kaggle account), "
        "or download the zip there and `fkbench data import kaggle15 --from facial-keypoints-detection.zip`."
    ),
)
