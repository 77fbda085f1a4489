"""The scoring frame: the unit of an error belongs to the sample, whatever box a model saw it through."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fkbench.datasets.samples import Frames, Samples, Split
from fkbench.datasets.scoring import scoring_scale
from fkbench.datasets.views import apply_affine, invert_affine
from fkbench.registry import load_registry
from fkbench.runner.inputs import Inputs
from fkbench.runner.outcome import score_points
from fkbench.specs import DatasetSpec, DetectorSpec

COUNT = 6
SIDES = np.array([20, 30, 40, 50, 60, 70])  # longer side of the points of each face
ERROR = np.array([3.0, 4.0])


@pytest.fixture
def faces() -> Samples:
    """Faces of six sizes at different places of frames of 120 × 160."""
    rng = np.random.default_rng(4)
    shape = rng.uniform(0.05, 0.75, (15, 2))
    shape[0], shape[1] = (0.0, 0.3), (1.0, 0.5)  # the points that span the longer side
    corners = rng.uniform(5, 45, (COUNT, 1, 2))
    points = (corners + SIDES[:, None, None] * shape).astype(np.float32)
    names = tuple(f"face-{i}" for i in range(COUNT))
    return Samples(names, Frames.stack(rng.integers(0, 256, (COUNT, 120, 160), np.uint8)), points, names, "sha256:x")


def spec_of(scoring: str) -> DatasetSpec:
    return DatasetSpec(name="hand", scheme="face15", load=lambda store, settings: None, boxes=("frame", "truth"),
                       scoring=scoring, margin=0.25)  # fmt: skip


def inputs_of(faces, store, box, scoring):
    split = Split("default", 1, np.array([0]), np.array([1]), np.arange(2, COUNT))
    return Inputs(spec_of(scoring), store, faces, split, load_registry().get(DetectorSpec, box), {})


def test_face224_by_hand():
    points = np.array([[[10, 20], [110, 80]], [[0, 0], [7, 56]]], np.float32)  # squares of 125 and 70 pixels
    samples = Samples(("a", "b"), Frames.stack(np.zeros((2, 8, 8), np.uint8)), points, ("a", "b"), "x")
    found = scoring_scale(spec_of("face224"), samples)
    np.testing.assert_allclose(found, [1.792, 3.2], rtol=1e-7)
    assert found.dtype == np.float32


def test_own_is_one_for_all(faces):
    np.testing.assert_array_equal(scoring_scale(spec_of("own"), faces), np.ones(COUNT))


def test_a_missing_point_says_nothing_about_the_scale(faces):
    before = scoring_scale(spec_of("face224"), faces)
    faces.points[3, 7] = np.nan
    np.testing.assert_array_equal(scoring_scale(spec_of("face224"), faces), before)


def seen_through(inputs: Inputs):
    """A prediction off by ERROR in native pixels, given in view pixels as a net would, and brought back."""
    maps = inputs.eval_views(32, 1).to_native
    in_view = apply_affine(invert_affine(maps), inputs.samples.points + ERROR)
    return apply_affine(maps, in_view)[inputs.split.test]


@pytest.mark.parametrize("scoring", ["face224", "own"])
def test_the_same_native_error_scores_the_same_under_every_box(faces, store, scoring):
    registry, found = load_registry(), {}
    views = {}
    for box in ("frame", "truth"):
        inputs = inputs_of(faces, store, box, scoring)
        views[box] = inputs.eval_views(32, 1)
        found[box] = score_points(seen_through(inputs), inputs, registry).metrics
    ratio = views["frame"].to_native[:, 0, 0] / views["truth"].to_native[:, 0, 0]
    assert ratio.min() > 1.5  # the boxes do differ
    scale = 224 / (1.25 * SIDES[2:]) if scoring == "face224" else np.ones(COUNT - 2)
    expected = math.sqrt(np.mean(scale**2) * np.mean(ERROR**2))
    for metrics in found.values():
        assert metrics["rmse"] == pytest.approx(expected, rel=1e-5)
        assert metrics["missed_faces"] == 0
    for name in ("rmse", "mae", "nme@inter_ocular"):
        assert found["frame"][name] == pytest.approx(found["truth"][name], rel=1e-5)
