"""The conditions beside a session's numbers."""

from __future__ import annotations

import torch

from fkbench.timing import conditions


def test_the_processor_has_the_name_that_the_environment_of_a_record_states(monkeypatch):
    monkeypatch.setattr(conditions, "cpu_name", lambda: "Example CPU 3000")
    assert conditions.conditions(torch.device("cpu"))["device"] == {"type": "cpu", "name": "Example CPU 3000"}
