"""A whole session: what it reports, when it is void, what is fed."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch
from torch import nn

from fkbench.timing import TIMING_VERSION, inputs, session, time_model
from fkbench.timing.clock import Clock
from fkbench.timing.control import DRIFT_LIMIT, Control
from fkbench.timing.inputs import InputPool, input_pool, noise_like
from fkbench.timing.memory import peak_memory
from fkbench.timing.plan import FULL, Plan

CPU = torch.device("cpu")
SHORT = Plan(rounds=2, calls=8, latency_s=0.5, repetitions=4, repetition_s=0.002, control_s=0.002, warm_up_s=0.0,
             slowest_batch_s=0.5, attempts=1)  # fmt: skip
VIEWS = torch.from_numpy(np.random.default_rng(0).integers(0, 200, (20, 1, 16, 16), np.uint8))


def points_of(views):
    return views.float().mean((1, 2, 3))[:, None, None].expand(-1, 3, 2)


@pytest.fixture(autouse=True)
def small_cache(monkeypatch):
    monkeypatch.setattr(inputs, "last_level_cache", lambda device: 16_000)


@pytest.fixture
def steady(monkeypatch):
    """A control that never drifts, or as told."""

    def of(blocks):
        turn = iter(blocks)
        monkeypatch.setattr(Control, "warm_up", lambda self, seconds: None)
        monkeypatch.setattr(Control, "measure", lambda self, seconds: self.blocks.append(next(turn)))

    of([1.0] * 100)
    return of


def test_record_has_the_contract_keys_and_is_json(steady):
    found = time_model(points_of, VIEWS, device="cpu", batch=8, plan=SHORT)
    assert found["version"] == TIMING_VERSION == 1
    assert found["latency_ms"]["p50"] <= found["latency_ms"]["p90"] <= found["latency_ms"]["p99"]
    assert found["latency_calls"] == 8
    assert found["repetitions"] == 4
    low, high = found["infer_images_per_s_iqr"]
    assert 0 < low <= found["infer_images_per_s"] <= high
    assert found["end_to_end_images_per_s"] == found["infer_images_per_s"]
    assert found["copies"]["latency_ms"].startswith("none")
    assert (found["batch"], found["precision"], found["quick"]) == (8, "fp32", False)
    assert (found["void"], found["void_reason"]) == (False, None)
    assert found["device"]["type"] == "cpu"
    assert found["threads"]["intra_op"] == torch.get_num_threads()
    assert found["peak_memory_mib"] >= 0
    assert "resident set" in found["peak_memory_of"]
    assert set(found["versions"]) >= {"torch", "python"}
    json.dumps(found, allow_nan=False)


def test_the_contract_asks_for_a_thousand_calls():
    assert FULL.calls >= 1000


def test_a_slow_model_is_measured_as_slow(steady):
    def slow(views):
        time.sleep(0.003)
        return points_of(views)

    found = time_model(slow, VIEWS, device="cpu", batch=4, plan=SHORT)
    assert found["latency_ms"]["p50"] >= 3.0
    assert found["infer_images_per_s"] <= 4 / 0.003


@pytest.mark.parametrize(("blocks", "void"), [([1.0, 1.04, 1.0], False), ([1.0, 1.03, 0.97], True)])
def test_void_on_drift(steady, blocks, void):
    steady(blocks)
    found = time_model(points_of, VIEWS, device="cpu", batch=4, plan=SHORT)
    assert found["void"] is void
    assert found["control"]["blocks_ms"] == blocks
    assert found["control"]["limit"] == DRIFT_LIMIT
    assert (found["void_reason"] is None) is not void
    if void:
        assert "6.0%" in found["void_reason"]


def test_void_session_is_given_up_and_begun_again(steady):
    # The first attempt drifts at its second block and is left there; the second one is quiet.
    steady([1.0, 1.5, 2.0, 2.0, 2.0])
    plan = Plan(**{**vars(SHORT), "attempts": 3})
    found = time_model(points_of, VIEWS, device="cpu", batch=4, plan=plan)
    assert found["control"]["blocks_ms"] == [2.0, 2.0, 2.0]
    assert (found["control"]["attempts"], found["void"]) == (2, False)
    assert found["latency_calls"] == 8


def test_last_attempt_is_carried_out_whole_even_if_void(steady):
    steady([1.0, 1.5, 1.0, 1.5, 1.0])
    found = time_model(points_of, VIEWS, device="cpu", batch=4, plan=Plan(**{**vars(SHORT), "attempts": 2}))
    assert (found["control"]["attempts"], found["void"], found["latency_calls"]) == (2, True, 8)


def test_models_that_are_no_nets_get_and_give_arrays(steady):
    seen = []

    def predict(views):
        seen.append((type(views), views.dtype, views.shape[1:]))
        return np.zeros((len(views), 3, 2))

    found = time_model(predict, VIEWS.numpy(), device="cpu", batch=8, plan=SHORT)
    assert set(seen) == {(np.ndarray, np.dtype(np.uint8), (1, 16, 16))}
    assert found["infer_images_per_s"] > 0


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_timed_under_inference_mode_and_the_precision_of_the_scores(steady, precision, dtype):
    layer, seen = nn.Linear(256, 6), set()

    def forward(views):
        out = layer(views.float().flatten(1))
        seen.add((torch.is_inference_mode_enabled(), out.dtype))
        return out

    found = time_model(forward, VIEWS, device="cpu", precision=precision, batch=4, plan=SHORT)
    assert seen == {(True, dtype)}
    assert found["precision"] == precision


def test_warm_up_never_sees_the_timed_pictures(steady, monkeypatch):
    real = {view.numpy().tobytes() for view in VIEWS}
    log = []

    def forward(views):
        log.extend(view.numpy().tobytes() in real for view in views)
        return points_of(views)

    original = session._attempts

    def marked(*args):
        log.append("timed")
        return original(*args)

    monkeypatch.setattr(session, "_attempts", marked)
    time_model(forward, VIEWS, device="cpu", batch=4, plan=SHORT)
    start = log.index("timed")
    assert log[:start]
    assert not any(log[:start])
    assert all(log[start + 1 :])


def test_batches_that_take_too_long_are_made_smaller(steady):
    def forward(views):
        time.sleep(0.002 * len(views))
        return points_of(views)

    plan = Plan(**{**vars(SHORT), "slowest_batch_s": 0.03})
    found = time_model(forward, VIEWS, device="cpu", batch=64, plan=plan)
    assert found["batch"] < 64
    assert found["batch_asked"] == 64


def test_batches_that_do_not_fit_are_made_smaller(steady):
    def forward(views):
        if len(views) > 4:
            raise torch.cuda.OutOfMemoryError
        return points_of(views)

    assert time_model(forward, VIEWS, device="cpu", batch=64, plan=SHORT)["batch"] == 4


def test_size_is_counted_where_a_net_is_given(steady):
    net = nn.Sequential(nn.Flatten(), nn.Linear(256, 6))
    found = time_model(lambda v: net(v.float()), VIEWS, device="cpu", batch=4, plan=SHORT, net=net)
    assert (found["parameters"], found["macs"]) == (256 * 6 + 6, 256 * 6)
    assert found["peak_memory_mib"] >= (256 * 6 + 6) * 4 / 2**20
    assert "weights" in found["peak_memory_of"]
    assert "macs" not in time_model(points_of, VIEWS, device="cpu", batch=4, plan=SHORT)


def test_bad_use_is_refused():
    with pytest.raises(ValueError, match="views"):
        time_model(points_of, VIEWS[:0], device="cpu")
    with pytest.raises(ValueError, match="precision"):
        time_model(points_of, VIEWS, device="cpu", precision="int8")


def test_pool_is_larger_than_the_cache_and_holds_real_pictures_only():
    pool = input_pool(VIEWS, 4, CPU)
    assert pool.exceeds_cache
    assert pool.nbytes >= 2 * 16_000
    real = {view.numpy().tobytes() for view in VIEWS}
    assert {view.numpy().tobytes() for view in pool.views} == real
    # Rounds are shuffled differently, so that batches do not repeat.
    assert not torch.equal(pool.views[:20], pool.views[20:40])


def test_pool_gives_whole_batches_round_and_round():
    pool = input_pool(VIEWS, 7, CPU)
    batches = len(pool.views) // 7
    assert torch.equal(pool.batch(0, 7), pool.views[:7])
    assert torch.equal(pool.batch(batches, 7), pool.views[:7])
    assert all(len(pool.batch(i, 7)) == 7 for i in range(2 * batches))
    assert pool.batch(1, 7).data_ptr() == pool.views[7:].data_ptr()


def test_pool_holds_a_batch_even_of_few_pictures():
    assert len(input_pool(VIEWS[:3].numpy(), 500, CPU).batch(0, 500)) == 500


def test_pool_keeps_within_the_memory_that_is_free(monkeypatch):
    class Memory:
        available = 40_000

    monkeypatch.setattr(inputs.psutil, "virtual_memory", lambda: Memory)
    pool = input_pool(VIEWS, 4, CPU)
    assert pool.nbytes <= 4_000
    assert not pool.exceeds_cache


def test_noise_is_seeded_and_of_the_same_kind():
    assert torch.equal(noise_like(VIEWS, 3), noise_like(VIEWS, 3))
    assert noise_like(VIEWS.numpy(), 3).shape == (3, 1, 16, 16)


def test_peak_memory_sees_what_is_held_for_a_while():
    def work():
        block = np.ones(64 * 2**20, np.uint8)
        time.sleep(0.05)
        return block

    mib, measure = peak_memory(work, CPU)
    assert 32 < mib < 512
    assert "resident set" in measure


def test_cache_size_is_read_from_the_machine(monkeypatch, tmp_path):
    monkeypatch.undo()
    for name, words, wanted in (("a", "48K", 48 * 2**10), ("b", "33M", 33 * 2**20), ("c", "junk", 0), ("d", "", 0)):
        (tmp_path / name).write_text(words)
        assert inputs._cache_size(tmp_path / name) == wanted
    assert inputs._cache_size(tmp_path / "gone") == 0
    assert inputs.last_level_cache(CPU) > 2**16


def test_end_to_end_copies_in_and_out_and_the_resident_batches_do_not():
    log = []

    class Moving:
        def __init__(self, place):
            self.place = place

        def to(self, device):
            log.append(f"to {device}")
            return Moving("device")

        def cpu(self):
            log.append("to host")
            return Moving("host")

    class Pool(InputPool):
        def batch(self, index, size):
            return Moving("host" if self.cache_bytes == 1 else "device")

    def forward(views):
        log.append(f"forward on {views.place}")
        return views

    host, resident = Pool(VIEWS, 1), Pool(VIEWS, 2)
    subject = session.Subject(forward, torch.device("cuda", 0), Clock(), host, resident, None)
    assert subject.copies
    assert subject.end_to_end(4)(0).place == "host"
    assert log == ["to cuda:0", "forward on device", "to host"]
    log.clear()
    assert subject.on_device(4)(0).place == "device"
    assert log == ["forward on device"]
