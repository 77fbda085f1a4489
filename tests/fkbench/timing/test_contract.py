"""The contract as an order of events on a device that works behind the host's back, and wrong timings beside it.

Nothing here waits or looks at a real clock: time passes only as the stand-ins say.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fkbench.timing import inputs, time_model
from fkbench.timing.clock import Clock
from fkbench.timing.control import Control
from fkbench.timing.measure import measure_latency, measure_throughput
from fkbench.timing.plan import Plan

LAUNCH_S, WORK_S, SYNC_S = 0.0001, 0.004, 0.0005
PLAN = Plan(rounds=3, calls=6, latency_s=1e9, repetitions=6, repetition_s=0.04, control_s=0.0, warm_up_s=0.02,
            slowest_batch_s=1e9, slowest_sweep_s=1.0, attempts=1)  # fmt: skip


class Device(Clock):
    """A host that launches in 0.1 ms, and a device that works 4 ms at each call; a sync itself takes 0.5 ms."""

    name = "events"

    def __init__(self) -> None:
        self.host = self.done = 0.0
        self.log: list[str] = []

    def now(self) -> float:
        return self.host

    def sync(self) -> None:
        self.log.append("sync")
        self.host = max(self.host, self.done) + SYNC_S

    def start(self) -> float:
        return max(self.host, self.done)  # an event is reached when what was asked for before it is done

    def seconds(self, mark: float) -> float:
        end = max(self.host, self.done)
        self.sync()
        return end - mark

    def launch(self, what: str = "", seconds: float = WORK_S) -> None:
        if what:
            self.log.append(what)
        self.host += LAUNCH_S
        self.done = max(self.host, self.done) + seconds


@pytest.fixture
def session(monkeypatch):
    """One session on the stand-in, and the order of what was done in it."""
    monkeypatch.setattr(inputs, "last_level_cache", lambda device: 16_000)
    views = torch.from_numpy(np.random.default_rng(0).integers(0, 200, (20, 1, 16, 16), np.uint8))
    real = {view.numpy().tobytes() for view in views}
    device = Device()

    def forward(batch):
        kind = "timed" if batch[0].numpy().tobytes() in real else "noise"
        device.launch(f"{kind} {len(batch)}", WORK_S * len(batch) ** 0.5)
        return batch

    def run(blocks=(1.0,) * 9, **options):
        turn = iter(blocks)

        def control(self, seconds):
            device.log.append("control")
            self.blocks.append(next(turn))

        monkeypatch.setattr(Control, "warm_up", lambda self, seconds: device.log.append("control warm"))
        monkeypatch.setattr(Control, "measure", control)
        return time_model(forward, views, device="cpu", plan=PLAN, clock=device, **options), device.log

    return run


def test_control_latency_and_throughput_take_turns_and_control_has_the_last_word(session):
    _, log = session(batch=4)
    events = [event for event in log[log.index("control warm") :] if event != "sync"]
    order = [event for i, event in enumerate(events) if event != events[i - 1]]
    # The first timed batches say how many make a repetition. Peak memory is looked at when all is timed.
    assert order == ["control warm", "timed 4", *["control", "timed 1", "timed 4"] * 3, "control", "timed 4"]


def test_warm_up_is_noise_and_is_over_before_anything_is_timed(session):
    _, log = session(batch=4)
    first = log.index("timed 4")
    assert {event for event in log[:first] if event not in {"sync", "control warm"}} == {
        "noise 1",
        "noise 2",
        "noise 4",
    }
    assert not any(event.startswith("noise") for event in log[first:])


def test_one_sync_for_each_call_of_latency_and_for_each_repetition_of_throughput(session):
    found, log = session(batch=4)
    rounds = " ".join(log).split("control")[2:5]
    repetitions, length = 2, round(PLAN.repetition_s / (LAUNCH_S + 2 * WORK_S + SYNC_S))
    for events in rounds:
        single, many = events.split("timed 4", 1)
        # Three calls that settle, then those that count; each part begins on an idle device.
        assert single.split().count("sync") == 1 + 3 + 1 + PLAN.calls // PLAN.rounds + 1
        assert ("timed 4" + many).count("timed 4") == repetitions * length
        assert many.split().count("sync") == repetitions
    assert found["latency_calls"] == PLAN.calls


def test_numbers_are_those_of_the_device(session):
    found, _ = session(batch=4)
    # The host waits for launch, work and sync; the device's own clock sees the work alone.
    assert found["latency_ms"]["p50"] == pytest.approx(1000 * (LAUNCH_S + WORK_S + SYNC_S))
    assert found["infer_images_per_s"] == pytest.approx(4 / (2 * WORK_S), rel=0.02)


def test_a_sweep_finds_the_best_batch_and_leaves_out_what_takes_too_long(session):
    found, log = session(sweep=(16, 1, 4, 65536, 131072))
    assert [row["batch"] for row in found["sweep"]] == [1, 4, 16]
    assert found["batch"] == 16
    assert found["infer_images_per_s"] == found["sweep"][-1]["infer_images_per_s"]
    assert found["batch_asked"] == 131072
    assert found["left_out"] == {"65536": "a batch takes 1.0 s", "131072": "larger than one that takes too long"}
    assert "noise 131072" not in log
    assert all(row["first_call_s"] > 0 for row in found["sweep"])


@pytest.mark.parametrize(("blocks", "void"), [((1.0, 1.02, 0.98, 1.0), False), ((1.0, 1.0, 1.06, 1.0), True)])
def test_a_session_is_void_where_its_control_drifts_by_more_than_five_percent(session, blocks, void):
    found, _ = session(blocks, batch=4)
    assert found["void"] is void
    assert ("not quiet" in (found["void_reason"] or "")) is void


# --- how not to do it ---------------------------------------------------------------------------------------------


def test_without_a_sync_only_the_launch_is_measured():
    device = Device()
    before = device.now()
    device.launch()
    assert device.now() - before == pytest.approx(LAUNCH_S)
    right = measure_latency(lambda _: device.launch(), clock=device, calls=5)
    assert min(right) >= WORK_S
    assert min(right) / LAUNCH_S > 40


def test_a_sync_for_each_batch_makes_throughput_look_lower():
    device = Device()
    right = measure_throughput(lambda _: device.launch(), clock=device, images=8, batches=20, repetitions=3)

    def synced(_):
        device.launch()
        device.sync()

    wrong = measure_throughput(synced, clock=device, images=8, batches=20, repetitions=3)
    assert np.median(right) == pytest.approx(8 / WORK_S, rel=0.03)
    assert np.median(wrong) == pytest.approx(8 / (WORK_S + SYNC_S + LAUNCH_S), rel=0.03)


def test_inputs_that_fit_into_the_cache_are_found_there():
    """A cache of 16 pictures that forgets the oldest: one batch again and again is read from memory once."""
    views = np.zeros((64, 1, 16, 16), np.uint8)
    views[:, 0, 0, 0] = np.arange(64)
    held: list[int] = []

    def missed(batch):
        fresh = [int(n) for n in batch[:, 0, 0, 0] if int(n) not in held]
        held[:] = (held + fresh)[-16:]
        return len(fresh)

    same = [missed(views[:8]) for _ in range(20)]
    held.clear()
    pool = inputs.InputPool(views, cache_bytes=16 * 256)
    rotating = [missed(pool.batch(i, 8)) for i in range(20)]
    assert pool.exceeds_cache
    assert same == [8] + [0] * 19
    assert rotating == [8] * 20
