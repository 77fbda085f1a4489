"""One registry-driven test for every plugin: adding a model or dataset adds no test file."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fkbench.datasets.boxes import find_boxes
from fkbench.datasets.samples import Frames, Samples
from fkbench.records import safe_name
from fkbench.registry import KINDS, load_registry
from fkbench.runner.fit import build_net, make_predictor
from fkbench.schemes import SCHEMES
from fkbench.specs import DatasetSpec, DetectorSpec, ModelSpec, Recipe, resolve
from fkbench.train.codecs import make_codec

REGISTRY = load_registry()
SPECS = [spec for kind in KINDS.values() for spec in REGISTRY.all(kind)]
NETS = [spec for spec in REGISTRY.buildable() if spec.kind == "net" and spec.unavailable() is None]
PREDICTORS = [spec for spec in REGISTRY.all(ModelSpec) if spec.kind == "predictor"]
DATASETS = REGISTRY.all(DatasetSpec)
DETECTORS = [spec for spec in REGISTRY.all(DetectorSpec) if spec.role == "oracle"]


def name_of(spec):
    return spec.name


def defaults(spec):
    return {name: setting.default for name, setting in spec.settings.items()}


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_every_spec_says_what_it_is_in_one_safe_line(spec):
    assert spec.name == safe_name(spec.name)
    assert spec.summary
    assert "\n" not in spec.summary
    assert all(setting.help for setting in spec.settings.values())


@pytest.mark.parametrize("spec", DATASETS, ids=name_of)
def test_every_dataset_names_a_scheme_splits_boxes_and_terms(spec):
    assert spec.scheme in SCHEMES
    names = [split.name for split in spec.splits]
    assert len(set(names)) == len(names) > 0
    for protocol in ("uniform", "article", "smoke"):
        assert spec.default_split(protocol) in names
        assert spec.default_box(protocol) in spec.boxes
    assert not next(split for split in spec.splits if split.name == spec.default_split("uniform")).leaky
    assert spec.terms.licence not in {"", "unknown"}
    assert spec.ways
    for ref in (spec.load, spec.split, spec.importer, spec.acquire):
        assert ref is None or callable(resolve(ref))


@pytest.mark.parametrize("spec", NETS, ids=name_of)
@pytest.mark.parametrize("points", [15, 68])
def test_every_net_fits_any_scheme_and_trains(spec, points):
    channels, size = spec.input
    codec, chosen = make_codec(Recipe().codec, size), {**defaults(spec), **spec.reduced}
    net = build_net(spec, chosen, codec.outputs(points), seed=0)
    again = build_net(spec, chosen, codec.outputs(points), seed=0)
    for one, two in zip(net.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, two)  # fresh weights depend on the seed alone
    images = torch.rand(4, channels, size, size, generator=torch.Generator().manual_seed(0))
    targets, valid = torch.rand(4, points, 2) * size, torch.ones(4, points, dtype=torch.bool)
    net.train()
    codec.loss(net(images), targets, valid).backward()
    unused = [name for name, value in net.named_parameters() if value.grad is None or not value.grad.isfinite().all()]
    assert unused == []
    net.eval()
    with torch.inference_mode():
        together, alone = net(images), net(images[:1])
    torch.testing.assert_close(together[:1], alone, atol=1e-4, rtol=1e-3)  # the batch does not change an answer
    copy = build_net(spec, chosen, codec.outputs(points), seed=1)
    copy.load_state_dict(net.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(copy.eval()(images), together)


@pytest.mark.parametrize("spec", PREDICTORS, ids=name_of)
def test_every_predictor_fits_with_gaps_and_comes_back_from_its_state(spec):
    channels, size = spec.input
    source = np.random.default_rng(0)
    images = source.integers(0, 256, (40, channels, size, size), dtype=np.uint8)
    points = source.uniform(0, size, (40, 15, 2)).astype(np.float32)
    valid = source.random((40, 15)) > 0.2
    valid[:, 3] = True
    points[~valid] = np.nan
    fitted, fresh = make_predictor(spec, defaults(spec)), make_predictor(spec, defaults(spec))
    fitted.fit(images, points, valid)
    predicted = fitted.predict(images)
    assert predicted.shape == (40, 15, 2)
    assert np.isfinite(predicted).all()
    assert all(isinstance(array, np.ndarray) for array in fitted.state().values())
    fresh.restore(fitted.state())
    np.testing.assert_array_equal(fresh.predict(images), predicted)


@pytest.mark.parametrize("spec", DETECTORS, ids=name_of)
def test_every_oracle_gives_a_square_around_the_face(spec):
    frames = Frames.pack([np.zeros((60, 90, 3), np.uint8), np.zeros((50, 40, 3), np.uint8)])
    points = np.array([[[20, 20], [40, 30]], [[5, 9], [30, 40]]], np.float32)
    boxes, missed = find_boxes(spec, Samples(("a", "b"), frames, points, ("a", "b"), ""), defaults(spec))
    assert boxes.shape == (2, 4)
    assert not missed.any()
    assert (boxes[:, 2] == boxes[:, 3]).all()
    assert (boxes[:, :2] <= points.min(axis=1)).all()
    assert (boxes[:, :2] + boxes[:, 2:] >= points.max(axis=1)).all()
