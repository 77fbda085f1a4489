"""Sums per image against plain loops over the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkbench.errors import FkbenchError
from fkbench.score import ImageErrors, image_errors, rmse

pytestmark = pytest.mark.filterwarnings("error")

ENDS = {"inter_ocular": ((0,), (1,)), "inter_pupil": ((0, 2), (1, 3))}


def scored(predicted, truth, valid, scale=1.0, **more) -> ImageErrors:
    n = len(truth)
    names = {"ids": [f"i{i}" for i in range(n)], "group": ["g"] * n, "normalisers": ENDS, **more}
    return image_errors(predicted, truth, valid, scale=scale, **names)


def loop_image(pred, true, known, scale):
    """One image by the definition, point by point."""
    out = {"sq": 0.0, "x": 0.0, "y": 0.0, "abs": 0.0, "native": 0.0, "count": 0, "distance": 0.0, "points": 0}
    for (px, py), (tx, ty), labelled in zip(pred, true, known, strict=True):
        if not labelled:
            continue
        ex, ey = (px - tx) * scale, (py - ty) * scale
        out["x"] += ex * ex
        out["y"] += ey * ey
        out["sq"] += ex * ex + ey * ey
        out["abs"] += abs(ex) + abs(ey)
        out["native"] += (px - tx) ** 2 + (py - ty) ** 2
        out["distance"] += math.hypot(px - tx, py - ty)
        out["count"] += 2
        out["points"] += 1
    return out


def loop_length(true, known, name):
    """Normalising distance by the definition, None where undefined."""
    labelled = [p for p, k in zip(true, known, strict=True) if k]
    if name == "bbox":
        if not labelled:
            return None
        xs, ys = zip(*labelled, strict=True)
        return max(max(xs) - min(xs), max(ys) - min(ys))
    first, second = ENDS[name]
    if not all(known[i] for i in first + second):
        return None
    mean = [[sum(true[i][c] for i in end) / len(end) for c in (0, 1)] for end in (first, second)]
    return math.dist(*mean)


@st.composite
def images(draw):
    n, k = draw(st.integers(1, 5)), draw(st.integers(4, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    truth = rng.uniform(-20, 120, (n, k, 2))
    if draw(st.booleans()):
        truth[0] = truth[0, 0]  # every distance of this image is zero
    valid = rng.random((n, k)) < draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    hidden = draw(st.sampled_from([math.nan, math.inf, 1e300, 0.0]))
    shown = np.where(valid[..., None], truth, hidden)
    return truth + rng.normal(0, 5, truth.shape), truth, shown, valid, rng.uniform(0.2, 3, n)


@settings(max_examples=150, deadline=None)
@given(images())
def test_every_sum_is_that_of_the_definition(case):
    predicted, truth, shown, valid, scale = case
    errors = scored(predicted, shown, valid, scale)
    for i in range(len(truth)):
        plain = loop_image(predicted[i].tolist(), truth[i].tolist(), valid[i].tolist(), scale[i])
        assert errors.sum_sq[i] == pytest.approx(plain["sq"])
        assert errors.sum_sq_x[i] == pytest.approx(plain["x"])
        assert errors.sum_sq_y[i] == pytest.approx(plain["y"])
        assert errors.sum_abs[i] == pytest.approx(plain["abs"])
        assert errors.native_sum_sq[i] == pytest.approx(plain["native"])
        assert errors.count[i] == plain["count"]
        for name in (*ENDS, "bbox"):
            length = loop_length(truth[i].tolist(), valid[i].tolist(), name)
            if length:
                assert errors.nme[name][i] == pytest.approx(plain["distance"] / plain["points"] / length)
            else:
                assert math.isnan(errors.nme[name][i])
        for k in range(truth.shape[1]):
            one = loop_image(*([a[i, k].tolist()] for a in (predicted, truth)), [valid[i, k]], scale[i])
            assert errors.point_sum_sq[i, k] == pytest.approx(one["sq"])
            assert errors.point_count[i, k] == one["count"]


def test_nme_does_not_know_the_scoring_frame():
    rng = np.random.default_rng(0)
    truth, valid = rng.uniform(0, 90, (3, 5, 2)), np.ones((3, 5), bool)
    one, two = (scored(truth + 1.0, truth, valid, s) for s in (1.0, 7.0))
    np.testing.assert_array_equal(one.nme["inter_ocular"], two.nme["inter_ocular"])
    np.testing.assert_allclose(two.sum_sq, 49 * one.sum_sq)


def test_float16_predictions_are_summed_in_float64():
    truth = np.zeros((1, 4, 2))
    errors = scored(np.full((1, 4, 2), 300, np.float16), truth, np.ones((1, 4), bool))
    assert errors.sum_sq[0] == 8 * 300.0**2


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e60, 1e200])
def test_a_prediction_that_cannot_be_scored_names_the_first_image(bad):
    truth = np.zeros((4, 5, 2))
    predicted = truth.copy()
    predicted[2, 1, 0] = predicted[3, 0, 1] = bad
    with pytest.raises(FkbenchError, match=r"'i2' \(and 1 more\)") as caught:
        scored(predicted, truth, np.ones((4, 5), bool))
    assert caught.value.remedy


def test_the_largest_prediction_of_single_precision_has_a_score():
    truth, far = np.zeros((4, 5, 2)), float(np.finfo(np.float32).max)
    found = scored(np.full((4, 5, 2), far), truth, np.ones((4, 5), bool))
    assert rmse(found) == pytest.approx(far)


def test_a_labelled_point_that_is_not_finite_is_the_datasets_fault():
    truth = np.zeros((2, 5, 2))
    truth[1, 0, 0] = math.nan
    with pytest.raises(FkbenchError, match="true point for image 'i1'"):
        scored(np.zeros((2, 5, 2)), truth, np.ones((2, 5), bool))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"predicted": np.zeros((2, 4, 2))}, "Predicted points have shape"),
        ({"truth": np.zeros((2, 5))}, "True points have shape"),
        ({"valid": np.ones((2, 4), bool)}, "mask of labelled points"),
        ({"scale": np.ones(3)}, "Scales have shape"),
        ({"scale": np.array([1.0, 0.0])}, "scale of the scoring frame for image 'i1'"),
        ({"scale": math.nan}, "scale of the scoring frame for image 'i0'"),
        ({"group": ["g"]}, "1 values of 'group'"),
        ({"kind": ["a", "b", "c"]}, "3 values of 'kind'"),
    ],
)
def test_inputs_that_do_not_fit_are_named(change, words):
    fine = {"predicted": np.zeros((2, 5, 2)), "truth": np.zeros((2, 5, 2)), "valid": np.ones((2, 5), bool)}
    with pytest.raises(FkbenchError, match=words):
        scored(**{**fine, **change})


def test_no_images_give_empty_sums():
    errors = scored(np.zeros((0, 5, 2)), np.zeros((0, 5, 2)), np.zeros((0, 5), bool))
    assert len(errors) == 0
    assert errors.nme["bbox"].shape == (0,)


@pytest.mark.parametrize("index", [[2, 0], np.array([True, False, True])])
def test_take_keeps_every_field_in_step(index):
    rng = np.random.default_rng(1)
    truth, predicted = rng.uniform(0, 90, (2, 3, 5, 2))
    valid = rng.random((3, 5)) < 0.8
    rows = [2, 0] if isinstance(index, list) else [0, 2]
    names = {"ids": list("abc"), "group": list("xyx"), "convention": list("ffs"), "kind": list("123")}
    part = scored(predicted, truth, valid, **names).take(index)
    again = scored(predicted[rows], truth[rows], valid[rows], **{k: [v[i] for i in rows] for k, v in names.items()})
    for name in (*names, "sum_sq", "sum_sq_x", "sum_sq_y", "sum_abs", "count", "native_sum_sq"):
        np.testing.assert_array_equal(getattr(part, name), getattr(again, name))
    np.testing.assert_array_equal(part.point_sum_sq, again.point_sum_sq)
    np.testing.assert_array_equal(part.point_count, again.point_count)
    np.testing.assert_array_equal(part.nme["bbox"], again.nme["bbox"])
