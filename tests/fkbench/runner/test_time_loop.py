"""Timing of detector and model together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fkbench.runner import loop


@pytest.mark.parametrize(("together", "alone"), [(True, False), (False, True), (False, False)])
def test_times_count_only_where_the_machine_was_quiet_in_both_measurements(monkeypatch, together, alone):
    sessions = iter((together, alone))

    def measured(call, frames, rows, *, quick):
        timing = {"ms": {"p50": 1.0}, "pictures_per_s": 9.0, "calls": 3, "quick": quick, "void": next(sessions)}
        return timing | {"opencv_threads": 1, "others_cores": 0.0}

    monkeypatch.setattr(loop, "time_per_picture", measured)
    monkeypatch.setattr(loop, "open_detector", lambda *given: SimpleNamespace(find=None))
    inputs = SimpleNamespace(
        detector=None, box_settings={}, store=None, samples=SimpleNamespace(frames=None),
        split=SimpleNamespace(test=np.arange(2)),
    )  # fmt: skip
    timing = loop.time_loop(None, None, inputs, quick=True)
    assert timing["void"] is (together or alone)
