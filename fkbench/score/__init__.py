"""Scores of predicted keypoints, their confidence intervals and comparisons; numpy only, no torch."""

from fkbench.score.errors import BBOX, ImageErrors, image_errors
from fkbench.score.intervals import Interval, mean_interval, model_interval, ratio_interval, rmse_interval
from fkbench.score.metrics import (
    Score,
    area_under_ced,
    ced,
    failure_rate,
    mae,
    mean_nme,
    rmse,
    rmse_by_label,
    rmse_by_point,
    rmse_mix,
    summary,
    worst_share,
)
from fkbench.score.pairs import Comparison, compare
from fkbench.score.ranking import Pair, Rank, all_pairs, holm, ranks
from fkbench.score.seeds import SeedSums

__all__ = [
    "BBOX",
    "Comparison",
    "ImageErrors",
    "Interval",
    "Pair",
    "Rank",
    "Score",
    "SeedSums",
    "all_pairs",
    "area_under_ced",
    "ced",
    "compare",
    "failure_rate",
    "holm",
    "image_errors",
    "mae",
    "mean_interval",
    "mean_nme",
    "model_interval",
    "ranks",
    "ratio_interval",
    "rmse",
    "rmse_by_label",
    "rmse_by_point",
    "rmse_interval",
    "rmse_mix",
    "summary",
    "worst_share",
]
