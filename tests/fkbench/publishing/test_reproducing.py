"""Drift of a new training against the spread of seeds: the rules, what was not the same, and hostile records."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fkbench.errors import FkbenchError
from fkbench.protocols import PROTOCOLS
from fkbench.publishing.reproducing import differing, drifts, refuse_failed, reproduced, siblings
from fkbench.publishing.retraining import checked_recipe, request_of
from fkbench.records import Verification, subject_of, verification_of, write_verification
from fkbench.records.plain import plain
from fkbench.registry import load_registry


def with_rmse(record, rmse, **changes):
    return record.model_copy(update={"metrics": {"rmse": rmse, "mae": rmse / 2, "by_point": [1.0]}, **changes})


@pytest.fixture
def one(put):
    return put("net", 2.0)


def first(record, again, others=()):
    return drifts(record, again, others)[0]


def test_equal_numbers_are_reproduced_without_any_spread(one):
    found = first(with_rmse(one, 2.0), [with_rmse(one, 2.000001)])
    assert (found.exact, found.within, found.rule, found.limit) == (True, True, "exact", None)
    assert [drift.metric for drift in drifts(with_rmse(one, 2.0), [with_rmse(one, 2.0)], [])] == ["rmse", "mae"]


@pytest.mark.parametrize("recorded", [2.0, 9.99998, 0.123456, 123456.0])
def test_one_unit_of_the_last_recorded_digit_is_a_difference(one, recorded):
    unit = 10.0 ** (math.floor(math.log10(recorded)) - 5)
    for value in (recorded + unit, recorded - unit):
        found = first(with_rmse(one, recorded), [with_rmse(one, value)])
        assert (found.exact, found.within) == (False, None)
    assert first(with_rmse(one, recorded), [with_rmse(one, recorded + unit / 4)]).exact


def test_without_a_spread_other_numbers_are_not_decided(one):
    found = first(with_rmse(one, 2.0), [with_rmse(one, 2.1)], [with_rmse(one, 2.2)])
    assert (found.exact, found.within) == (False, None)
    assert found.drift == pytest.approx(0.1)


def test_other_seeds_of_the_row_are_the_yardstick(one):
    others = [with_rmse(one, value) for value in (2.0, 2.01, 2.02)]
    limit = 4.302653 * 0.01 * math.sqrt(2)  # t(.975, 2); s of the three is .01
    found = first(with_rmse(one, 2.0), [with_rmse(one, 2.0 + 0.99 * limit)], others)
    assert (found.rule, found.within) == ("recorded seeds", True)
    assert found.limit == pytest.approx(limit, rel=1e-5)
    assert first(with_rmse(one, 2.0), [with_rmse(one, 2.0 - 1.01 * limit)], others).within is False


@pytest.mark.parametrize("drift", [0.0001, 0.9, 9.0])
def test_two_other_seeds_decide_nothing(one, drift):
    others = [with_rmse(one, value) for value in (2.0, 2.05)]  # 18 times their spread is .64, a third of the score
    found = first(with_rmse(one, 2.0), [with_rmse(one, 2.0 + drift)], others)
    assert (found.rule, found.limit, found.within) == ("exact", None, None)


@pytest.mark.parametrize("own", [False, True])
def test_a_limit_beyond_a_tenth_of_the_score_confirms_nothing_and_refutes(one, own):
    """A record of the mean face could be within it of a net's."""
    wide, narrow = ([with_rmse(one, 2.0 + step * i) for i in (-1, 0, 1)] for step in (0.05, 0.02))
    for spread, near in ((wide, None), (narrow, True)):
        again = spread if own else [with_rmse(one, 2.01)]
        others = [] if own else spread
        assert first(with_rmse(one, 2.02), again, others).within is near
        assert first(with_rmse(one, 9.0), [with_rmse(one, 2.01), *again[1:]], others).within is False


def test_trainings_of_ones_own_go_before_recorded_seeds(one):
    own = [with_rmse(one, value) for value in (3.0, 3.1, 3.2)]
    wide = [with_rmse(one, value) for value in (1.0, 9.0)]
    found = first(with_rmse(one, 2.0), own, wide)
    assert (found.rule, found.within) == ("trained here", False)
    assert found.drift == pytest.approx(1.1)
    assert found.limit == pytest.approx(4.302653 * 0.1 * math.sqrt(1 + 1 / 3), rel=1e-5)


def test_a_model_without_randomness_has_no_spread_but_rounding(one):
    model = one.model.model_copy(update={"deterministic": True})
    others = [with_rmse(one, value) for value in (1.0, 9.0)]
    record = with_rmse(one, 2.0, model=model)
    assert first(record, [with_rmse(one, 2.0015)], others).within is True
    assert first(record, [with_rmse(one, 2.0025)], others).within is False


