"""`fkbench export`: the file alone, with its metadata, gives the run's points; a file that does not is not left."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from fkbench.cli.main import main
from fkbench.export import exported_program, files
from fkbench.records import read_predictions
from fkbench.registry import load_registry
from fkbench.runtimes.subjects import open_run

ONNX = pytest.param("onnx", marks=pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="needs the extra onnx",
))  # fmt: skip


@pytest.mark.parametrize("kind", [ONNX, "pt2"])
def test_the_file_alone_predicts_what_the_run_was_scored_on(place, tmp_path, capsys, kind):
    path = tmp_path / f"net.{kind}"
    assert main(place.words("export", place.net.key, "--format", kind, "--out", str(path), "--json")) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["check"]["max_px"] < 1e-3
    assert page["check"]["pictures"] == place.net.dataset.counts["test"]
    run, metadata = files.open_file(path, kind)
    assert metadata == page["metadata"]
    assert len(metadata["points"]) == 15
    timed = open_run(place.net, load_registry([place.model]), place.store, torch.device("cpu"))
    points = files.points_of(run, metadata, timed.pictures())
    recorded = read_predictions(Path(place.net.path) / "predictions.safetensors")[1]
    # The frames are 96 pixels wide, the net sees 32: pixel centres at integers.
    np.testing.assert_allclose((points + 0.5) * 3 - 0.5, recorded, atol=1e-2)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [ONNX, "pt2"])
def test_a_file_that_is_off_is_refused_and_not_left(place, tmp_path, capsys, monkeypatch, kind):
    original = files.write_file

    def spoilt(predictor, metadata, kind, path):
        with torch.no_grad():
            predictor.net[-1].bias += 0.01
        original(predictor, metadata, kind, path)

    monkeypatch.setattr(files, "write_file", spoilt)
    path = tmp_path / f"net.{kind}"
    assert main(place.words("export", place.net.key, "--format", kind, "--out", str(path))) == 1
    said = capsys.readouterr().err
    assert "off by up to 0.16 px" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["KEY", "--format", "tflite"], "Unknown format"),
        (["KEY", "--format", "pt2", "--out", "/no/such/folder/x.pt2"], "no place for a file"),
        (["KEY", "--format", "pt2", "--out", os.devnull], "no place for a file"),
        (["KEY", "--format", "pt2", "--tolerance", "0"], "above 0"),
        (["MEAN", "--format", "pt2"], "no net"),
        (["zz", "--format", "pt2"], "Unknown run"),
    ],
)
def test_bad_use_is_said(place, capsys, words, said):
    keys = {"KEY": place.net.key, "MEAN": place.mean.key}
    assert main(place.words("export", *(keys.get(word, word) for word in words))) == 2
    assert said in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder in which root cannot write either")
def test_a_folder_that_cannot_be_written_is_said(place, capsys):
    assert main(place.words("export", place.net.key, "--format", "pt2", "--out", "/proc/x.pt2")) == 2
    said = capsys.readouterr().err
    assert "Cannot write to '/proc'" in said
    assert "--out" in said


def test_without_the_extra_the_way_to_it_is_named(place, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "onnxruntime" else found(name))
    assert main(place.words("export", place.net.key, "--format", "onnx")) == 2
    assert "pip install 'fkbench[onnx]'" in capsys.readouterr().err


def test_a_net_that_looks_at_values_cannot_be_exported():
    class Looking(torch.nn.Module):
        def forward(self, images):
            return images.mean((2, 3)) if float(images.sum()) > 0 else images.sum((2, 3))

    with pytest.raises(files.RunFailedError, match="cannot be exported"):
        exported_program(Looking(), torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("normalise", ["unit", "standard"])
def test_metadata_says_in_words_and_numpy_does_what_the_net_is_given(normalise):
    from fkbench.train.pictures import net_input

    views = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), np.uint8)
    seen = []
    how = {"input": {"normalise": normalise}, "output": {"scale": 4.0, "offset": 3.5}}

    def run(images):
        seen.append(images)
        return np.zeros((len(images), 4), np.float32)

    points = files.points_of(run, how, views)
    np.testing.assert_allclose(seen[0], net_input(torch.from_numpy(views), normalise).numpy(), atol=1e-5)
    assert points.shape == (3, 2, 2)
    assert (points == 3.5).all()
