"""Leak reports, counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fkbench.datasets.leaks import describe_leaks, leak_report
from fkbench.datasets.samples import Frames, Samples, Split

IDS = tuple("abcdefgh")


def samples_of(groups, clips=None, duplicates=()) -> Samples:
    return Samples(
        ids=IDS,
        frames=Frames.stack(np.zeros((8, 2, 2), np.uint8)),
        points=np.zeros((8, 1, 2), np.float32),
        group=tuple(groups),
        clip=None if clips is None else tuple(clips),
        fingerprint="",
        duplicates=np.array(duplicates, np.int64).reshape(-1, 2),
    )


SPLIT = Split("s", 1, np.array([0, 1, 2]), np.array([3]), np.array([4, 5, 6]))  # h (7) is not used


def test_a_split_that_parts_everything():
    report = leak_report(samples_of("AABBCCDA", duplicates=[(0, 3), (4, 5), (1, 7), (5, 7)]), SPLIT)
    assert report["groups"] == {
        "total": 4, "both_sides": 0, "test_samples": 0, "test_share": 0.0, "examples": []
    }  # fmt: skip
    assert report["clips"] is None
    assert (report["near_duplicates"]["pairs"], report["near_duplicates"]["across"]) == (2, 0)
    assert report["leaky"] is False


def test_groups_on_both_sides():
    report = leak_report(samples_of("AABCCABX"), SPLIT)
    assert report["groups"] == {
        "total": 3, "both_sides": 3, "test_samples": 3, "test_share": 1.0, "examples": ["A", "B", "C"]
    }  # fmt: skip
    assert report["leaky"] is True


def test_validation_counts_as_seen():
    report = leak_report(samples_of("ABCDDEFG"), SPLIT)
    assert report["groups"]["examples"] == ["D"]
    assert report["groups"]["test_share"] == pytest.approx(1 / 3)


def test_clips_alone_make_a_leak():
    report = leak_report(samples_of("ABCDEFGH", clips=["1", "2", "3", "4", "4", "4", "5", "1"]), SPLIT)
    assert report["clips"]["both_sides"] == 1
    assert report["clips"]["test_samples"] == 2
    assert report["leaky"] is True


def test_near_duplicates_alone_make_a_leak():
    report = leak_report(samples_of("ABCDEFGH", duplicates=[(0, 4), (3, 4), (1, 2), (5, 6), (6, 7), (0, 7)]), SPLIT)
    found = report["near_duplicates"]
    assert (found["pairs"], found["across"], found["test_samples"]) == (4, 2, 1)
    assert found["examples"] == [["a", "e"], ["d", "e"]]
    assert report["leaky"] is True


def test_reports_are_json_and_words():
    report = leak_report(samples_of("AABCCABX", clips="11122233", duplicates=[(0, 4)]), SPLIT)
    assert json.loads(json.dumps(report)) == report
    words = describe_leaks(report)
    assert words["verdict"].startswith("LEAKS")
    assert "3 of 3 on both sides: 3 test samples (100.0%), for example A, B, C" in words["groups"]
    assert "a = e" in words["near-duplicates"]
    assert describe_leaks(leak_report(samples_of("AAAABBBB"), SPLIT))["verdict"] == "nothing on both sides"
