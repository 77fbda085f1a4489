"""Scores against plain loops and numbers worked out by hand."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkbench.errors import FkbenchError
from fkbench.score import (
    ImageErrors,
    area_under_ced,
    ced,
    failure_rate,
    image_errors,
    mean_nme,
    rmse,
    rmse_by_label,
    rmse_mix,
    summary,
    worst_share,
)

ENDS = {"inter_ocular": ((0,), (1,)), "inter_pupil": ((2,), (3,))}
MIX = {"full": 0.615, "four": 0.351, "other": 0.034}


def draw_case(seed: int, n: int, k: int, share: float):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 96, (n, k, 2))
    return truth + rng.standard_t(3, truth.shape) * 3, truth, rng.random((n, k)) < share, rng.uniform(0.5, 2, n)


def scored(predicted, truth, valid, scale, **more) -> ImageErrors:
    ids = [str(i) for i in range(len(truth))]
    return image_errors(predicted, truth, valid, scale=scale, normalisers=ENDS, ids=ids, group=ids, **more)


def with_nme(values) -> ImageErrors:
    """Errors of which only the inter-ocular NME matters."""
    n = len(values)
    names, zeros, counts = tuple(map(str, range(n))), np.zeros(n), np.full(n, 2)
    nme = {"inter_ocular": np.array(values, float)}
    return ImageErrors(
        names, names, None, zeros, zeros, zeros, zeros, counts, zeros[:, None], counts[:, None], zeros, nme
    )  # fmt: skip


def with_sums(sums, counts, **more) -> ImageErrors:
    """Errors of which only the squared error matters."""
    n = len(sums)
    names, sums, counts = tuple(map(str, range(n))), np.array(sums, float), np.array(counts)
    return ImageErrors(
        names, names, None, sums, sums / 2, sums / 2, sums, counts, sums[:, None], counts[:, None], sums, {}, **more
    )  # fmt: skip


def loop_scores(predicted, truth, valid, scale):
    """The headline scores, coordinate by coordinate."""
    squares, absolute, native = {"x": [], "y": []}, [], []
    points = [[] for _ in truth[0]]
    for i in range(len(truth)):
        for k in range(len(truth[i])):
            for c, axis in enumerate("xy"):
                if valid[i][k]:
                    e = float(predicted[i][k][c] - truth[i][k][c])
                    squares[axis].append((e * scale[i]) ** 2)
                    points[k].append((e * scale[i]) ** 2)
                    absolute.append(abs(e * scale[i]))
                    native.append(e * e)

    def root(values):
        return math.sqrt(sum(values) / len(values)) if values else None

    return {
        "rmse": root(squares["x"] + squares["y"]),
        "rmse_x": root(squares["x"]),
        "rmse_y": root(squares["y"]),
        "rmse_native": root(native),
        "mae": sum(absolute) / len(absolute) if absolute else None,
        "rmse_by_point": [root(p) for p in points],
    }


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(4, 6), st.sampled_from([0.0, 0.3, 0.8, 1.0]))
def test_pixel_scores_are_those_of_the_definition(seed, n, k, share):
    case = draw_case(seed, n, k, share)
    found = summary(scored(*case))
    for name, value in loop_scores(*case).items():
        assert found[name] == pytest.approx(value), name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 0.3), st.just(math.nan), st.just(0.08)), min_size=1, max_size=30))
def test_nme_scores_are_those_of_the_definition(values):
    errors = with_nme(values)
    kept = [v for v in values if not math.isnan(v)]
    assert summary(errors)["nme_excluded"]["inter_ocular"] == len(values) - len(kept)
    if not kept:
        assert mean_nme(errors) is None
        assert failure_rate(errors, 0.08) is None
        assert area_under_ced(errors, 0.08) is None
        return
    assert mean_nme(errors) == pytest.approx(sum(kept) / len(kept))
    assert failure_rate(errors, 0.08) == pytest.approx(sum(v > 0.08 for v in kept) / len(kept))
    assert area_under_ced(errors, 0.08) == pytest.approx(step_area(kept, 0.08))


def step_area(values, threshold):
    """Area under the step function itself, rectangle by rectangle."""
    edges = [0.0, *sorted(v for v in values if v <= threshold), threshold]
    area = 0.0
    for left, right in itertools.pairwise(edges):
        area += (right - left) * sum(v <= left for v in values) / len(values)
    return area / threshold


def test_auc_and_failures_by_hand():
    errors = with_nme([0.02, 0.04, 0.10, 0.50, math.nan])
    assert area_under_ced(errors, 0.08) == pytest.approx((0.75 + 0.5 + 0 + 0) / 4)
    scores = summary(errors)
    assert scores["auc@8"] == pytest.approx(0.3125)
    assert scores["fr@8"] == 0.5
    assert scores["fr@10"] == 0.25  # exactly 10 % is no failure
    assert scores["nme@inter_ocular"] == pytest.approx(0.165)


def test_auc_is_one_for_perfect_and_zero_beyond_the_threshold():
    assert area_under_ced(with_nme([0.0, 0.0]), 0.08) == 1.0
    assert area_under_ced(with_nme([0.08, 0.3]), 0.08) == 0.0


def test_ced_steps_once_per_distinct_value():
    x, y = ced(with_nme([0.3, 0.1, math.nan, 0.1, 0.2]))
    np.testing.assert_array_equal(x, [0.1, 0.2, 0.3])
    np.testing.assert_allclose(y, [0.5, 0.75, 1.0])
    assert [len(part) for part in ced(with_nme([math.nan]))] == [0, 0]


def test_rmse_is_a_ratio_of_sums_and_not_a_mean_of_images():
    assert rmse(with_sums([10.0, 800.0], [10, 2])) == pytest.approx(math.sqrt(810 / 12))


def test_conventions_are_scored_apart():
    case = draw_case(3, 6, 5, 0.9)
    labels = list("abaabb")
    found = summary(scored(*case, convention=labels))["rmse_by_convention"]
    for name in "ab":
        rows = [i for i, label in enumerate(labels) if label == name]
        assert found[name] == pytest.approx(loop_scores(*(part[rows] for part in case))["rmse"])


def test_labels_of_another_length_are_refused():
    with pytest.raises(FkbenchError, match="2 labels for 1 images"):
        rmse_by_label(with_sums([1.0], [2]), ["a", "b"])


def test_mix_weighs_the_mse_of_each_kind():
    errors = with_sums([30.0, 90.0, 8.0, 40.0], [30, 30, 8, 10], kind=("full", "full", "four", "other"))
    expected = math.sqrt(0.615 * 2.0 + 0.351 * 1.0 + 0.034 * 4.0)
    assert rmse_mix(errors, MIX) == pytest.approx(expected)
    assert summary(errors, mixes={"rmse_some_mix": MIX})["rmse_some_mix"] == pytest.approx(expected)


@pytest.mark.parametrize("kinds", [("full", "full", "four", "four"), None])
def test_mix_is_null_unless_every_kind_occurs(kinds):
    assert rmse_mix(with_sums([30.0, 90.0, 8.0, 40.0], [30, 30, 8, 10], kind=kinds), MIX) is None


def test_mix_is_null_where_a_kind_has_no_label():
    assert rmse_mix(with_sums([30.0, 8.0, 0.0], [30, 8, 0], kind=("full", "four", "other")), MIX) is None


@pytest.mark.parametrize(
    ("weights", "words"), [({"full": 0.7}, "add up to 0.7"), ({"full": 2.0, "four": -1.0}, "add up to 1")]
)
def test_mix_refuses_weights_that_are_none(weights, words):
    with pytest.raises(FkbenchError, match=words):
        rmse_mix(with_sums([1.0], [2], kind=("full",)), weights)


def test_mix_refuses_a_kind_without_weight():
    with pytest.raises(FkbenchError, match="'strange'"):
        rmse_mix(with_sums([1.0], [2], kind=("strange",)), MIX)


def test_worst_share_takes_one_image_of_a_hundred():
    sums = np.ones(300)
    sums[::100] = 101.0
    assert worst_share(with_sums(sums, np.full(300, 2))) == pytest.approx(303 / 600)
    # .07 · 100 is a little above 7 in binary: seven images, not eight.
    assert worst_share(with_sums(np.ones(100), np.full(100, 2)), 0.07) == pytest.approx(0.07)
    assert worst_share(with_sums([1.0, 3.0, 0.0], [2, 2, 0])) == pytest.approx(0.75)
    assert worst_share(with_sums([0.0, 0.0], [2, 2])) is None


def test_summary_without_labels_is_null_and_still_json():
    case = draw_case(0, 3, 5, 0.0)
    found = summary(scored(*case))
    for name in ("rmse", "rmse_x", "rmse_native", "mae", "nme@inter_ocular", "nme@bbox", "auc@8", "fr@8"):
        assert found[name] is None, name
    assert found["nme_excluded"] == {"bbox": 3, "inter_ocular": 3, "inter_pupil": 3}
    json.dumps(found, allow_nan=False)


def test_summary_names_what_a_scheme_cannot_measure():
    case = draw_case(0, 3, 5, 1.0)
    found = summary(image_errors(*case[:3], scale=case[3], normalisers={}, ids="abc", group="abc"))
    assert found["nme@inter_ocular"] is None
    assert found["auc@8"] is None
    assert found["nme@bbox"] is not None


def test_scores_do_not_depend_on_the_order_of_images():
    case = draw_case(5, 200, 5, 0.8)
    errors = scored(*case)
    order = np.random.default_rng(0).permutation(200)
    assert summary(errors.take(order)) == summary(errors)


def test_scoring_imports_no_torch():
    code = "import sys, fkbench.score; print([m for m in ('torch', 'pandas', 'cv2', 'sklearn') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
