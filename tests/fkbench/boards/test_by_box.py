"""The board of models by boxes."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest

from fkbench.boards.by_box import board_rows, box_jitter, extra_error, jitter_lines, row_of, speed_text, write_by_box
from fkbench.errors import FkbenchError
from fkbench.score import image_errors


def score(model="net", run="a" * 16, box="truth", rmse=2.0, jitter=None, **more):
    page = {
        "subject": run, "model": model, "seed": 0, "protocol": "uniform", "overrides": {}, "trained_on": "truth",
        "box_jitter": jitter, "box": box, "box_settings": {"settings": {"level": 3, "file": ""}, "jitter": 0.0},
        "dataset": {"name": "faces", "split": "identity", "images": 9, "leaky": False},
        "metrics": {"rmse": rmse, "rmse_ci": [rmse - 0.5, rmse + 0.5], "missed_faces": 1},
    }  # fmt: skip
    return page | more


SHAKEN, EXACT = {"shift": 0.04, "scale": 0.1}, {"shift": 0.0, "scale": 0.0}
SPEED = {"pictures_per_s": 51.04, "ms": {"p50": 19.0}, "detector_ms": {"p50": 12.0}, "quick": True, "void": False}


def errors(off):
    """Of 40 faces of 10 persons, each point off by so much along x; one face of a person by twice that."""
    truth = np.zeros((40, 15, 2))
    truth[:, :, 1] = np.arange(15)
    predicted = truth + np.array([off, 0])
    predicted[::4, :, 0] *= 2
    return image_errors(
        predicted, truth, np.ones((40, 15), bool), scale=1.0, normalisers={}, ids=[str(i) for i in range(40)],
        group=[str(i // 4) for i in range(40)],
    )  # fmt: skip


def test_extra_error_is_the_difference_in_rmse_with_a_paired_interval():
    found = extra_error(errors(3.0), errors(2.0))
    each = np.sqrt(np.mean([4.0, 1, 1, 1]) / 2)
    assert found["extra_rmse"] == pytest.approx((3 - 2) * each)
    low, high = found["extra_rmse_ci"]
    assert low <= found["extra_rmse"] <= high
    assert extra_error(errors(2.0), errors(2.0))["extra_rmse"] == 0


def test_jitter_in_training_is_read_from_the_recipe():
    def record(**recipe):
        return SimpleNamespace(protocol=SimpleNamespace(recipe=recipe))

    assert box_jitter(record(augmentation={"shift": 0.04, "scale": 0.1, "rotation": 3.0})) == SHAKEN
    assert box_jitter(record(augmentation={"rotation": 3.0})) == EXACT
    assert box_jitter(record()) is None  # nothing was trained
    assert box_jitter(record(augmentation={"shift": 0.04}, geometry={"kind": "resize"})) is None
    assert row_of(score(jitter=SHAKEN))["box_jitter"] == "yes"
    assert row_of(score(jitter=EXACT))["box_jitter"] == "no"
    assert row_of(score())["box_jitter"] is None


def test_models_stand_together_and_jitter_is_set_against_none():
    scores = [
        score(run="a" * 16, jitter=SHAKEN), score(run="a" * 16, box="haar", jitter=SHAKEN, extra_rmse=0.5),
        score("other"), score("other", box="haar", extra_rmse=4.0),
        score(run="b" * 16, jitter=EXACT), score(run="b" * 16, box="haar", jitter=EXACT, extra_rmse=1.25),
    ]  # fmt: skip
    rows = board_rows(scores)
    assert [row["model"] for row in rows] == ["net"] * 4 + ["other"] * 2
    assert jitter_lines(rows) == [
        "net with haar: +0.500 px where it was trained with box jitter, +1.250 px without",
    ]
    assert jitter_lines(rows[:2]) == []


def test_the_board_as_files(tmp_path):
    scores = [
        score(jitter=SHAKEN),
        score(box="haar|x", rmse=2.3456789, jitter=SHAKEN, extra_rmse=0.3456789, extra_rmse_ci=[0.2, 0.5],
              end_to_end=SPEED),
    ]  # fmt: skip
    paths = write_by_box(scores, tmp_path / "new")
    assert [path.name for path in paths] == [f"models-by-boxes.{ending}" for ending in ("csv", "md", "json")]
    with paths[0].open() as file:
        rows = list(csv.DictReader(file))
    assert [row["extra_rmse"] for row in rows] == ["", "0.345679"]
    assert (rows[1]["box_settings"], rows[1]["timing"], rows[1]["missed_faces"]) == ("level=3", "quick", "1")
    assert json.loads(paths[2].read_text())[1]["extra_high"] == 0.5
    text = paths[1].read_text()
    assert "| net aaaaaaaa | truth | yes | haar\\|x | 2.346 | 1.846 – 2.846 | +0.346 | 0.200 – 0.500 | 1 |" in text
    assert "timed briefly" in text
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_by_box(scores, tmp_path / "new")] == before
    (tmp_path / "file").write_text("")
    with pytest.raises(FkbenchError, match="Cannot write"):
        write_by_box(scores, tmp_path / "file")


def test_speeds_say_what_they_are_worth():
    assert speed_text(row_of(score())) == "–"
    assert speed_text(row_of(score(end_to_end=SPEED))) == "~51.0"
    assert speed_text(row_of(score(end_to_end=SPEED | {"quick": False}))) == "51.0"
    assert speed_text(row_of(score(end_to_end=SPEED | {"void": True}))) == "51.0*"
