"""Errors per image by anyone: what no predictions could have given is refused, what honest files hold is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fkbench.publishing.form import fault_of_errors, fault_of_published
from fkbench.publishing.verifying import verify
from fkbench.records import ERRORS_FILE, ResultStore, encode_errors, read_errors, write_errors
from fkbench.registry import Registry
from fkbench.score import ImageErrors, image_errors

OWN = Path(__file__).resolve().parents[3] / "leaderboards"
SUMS = ("sum_sq", "sum_sq_x", "sum_sq_y", "sum_abs", "point_sum_sq", "native_sum_sq")


def errors_of(away: float, points: int = 68, scale: float = 2.3) -> ImageErrors:
    """Of 20 images whose points are wrong by about `away` native pixels; a tenth of them is not labelled."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 1, (20, points, 2))
    return image_errors(
        truth + rng.normal(0, away, truth.shape), truth, rng.random((20, points)) > 0.1, scale=scale,
        normalisers={"inter_ocular": ((0,), (1,))}, ids=[f"i{i}" for i in range(20)], group=["g"] * 20,
    )  # fmt: skip


@pytest.mark.parametrize("away", [0.0, 1e-7, 1.0, 300.0, 130_000.0])
@pytest.mark.parametrize("compact", [False, True])
def test_whatever_predictions_give_is_no_fault_as_it_is_written_and_as_it_is_published(tmp_path, away, compact):
    (tmp_path / "e").write_bytes(encode_errors(errors_of(away, scale=180.0 if away > 1e5 else 2.3), compact=compact))
    assert fault_of_errors(read_errors(tmp_path / "e")) == ""


@pytest.mark.parametrize("name", SUMS)
def test_sums_so_great_that_a_test_of_them_would_overflow_are_a_fault(name):
    errors = errors_of(1.0)
    values = getattr(errors, name).copy()
    values.flat[np.flatnonzero(values)[0]] = 1e160
    assert "greater than predicted points can be wrong" in fault_of_errors(replace(errors, **{name: values}))


@pytest.mark.parametrize("name", ["sum_sq", "sum_sq_x", "sum_sq_y", "point_sum_sq"])
def test_sums_that_are_not_those_of_their_parts_are_a_fault(name):
    errors = errors_of(1.0)
    assert "not the sums of their parts" in fault_of_errors(replace(errors, **{name: getattr(errors, name) * 1.0001}))
    assert fault_of_errors(replace(errors, **{name: getattr(errors, name) * (1 + 1e-7)})) == ""


@pytest.mark.parametrize("value", [-0.1, np.inf, 1e30])
def test_an_nme_that_cannot_be_is_a_fault_and_one_that_is_unknown_is_none(value):
    errors = errors_of(1.0)
    assert np.isnan(errors.nme["inter_ocular"]).any()
    wrong = np.where(np.arange(20) == 3, value, errors.nme["inter_ocular"])
    assert "NME" in fault_of_errors(replace(errors, nme={**errors.nme, "inter_ocular": wrong}))


def test_verify_computes_nothing_from_errors_that_cannot_be(put, tmp_path):
    record = put("net", 2.0)
    path = Path(record.path) / ERRORS_FILE
    errors = read_errors(path)
    write_errors(path, replace(errors, sum_sq=errors.sum_sq * 1e160))
    found = verify(record, Registry(), tmp_path)
    assert any("greater than predicted points" in line for line in found.mismatches)
    assert found.level == "self-reported"
    assert not found.lines


def test_the_published_results_of_this_repository_hold():
    records = ResultStore(OWN).records()
    assert records
    assert {record.path: fault for record in records if (fault := fault_of_published(record))} == {}