@pytest.mark.parametrize(("own", "recorded"), [(1, 3), (1, 4), (3, 0), (5, 0)])
def test_honest_results_pass_19_times_in_20(own, recorded):
    """The rules themselves, on draws from one normal distribution."""
    from fkbench.publishing.reproducing import _drift

    class Record:
        class model:  # noqa: N801
            deterministic = False

        def __init__(self, value):
            self.value = value

        def metric(self, name):
            return self.value

    draws = np.random.default_rng(5).normal(2.0, 0.002, (3000, 1 + own + recorded))
    passed = [
        _drift("rmse", Record(row[0]), [*map(Record, row[1 : 1 + own])], [*map(Record, row[1 + own :])]).within
        for row in draws.tolist()
    ]
    assert np.mean(passed) == pytest.approx(0.95, abs=0.015)


def test_siblings_are_the_other_seeds_of_the_row(put, store):
    one = put("net", 1.0, 0)
    put("net", 1.0, 1)
    put("net", 1.0, 2, status="failed", reason="no", metrics={})
    put("other", 1.0, 3)
    put("net", 1.0, 4, device={"type": "cuda", "name": "GPU"})
    put("net", 1.0, 5, protocol__overrides={"lr": "1"})
    assert [record.seed for record in siblings(one, store.records())] == [1]
    assert siblings(one, []) == []


def test_what_was_not_the_same_is_listed(one):
    versions = {"torch": "2.8", "numpy": "2.0"}
    environment = one.environment.model_copy(update={"versions": versions, "python": "CPython 3.12"})
    other = one.model_copy(update={"environment": environment, "key": "ab" * 8})
    found = {what: (a, b) for what, a, b in differing(one, other)}
    assert found["torch"] == ("none", "2.8")
    assert found["plan"] == (one.key, "ab" * 8)
    assert differing(one, one) == []
    there = one.model_copy(update={"device": one.device.model_copy(update={"layout": "channels_last"})})
    assert differing(one, there) == [("layout", "none", "channels_last")]
    changed = one.model_copy(update={"model": one.model.model_copy(update={"source": "sha256:x"}), "probe": {"a": 1}})
    assert [what for what, _, _ in differing(one, changed)] == ["model's code"]
    assert [what for what, _, _ in differing(one.model_copy(update={"probe": {"a": 1}}), changed)] == [
        "model's code (it computes the same)"
    ]


def test_what_was_reproduced_outlives_a_lesser_check_but_no_failed_one(one):
    write_verification(one, reproduced(one))
    page = {"key": one.key, "subject": subject_of(one), "mismatches": []}
    write_verification(one, Verification(**page, level="arithmetic checked"))
    assert verification_of(one).level == "reproduced"
    refuse_failed(one)
    write_verification(one, Verification(**{**page, "mismatches": ["rmse: off"]}, level="arithmetic checked"))
    assert verification_of(one).mismatches == ["rmse: off"]
    with pytest.raises(FkbenchError, match="rmse: off"):
        refuse_failed(one)


RECIPE = plain(PROTOCOLS["smoke"].recipe)


def test_a_recorded_recipe_is_read_as_it_was():
    assert checked_recipe(RECIPE) == PROTOCOLS["smoke"].recipe


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch": "many"}, "batch"),
        ({"batch": -5}, "batch is -5"),
        ({"lr": 0.0}, "lr is 0"),
        ({"codec": {"kind": "pickle"}}, "codec.kind"),
        ({"epochs": -1}, "below zero"),
        ({"optimiser": "os.system"}, "optimiser"),
        ({"nonsense": 1}, "unknown setting 'nonsense'"),
    ],
)
def test_a_recipe_that_nobody_could_have_asked_for_is_refused(change, said):
    with pytest.raises(FkbenchError) as error:
        checked_recipe({**RECIPE, **change})
    assert said in str(error.value)


def test_records_of_others_execute_no_files_and_name_only_what_is_registered(one, tmp_path):
    evil = tmp_path / "evil.py"
    evil.write_text("from pathlib import Path\nPath('ran').touch()\n")
    registry = load_registry()
    protocol = one.protocol.model_copy(update={"name": "smoke", "version": 0, "recipe": RECIPE})
    model = one.model.model_copy(update={"name": "dfk", "settings": {}})
    asked = {"seeds": [0], "device": "cpu"}
    for name in (str(evil), "evil.toml"):
        dataset = one.dataset.model_copy(update={"name": name})
        record = one.model_copy(update={"model": model, "dataset": dataset, "protocol": protocol})
        with pytest.raises(FkbenchError, match="names the file"):
            request_of(record, registry, tmp_path, **asked)
    assert not (tmp_path / "ran").exists()
    for name in (str(evil), "nobodys"):
        record = one.model_copy(update={"model": one.model.model_copy(update={"name": name})})
        with pytest.raises(FkbenchError, match="is not registered here"):
            request_of(record, registry, tmp_path, **asked)
    dataset = one.dataset.model_copy(update={"name": "synthetic15", "split": "index"})
    lie = protocol.model_copy(update={"overrides": {"lr": "0.5"}})
    record = one.model_copy(update={"model": model, "dataset": dataset, "protocol": lie, "box": "frame"})
    with pytest.raises(FkbenchError, match="contradicts itself"):
        request_of(record, registry, tmp_path, **asked)
    request = request_of(record.model_copy(update={"protocol": protocol}), registry, tmp_path, **asked)
    assert (request.model.name, request.protocol.recipe, request.seeds) == ("dfk", PROTOCOLS["smoke"].recipe, (0,))
