"""Every model, dataset loader, detector and runtime that is registered, each beside the control net.

A new plugin is timed without a line here. `compare_runs.py` compares two runs of this file. With benchmarks switched
off, the fast ones are executed once, to show that they still run.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fkbench.datasets.access import resolve_settings
from fkbench.datasets.layout import has_pack
from fkbench.datasets.store import Store
from fkbench.detect import open_detector
from fkbench.registry import load_registry
from fkbench.runtimes.choosing import why_not
from fkbench.specs import DatasetSpec, DetectorSpec, ModelSpec, RuntimeSpec, resolve
from fkbench.timing import count_macs

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

from bench_control import beside_control

REGISTRY = load_registry()
EVERYTHING = os.environ.get("FKBENCH_BENCH_ALL") == "1"
LARGE_MACS = 300_000_000
BATCH, FACES = 8, 200
SLOW_TO_PREPARE = {"compile", "aot-inductor"}
NETS = [spec for spec in REGISTRY.buildable() if spec.kind == "net"]
PREDICTORS = [spec for spec in REGISTRY.buildable() if spec.kind == "predictor"]


def name_of(spec):
    return spec.name


def built(spec, outputs=30):
    if spec.lacking():
        pytest.skip(spec.lacking())
    channels, size = spec.input
    settings = resolve_settings("model", spec.settings, spec.reduced)
    with torch.device("meta"):
        try:
            macs = count_macs(
                resolve(spec.build)(channels, size, outputs, **spec.keywords(settings)), spec.input + spec.input[1:]
            )
        except Exception:  # nets that cannot be built without memory are built with it
            macs = 0
    if macs > LARGE_MACS and not EVERYTHING:
        pytest.skip(f"{macs / 1e6:.0f} million multiply-accumulates: FKBENCH_BENCH_ALL=1 times it")
    torch.manual_seed(0)
    return resolve(spec.build)(channels, size, outputs, **spec.keywords(settings)).eval()


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Rendered faces, as an embedded dataset gives them."""
    spec = next(spec for spec in REGISTRY.all(DatasetSpec) if spec.embedded)
    settings = resolve_settings("dataset", spec.settings, {"count": FACES})
    return resolve(spec.load)(Store(tmp_path_factory.mktemp("faces")), settings)


@pytest.mark.parametrize("spec", NETS, ids=name_of)
def test_bench_model(benchmark, spec):
    net, (channels, size) = built(spec), spec.input
    pictures = torch.rand(BATCH, channels, size, size)
    with torch.inference_mode():
        seconds = beside_control(benchmark, lambda: net(pictures))
    benchmark.extra_info["images_per_s"] = BATCH / seconds


@pytest.mark.parametrize("spec", PREDICTORS, ids=name_of)
def test_bench_predictor(benchmark, spec, faces):
    if spec.lacking():
        pytest.skip(spec.lacking())
    channels, size = spec.input
    pictures = np.random.default_rng(0).integers(0, 256, (100, channels, size, size), np.uint8)
    points = np.random.default_rng(1).uniform(0, size, (100, 15, 2)).astype(np.float32)
    predictor = resolve(spec.build)(**spec.keywords(resolve_settings("model", spec.settings, {})))
    predictor.fit(pictures, points, np.ones((100, 15), bool))
    seconds = beside_control(benchmark, lambda: predictor.predict(pictures[:BATCH]))
    benchmark.extra_info["images_per_s"] = BATCH / seconds


@pytest.mark.parametrize("spec", REGISTRY.all(DatasetSpec), ids=name_of)
def test_bench_dataset_loader(benchmark, spec, tmp_path):
    """Loading from an empty data folder for embedded sets (few faces); others have to be imported before."""
    data = Path(os.environ.get("FKBENCH_DATA") or tmp_path)
    if not all(has_pack(data, name) for name in spec.requires):
        pytest.skip("not imported into FKBENCH_DATA")
    given = {"count": FACES} if "count" in spec.settings else {}
    settings = resolve_settings("dataset", spec.settings, given)
    turn = iter(range(100))

    def load():
        store = Store(data) if spec.requires else Store(tmp_path / str(next(turn)))
        return resolve(spec.load)(store, settings)

    seconds = beside_control(benchmark, load, rounds=3)
    benchmark.extra_info["images_per_s"] = len(load().ids) / seconds


@pytest.mark.parametrize("spec", REGISTRY.all(DetectorSpec), ids=name_of)
def test_bench_detector(benchmark, spec, faces):
    if spec.find is None:
        pytest.skip("an oracle: its boxes are not looked for")
    if spec.unavailable():
        pytest.skip(spec.unavailable())
    finder = open_detector(spec, {}, None)
    picture = np.repeat(np.ascontiguousarray(faces.frames[0]), 3, axis=2)
    beside_control(benchmark, lambda: finder.find(picture))


@pytest.mark.parametrize("spec", REGISTRY.all(RuntimeSpec), ids=name_of)
def test_bench_runtime(benchmark, spec, request):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if why_not(spec, device.type):
        pytest.skip(why_not(spec, device.type))
    if spec.name in SLOW_TO_PREPARE and not request.config.getoption("benchmark_enable"):
        pytest.skip("compiles for minutes: only where benchmarks are switched on")
    net = built(REGISTRY.get(ModelSpec, "dfk"))
    ready = resolve(spec.prepare)(net, device)
    pictures = torch.rand(BATCH, 1, 96, 96, device=device)

    def call():
        with torch.inference_mode():
            return ready(pictures).cpu()

    seconds = beside_control(benchmark, call)
    benchmark.extra_info["images_per_s"] = BATCH / seconds


def test_the_comparison_sees_a_slow_down(tmp_path):
    import json

    from compare_runs import main

    assert importlib.util.find_spec("compare_runs")

    def run(name, ratios, drift=0.01):
        page = {"benchmarks": [{"name": key, "extra_info": {"ratio": value, "control_ms": [1.0], "drift": drift}}
                               for key, value in ratios.items()]}  # fmt: skip
        (tmp_path / name).write_text(json.dumps(page))
        return str(tmp_path / name)

    before = run("before.json", {"a": 1.0, "b": 2.0, "gone": 1.0})
    assert main([before, run("same.json", {"a": 1.1, "b": 1.9})]) == 0
    assert main([before, run("slow.json", {"a": 1.0, "b": 2.6})]) == 1
    assert main([before, run("noisy.json", {"a": 1.0, "b": 2.6}, drift=0.2)]) == 0
    assert main([before]) == 2
