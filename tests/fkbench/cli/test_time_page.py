"""The tables of `fkbench time` on a narrow terminal: nothing is cut, no mark is lost."""

from __future__ import annotations

import pytest

from fkbench.cli.time_page import print_page

NAMES = ("eager", "channels-last", "aot-inductor", "onnxruntime", "a-runtime-of-somebody-with-a-long-name")
PEAK = {"precision": "fp32"}
ROW = {"batch": 4096, "operations_ms": 1234.5, "bytes_ms": 2345.6, "layers_ms": 3456.7, "measured_ms": 45678.9,
       "times": 1234.5, "larger": "operations"}  # fmt: skip


def timing(name, sizes, copies, **changes):
    found = {
        "runtime": name, "void": False, "void_reason": None, "quick": False, "batch": 4096,
        "threads": {"intra_op": 1, "cores": 2}, "copies": {"latency_ms": copies},
        "latency_ms": {"p50": 1234.56, "p99": 12345.6}, "infer_images_per_s": 123456.7,
        "end_to_end_images_per_s": 98765.4, "prepare_s": 100.0, "first_call_s": 134.9,
        "deviation": {"max_px": 123.456, "rmse": 14.56789},
        "sweep": [{"batch": size, "infer_images_per_s": 12345.6 * size} for size in sizes],
        "floors": {"latency": ROW, "throughput": ROW, "peak": PEAK},
    }  # fmt: skip
    return found | changes


@pytest.fixture
def shown(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("fkbench.timing.floors.peak_line", lambda peak: "peaks")

    def show(timings):
        print_page({"model": "net", "run": "3f2a", "input": [1, 96, 96], "precision": "fp32", "timings": timings,
                    "device": {"name": "CPU"}, "training": None, "not_timed": {}, "files": []})  # fmt: skip
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("first", [0, 1, 4])
def test_large_numbers_and_long_names_fit_80_columns_whole(shown, first):
    names = (*NAMES[first:], *NAMES[:first])
    sizes = [4**power for power in range(9)]
    text = shown([timing(name, sizes, "host to device") for name in names])
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    words = text.split()
    numbers = ("12346", "123457", "98765", "235", "123", "14.5679", "45679", "809081242")
    for word in ("batch", *numbers, *map(str, sizes)):
        assert word in words, word
    assert "e+" not in text


def test_a_void_session_keeps_its_mark_and_the_line_below_names_its_runtime(shown):
    bad = {"void": True, "void_reason": "the control drifted by 12 % [busy]"}
    rows = [
        timing("eager", [1], "none"),
        timing("channels-last", [1], "none", **bad),
        timing("bf16", [1], "none", **bad),
        timing("compile", [1], "none", void=True, void_reason="throttled"),
    ]
    text = shown(rows)
    assert text.count("channels-last*") == text.count("compile*") == 3
    assert "eager*" not in text
    assert "* channels-last, bf16: void: the control drifted by 12 % [busy]\n" in text
    assert "* compile: void: throttled\n" in text
