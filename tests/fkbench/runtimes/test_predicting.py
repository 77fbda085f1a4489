"""A run that predicts through a runtime: the same points, its name in the answers, clear lines where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import fkbench
from fkbench.cli.main import main
from fkbench.errors import FkbenchError, RunFailedError
from fkbench.runner.loading import load_run
from fkbench.runtimes.predicting import in_few_sizes, prepared, run_under
from fkbench.specs import RuntimeSpec


@pytest.fixture
def loaded(place):
    from fkbench.registry import load_registry

    return load_run(place.net, load_registry([place.model]), torch.device("cpu"), place.root / "data")


@pytest.fixture
def pictures():
    return list(np.random.default_rng(0).integers(0, 255, (5, 40, 40), dtype=np.uint8))


def test_no_name_is_the_run_as_it_is(loaded):
    assert run_under(loaded, "") is loaded
    assert loaded.runtime == ""


@pytest.mark.parametrize("name", ["eager", "channels-last", "onnxruntime"])
def test_the_points_are_those_of_the_run(loaded, pictures, name):
    if name == "onnxruntime":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")
    under = run_under(loaded, name)
    assert under.runtime == name
    assert under.predictor.ready is not loaded.predictor.net
    assert loaded.predictor.ready is loaded.predictor.net
    np.testing.assert_allclose(under.predict(pictures), loaded.predict(pictures), atol=1e-3)


def test_the_runtime_computes_and_not_the_net(loaded, pictures):
    def prepare(net, device):
        return lambda images: torch.zeros(len(images), 30)

    spec = RuntimeSpec(name="nothing", summary="gives zeros", prepare=prepare)
    points = prepared(loaded, loaded.predictor, spec).predict(np.stack(pictures)[:, None])
    assert np.ptp(points) == 0
    assert np.ptp(loaded.predict(pictures)) > 0


@pytest.mark.parametrize("each_size", [False, True])
def test_few_sizes_are_prepared_where_each_is_prepared_anew_and_the_points_stay(loaded, each_size):
    seen = []

    def prepare(net, device):
        def run(images):
            seen.append(len(images))
            return net(images)

        return run

    spec = RuntimeSpec(name="sized", summary="notes sizes", prepare=prepare, each_size=each_size)
    under = prepared(loaded, loaded.predictor, spec)
    views = np.random.default_rng(1).integers(0, 255, (19, 1, 32, 32), dtype=np.uint8)
    counts = [1, 2, 3, 4, 5, 7, 9, 19]
    for count in counts:
        found = under.predict(views[:count])
        assert found.shape == (count, 15, 2)
        np.testing.assert_allclose(found, loaded.predictor.predict(views[:count]), atol=1e-4)
    assert seen == [1, *([1, 2, 4, 4, 8, 8, 16, 32] if each_size else counts)]


def test_whole_and_empty_batches_are_handed_on_as_they_are():
    given = []
    run = in_few_sizes(lambda images: given.append(images) or images)
    for count in (0, 1, 8):
        images = torch.zeros(count, 1, 2, 2)
        assert run(images) is given[-1] is images


def test_the_runtimes_that_prepare_each_size_say_so():
    from fkbench.registry import load_registry

    stated = {spec.name for spec in load_registry().all(RuntimeSpec) if spec.each_size}
    assert stated == {"compile", "cuda-graph"}


@pytest.mark.parametrize("name", ["all", "eager,channels-last", "eagre", ","])
def test_anything_else_than_one_known_name_is_refused(loaded, name):
    with pytest.raises(FkbenchError):
        run_under(loaded, name)


def test_a_runtime_of_another_device_is_refused(loaded):
    with pytest.raises(FkbenchError, match="cuda-graph' cannot be used here"):
        run_under(loaded, "cuda-graph")


def test_what_is_no_net_has_no_runtime(place):
    from fkbench.registry import load_registry

    mean = load_run(place.mean, load_registry(), torch.device("cpu"))
    with pytest.raises(FkbenchError, match="mean-shape is no net"):
        run_under(mean, "eager")


def test_a_runtime_that_fails_says_so_in_one_line(loaded):
    def prepare(net, device):
        raise RuntimeError("no such\noperation")

    with pytest.raises(RunFailedError, match="'odd' cannot execute smallnet: RuntimeError: no such operation"):
        prepared(loaded, loaded.predictor, RuntimeSpec(name="odd", summary="fails", prepare=prepare))


def test_python_loads_a_run_under_a_runtime(place, pictures):
    where = {"device": "cpu", "runs": place.root / "runs", "data": place.root / "data"}
    mean = fkbench.load(place.mean.path, **where)
    assert mean.predict(pictures).shape == (5, 15, 2)
    with pytest.raises(FkbenchError, match="no net"):
        fkbench.load(place.mean.path, **where, runtime="eager")


@pytest.mark.parametrize("found", [[], ["--detector", "haar"]])
def test_predict_states_the_runtime(place, capsys, tmp_path, found):
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((40, 40), 90, np.uint8))
    words = place.words("predict", place.net.key, str(path), *found, "--device", "cpu", "--json")
    assert main([*words, "--runtime", "channels-last"]) == 0
    assert json.loads(capsys.readouterr().out)["runtime"] == "channels-last"
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["runtime"] is None


def test_demo_states_the_runtime(place, capsys, tmp_path):
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((60, 80, 3), 90, np.uint8))
    out = Path(tmp_path, "o.avi")
    words = place.words("demo", "--run", place.net.key, "--source", str(tmp_path), "--out", str(out), "--device", "cpu")
    assert main([*words, "--detector", "haar", "--json", "--runtime", "eager"]) == 0
    assert json.loads(capsys.readouterr().out)["runtime"] == "eager"
    assert main([*words, "--detector", "haar", "--runtime", "quick"]) == 2
    assert "quick" in capsys.readouterr().err


def test_settings_without_a_detector_are_refused(place, capsys, tmp_path):
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((40, 40), 90, np.uint8))
    assert main(place.words("predict", place.net.key, str(path), "--set", "preset=dfk", "--device", "cpu")) == 2
    assert "--detector" in capsys.readouterr().err
