"""What a contribution may not bring beside what is published: seeds for another's row, other images, false claims."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fkbench.publishing.joining import joining_faults
from fkbench.records import ERRORS_FILE, PREDICTIONS_FILE, RunStore, read_errors, write_errors
from fkbench.registry import Registry
from fkbench.specs import ModelSpec, Plugin


@pytest.fixture
def registry():
    found = Registry()
    models = [
        ModelSpec(name="known", build=lambda **_: None),
        ModelSpec(name="family", build=lambda **_: None, member=lambda *_: None),
    ]
    found.add(models, Plugin("test", "1"))
    return found


@pytest.fixture
def base(tmp_path, put_in):
    """Three seeds of `net`, which are published."""
    store = RunStore(tmp_path / "base")
    return store, [put_in(store, "net", 2.0, seed) for seed in range(3)]


@pytest.fixture
def faults(tmp_path, base, registry, put_in):
    """Faults of a contribution of one run, which the arguments describe as `put_in` takes them."""

    def find(*values, then=lambda record: None, **changes):
        store = RunStore(tmp_path / "new")
        then(put_in(store, *values, **changes))
        return joining_faults(store.root, base[0].root, registry)

    return find


FAILED = {"status": "failed", "reason": "NaN", "metrics": {}, "timing": None}


@pytest.mark.parametrize(
    ("seed", "changes"), [(7, {}), (7, FAILED), (0, {"key": "0" * 16}), (0, {"key": "0" * 16, **FAILED})]
)
def test_nobody_adds_a_seed_to_a_published_row(faults, base, seed, changes):
    [fault] = faults("net", 3.0, seed, **changes)
    assert "row: it would join" in fault
    assert any(record.key in fault for record in base[1])


def test_a_seed_that_is_linked_by_what_the_net_computes_joins_the_row_too(tmp_path, base, faults, put_in):
    put_in(base[0], "net", 2.0, 5, probe={"out": 1}, model__source="sha256:before")
    [fault] = faults("net", 3.0, 7, probe={"out": 1}, model__source="sha256:after")
    assert "row: it would join" in fault


def test_a_seed_of_another_processor_joins_the_row_too(faults):
    [fault] = faults("net", 3.0, 7, device__name="Another CPU")
    assert "row: it would join" in fault


def test_the_same_seeds_and_more_of_another_processor_are_a_row_of_their_own(tmp_path, base, registry, put_in):
    store = RunStore(tmp_path / "new")
    for seed in range(5):
        put_in(store, "net", 3.0, seed, device__name="Another CPU")
    assert joining_faults(store.root, base[0].root, registry) == []


def test_code_that_links_two_published_rows_is_refused_though_it_joins_neither(tmp_path, base, registry, put_in):
    for seed in range(3):
        put_in(base[0], "net", 1.0, seed, model__source="sha256:after", probe={"out": 2}, key=f"{seed:016x}")
    before = base[1][0].model.source
    store = RunStore(tmp_path / "new")
    put_in(store, "net", 3.0, 0, device__name="Another CPU", model__source=before, probe={"out": 2})
    [fault] = joining_faults(store.root, base[0].root, registry)
    assert "row: it would join or change" in fault


def test_the_key_of_another_models_published_result_is_no_way_into_a_row(base, faults, put_in):
    other = put_in(base[0], "mean", 9.0, model__role="baseline")
    [fault] = faults("net", 3.0, 7, key=other.key, **FAILED)
    assert "row: it would join or change" in fault


def test_nobody_takes_a_seed_out_of_a_row_of_two_processors(tmp_path, base, registry, put_in):
    put_in(base[0], "net", 2.0, 3, device__name="Another CPU")
    store = RunStore(tmp_path / "new")
    for seed in (1, 4, 5, 6, 7):  # more seeds than the row has, and none of the other processor's
        put_in(store, "net", 3.0, seed, device__name="A third CPU")
    assert len(joining_faults(store.root, base[0].root, registry)) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"device__type": "cuda"},
        {"model__source": "sha256:other"},
        {"model__settings": {"width": 2.0}},
        {"protocol__overrides": {"lr": 1}},
        {"dataset__split": "another"},
        {"engine": 1},
    ],
)
def test_a_row_of_its_own_and_another_model_are_welcome(faults, changes):
    assert faults("net", 3.0, 7, **changes) == []
    assert faults("mynet", 1.0, 0) == []


def test_the_published_result_itself_and_the_first_of_all_are_left_to_merging(tmp_path, base, registry):
    assert joining_faults(base[0].root, base[0].root, registry) == []
    assert joining_faults(base[0].root, tmp_path / "nothing", registry) == []


def fewer(record):
    """The same errors of ten images alone."""
    path = Path(record.path) / ERRORS_FILE
    write_errors(path, read_errors(path).take(np.arange(10)))


def regrouped(record):
    path = Path(record.path) / ERRORS_FILE
    errors = read_errors(path)
    write_errors(path, replace(errors, group=errors.ids))


@pytest.mark.parametrize("change", [fewer, regrouped])
def test_results_on_other_images_than_the_boards_are_refused(faults, change):
    [fault] = faults("mynet", 1.0, 0, then=change)
    assert "images: it is scored on other images" in fault


def test_the_baselines_say_which_images_a_board_is_of(base, faults, put_in):
    fewer(put_in(base[0], "mean", 9.0, model__role="baseline"))
    assert faults("mynet", 1.0, 0, then=fewer) == []
    assert "images" in faults("other", 1.0, 0)[0]


def test_a_board_of_other_data_does_not_take_the_name_of_a_published_one(faults):
    [fault] = faults("mynet", 1.0, 0, dataset__fingerprint="sha256:0123456799")
    assert "board: faces-honest-fair-v1-whole-01234567 is published" in fault
    [fault] = faults("mynet", 1.0, 0, box_settings={"pad": 0.1})
    assert "other settings of the box" in fault


CONTRADICTIONS = {
    "counts": {"dataset__counts": {"test": 48, "train": 9}},
    "official": {"dataset__official": {"labels": False, "pixels": None}},
    "leaks": {"dataset__leaks": {"groups": {"both_sides": 3, "total": 9, "test_share": 1.0}}},
    "flag leaky": {"flags": ["leaky"]},
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
@pytest.mark.parametrize("state", [{}, FAILED])
def test_what_is_said_of_the_data_is_what_is_published_whether_the_run_has_finished_or_not(faults, name, state):
    assert faults("mynet", 1.0, 0, **state) == []
    [fault] = faults("other", 1.0, 0, **{**state, **CONTRADICTIONS[name]})
    assert f"dataset: its {name} differ from what is published on its board" in fault


def test_the_baselines_say_what_the_data_of_a_board_are(base, faults, put_in):
    put_in(base[0], "mean", 9.0, model__role="baseline")
    put_in(base[0], "liar", 9.0, **CONTRADICTIONS["counts"])
    assert "dataset: its counts" in faults("mynet", 1.0, 0, **CONTRADICTIONS["counts"])[0]


@pytest.mark.parametrize("state", [{}, FAILED])
def test_a_record_brings_no_baselines_of_its_own(base, faults, put_in, state):
    put_in(base[0], "mean", 9.0, model__role="baseline", baseline={})
    assert faults("mynet", 1.0, 0, baseline={"mean": {"rmse": 9.0}}, **state) == []
    [fault] = faults("other", 1.0, 0, baseline={"best-of-all": {"rmse": 0.1}}, **state)
    assert "baseline: best-of-all is none that is known here or published on its board" in fault


def test_nothing_is_of_a_later_engine(faults):
    [fault] = faults("mynet", 1.0, 0, engine=99)
    assert "engine: it states version 99" in fault


@pytest.mark.parametrize("name", ["known", "family:small"])
@pytest.mark.parametrize("claim", [{"model__deterministic": True}, {"model__role": "baseline"}])
def test_a_known_model_is_what_the_program_knows_of_it(faults, name, claim):
    [fault] = faults(name, 1.0, 0, **claim)
    assert f"model: {name.partition(':')[0]} has the role entry and is not deterministic" in fault


def test_only_a_known_model_is_a_baseline_and_any_may_be_without_randomness(faults):
    assert faults("unknown", 1.0, 0, model__deterministic=True) == []
    [fault] = faults("other", 1.0, 0, model__role="baseline")
    assert "said to be a baseline" in fault


def test_damaged_files_are_left_to_merging(faults):
    assert faults("mynet", 1.0, 0, then=lambda record: (Path(record.path) / ERRORS_FILE).write_bytes(b"")) == []
    assert faults("other", 1.0, 0, then=lambda record: (Path(record.path) / PREDICTIONS_FILE).unlink()) == []
