"""The key that a record's own plan has: the runner's key to the digit, and none where the plan cannot be known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fkbench.errors import FkbenchError
from fkbench.protocols import PROTOCOLS
from fkbench.publishing import planned
from fkbench.publishing.planned import key_fault, planned_keys
from fkbench.publishing.verifying import verify
from fkbench.records import ResultStore, RunRecord, plan_key
from fkbench.registry import Registry, load_registry
from fkbench.runner.page import box_page
from fkbench.runner.plan import Request, make_plan, resolve_recipe, sized_request
from fkbench.specs import DatasetSpec, DetectorSpec, ModelSpec, Plugin, Setting


def absent(*_):
    raise FkbenchError("These data are not here.")


OWN = Path(__file__).resolve().parents[3] / "leaderboards"
NET = ModelSpec(name="net", build=lambda **_: None, input=(3, 64), settings={"width": Setting(1.5, "w")})
FAMILY_SETTINGS = {"input_channels": Setting(1, "c"), "input_size": Setting(96, "s")}
FAMILY = ModelSpec(name="many", build=lambda **_: None, member=lambda *_: None, settings=FAMILY_SETTINGS)
MEMBER = replace(FAMILY, name="many:one", member=None)
FITTED = ModelSpec(name="mean", build=lambda **_: None, kind="predictor", deterministic=True)
DATA = DatasetSpec(name="faces", scheme="face15", load=absent, scoring="face224", margin=0.2,
                   settings={"count": Setting(10, "n")})  # fmt: skip
FRAME = {"name": "frame", "settings": {}, "jitter": 0.05}
FOUND = {"name": "finder", "settings": {"least": 2}, "jitter": 0.0, "correction": {"scale": 1.1, "dx": 0.0, "dy": 0.1}}


@pytest.fixture
def registry():
    found = Registry()
    boxes = [
        DetectorSpec(name="frame", boxes=lambda *_: None),
        DetectorSpec(name="finder", find=lambda **_: None, settings={"least": Setting(1, "l")}),
    ]
    found.add([NET, FAMILY, FITTED, DATA, *boxes], Plugin("test", "1"))
    return found


def run_of(spec, box=FRAME, device="cpu", precision="fp32", parent=None, **settings) -> RunRecord:
    """The record of a run that was planned as the runner does it."""
    request = sized_request(Request(spec, DATA, PROTOCOLS["uniform"], settings=settings))
    recipe, overrides = resolve_recipe(request)
    plan = make_plan(
        request, recipe=recipe, overrides=overrides, fingerprint="sha256:0123", split=("honest/2", 3), box=box,
        device_type=device, precision=precision, seed=4, parent=parent,
    )  # fmt: skip
    page = {
        "key": plan_key(plan), "status": "done", "seed": plan["seed"], "engine": plan["engine"], "parent": parent,
        "model": {"name": spec.name, "settings": plan["model"]["settings"]},
        "dataset": {k: plan["dataset"][k] for k in ("name", "settings", "fingerprint", "split", "split_version")},
        "protocol": {**plan["protocol"], "recipe": plan["protocol"]["recipe"] or {}},
        "box": box["name"], "box_settings": box_page(box), "device": {"type": plan["device_type"]},
    }  # fmt: skip
    return RunRecord.model_validate(page)


RUNS = {
    "net": run_of(NET),
    "changed": run_of(NET, protocol={"lr": "0.01", "augmentation.flip": "0"}, model={"width": "2"}),
    "predictor": run_of(FITTED, dataset={"count": 7}),
    "member": run_of(MEMBER, model={"input_size": "128"}),
    "detector": run_of(NET, box=FOUND),
    "extended": run_of(NET, parent="0" * 16),
    "GPU, bf16": run_of(NET, device="cuda", precision="bf16"),
    "GPU, fp32": run_of(NET, device="cuda", precision="fp32"),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_key_is_the_runners(registry, name):
    record = RunRecord.model_validate(RUNS[name].to_json())
    keys = planned_keys(record, registry)
    assert record.key in keys
    assert len(keys) == (2 if record.device.type == "cuda" else 1)
    assert key_fault(record, registry) == ""


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("key", "0" * 16),
        ("seed", 5),
        ("model.settings", {"width": 3.0}),
        ("dataset.fingerprint", "sha256:0124"),
        ("dataset.split", "honest"),
        ("protocol.recipe", {**RUNS["net"].protocol.recipe, "images_seen": 1}),
        ("protocol.overrides", {"lr": 1.0}),
        ("box_settings", {"jitter": 0.0}),
        ("device.type", "tpu"),
        ("parent", "1" * 16),
    ],
)
def test_a_record_of_another_plan_than_its_keys_is_found(registry, part, value):
    page = RUNS["net"].to_json()
    owner, _, name = part.rpartition(".")
    (page[owner] if owner else page)[name] = value
    assert key_fault(RunRecord.model_validate(page), registry).startswith("key: it is ")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("engine", 1),
        ("engine", None),
        ("model.name", "unknown"),
        ("model.name", "net:member"),
        ("model.name", "many:one"),  # of settings that do not say what it sees
        ("dataset.name", "others"),
        ("box", "unknown"),
        ("model.settings", {"input_size": "96"}),
        ("model.settings", {"input_size": -1}),
        ("dataset.settings", {"file": "(path)"}),
    ],
)
def test_nothing_is_said_of_a_plan_that_cannot_be_known(registry, part, value):
    page = RUNS["net"].to_json()
    owner, _, name = part.rpartition(".")
    (page[owner] if owner else page)[name] = value
    assert key_fault(RunRecord.model_validate(page), registry) == ""


def test_verify_names_it(registry, put, tmp_path):
    """By the key of any run, and by that of the plan which it states."""
    plan = {name: getattr(RUNS["net"], name) for name in ("dataset", "protocol", "box", "box_settings", "engine")}
    model = RUNS["net"].model.model_copy(update={"source": "unknown"})
    record = put("net", 2.0).model_copy(update={"model": model, **plan})
    assert any(line.startswith("key: ") for line in verify(record, registry, tmp_path).mismatches)
    fine = record.model_copy(update={"key": next(iter(planned_keys(record, registry)))})
    assert verify(fine, registry, tmp_path).mismatches == []


def test_where_the_models_code_is_another_one_now_it_is_a_note(registry, put, tmp_path, monkeypatch):
    monkeypatch.setattr(planned, "source_digest", lambda spec: "sha256:02")
    plan = {name: getattr(RUNS["net"], name) for name in ("dataset", "protocol", "box", "box_settings", "engine")}
    model = RUNS["net"].model.model_copy(update={"source": "sha256:01"})
    found = verify(put("net", 2.0).model_copy(update={"model": model, **plan}), registry, tmp_path)
    assert found.mismatches == []
    assert any(line.startswith("key: ") for line in found.notes)


def test_all_published_keys_of_this_repository_come_out():
    registry, records = load_registry(), ResultStore(OWN).records()
    assert records
    assert [fault for record in records if (fault := key_fault(record, registry))] == []
    if any(record.engine == 2 for record in records):
        assert all(planned_keys(record, registry) for record in records if record.engine == 2)
